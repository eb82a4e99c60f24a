"""The unit files and the installer, as far as no root and no booted machine are needed."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.settings import AgentSettings
from bridge.settings import DEFAULT_TARGET, BridgeSettings

ROOT = Path(__file__).resolve().parents[2]
UNITS = {"agent": ROOT / "systemd/herdlink-agent.service", "bridge": ROOT / "systemd/herdlink-bridge.service"}
INSTALL = ROOT / "systemd/install"
PREFIX = "/opt/herdlink/bin/"

# systemd-analyze security: the exposure in tenths, 0 (locked in) to 100. What the agent has above the bridge's is the
# price of cameras and GPUs: devices, the clock's device filter, writable code.
EXPOSURE = {"agent": 22, "bridge": 16}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: apt-get install systemd"
)
both = pytest.mark.parametrize("program", ["agent", "bridge"])


class _Unit(configparser.RawConfigParser):
    """A unit file; of a key that stands twice the last holds, which no test here asks for."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _unit(program: str) -> _Unit:
    unit = _Unit(strict=False, delimiters=("=",), comment_prefixes=("#",))
    unit.read(UNITS[program])
    return unit


@both
@needs_systemd
def test_systemd_finds_no_fault(program: str, tmp_path: Path) -> None:
    """Verified with the programs of this environment, since /opt/herdlink may not be here."""
    text = UNITS[program].read_text().replace(PREFIX, f"{Path(sys.executable).parent}/")
    for name, file in UNITS.items():
        (tmp_path / file.name).write_text(text if name == program else "[Service]\nExecStart=/bin/true\n")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNITS[program].name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, _said(done)) == (0, "")


@both
@needs_systemd
def test_exposure_stays_below_what_was_reached(program: str) -> None:
    threshold = f"--threshold={EXPOSURE[program]}"
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", threshold, str(UNITS[program])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, _said(done)


@both
def test_what_is_started_is_installed(program: str) -> None:
    command = _unit(program)["Service"]["ExecStart"].split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert command[0].removeprefix(PREFIX) in scripts
    assert command[1:] == ["--config", f"/etc/herdlink/{program}.toml"]
    assert (ROOT / "config" / f"{program}.toml").is_file()
    installer = INSTALL.read_text()
    assert UNITS[program].name in installer
    assert f"PREFIX={PREFIX.removesuffix('/bin/')}\n" in installer


@both
def test_it_is_never_given_up(program: str) -> None:
    unit = _unit(program)
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["Type"] == "notify"
    assert int(unit["Service"]["WatchdogSec"]) > 0


def test_the_folders_are_those_of_the_settings() -> None:
    service = _unit("agent")["Service"]
    settings = AgentSettings()
    assert settings.state_dir == Path("/var/lib") / service["StateDirectory"]
    assert settings.output_root.is_relative_to(settings.state_dir)
    socket = next(address for address in settings.rpc.listen if address.startswith("unix:"))
    assert Path(socket.removeprefix("unix:")).parent == Path("/run") / service["RuntimeDirectory"]
    assert socket == DEFAULT_TARGET
    assert settings.secrets_dir == BridgeSettings().secrets_dir
    assert str(settings.secrets_dir) in INSTALL.read_text()


def test_the_agent_alone_owns_the_sockets_folder() -> None:
    assert _unit("agent")["Service"]["RuntimeDirectoryPreserve"] == "restart"
    assert "RuntimeDirectory" not in _unit("bridge")["Service"]
    assert _unit("bridge")["Service"]["Group"] == _unit("agent")["Service"]["Group"]


def test_the_agent_keeps_cameras_and_gpus() -> None:
    """Each of these would hide /dev/video*, /dev/nvidia* or a Jetson's /dev/nvhost-*, or stop CUDA's compiler."""
    for key in (
        "PrivateDevices",
        "DevicePolicy",
        "DeviceAllow",
        "ProtectClock",
        "MemoryDenyWriteExecute",
        "DynamicUser",
    ):
        assert key not in _unit("agent")["Service"]


def test_the_bridge_runs_without_the_agent() -> None:
    unit = _unit("bridge")["Unit"]
    assert unit["Wants"] == "herdlink-agent.service"
    assert not {"Requires", "BindsTo", "PartOf", "Requisite"} & set(unit)


def test_the_installer_is_sound_shell() -> None:
    assert os.access(INSTALL, os.X_OK)
    subprocess.run(["sh", "-n", str(INSTALL)], check=True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is missing: apt-get install shellcheck")
def test_shellcheck_finds_no_fault() -> None:
    done = subprocess.run(["shellcheck", str(INSTALL)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--help"], 0, "--uninstall"),
        (["--what"], 2, "no such option: --what"),
        (["--root"], 1, "--root needs a folder"),
    ],
)
def test_the_installer_explains_itself(words: list[str], status: int, says: str) -> None:
    done = subprocess.run([str(INSTALL), *words], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert says in _said(done)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can take a folder for another system's root")
@pytest.mark.parametrize(
    ("words", "says"), [(["--root", "/nowhere"], "no folder /nowhere"), (["--purge"], "goes with --uninstall")]
)
def test_the_installer_refuses_before_it_changes_anything(words: list[str], says: str) -> None:
    done = subprocess.run([str(INSTALL), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="a folder is refused only after root has been asked for")
def test_a_folder_that_is_no_system_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([str(INSTALL), "--root", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "/etc/passwd" in done.stderr
    assert not list(tmp_path.iterdir())


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr).strip()
