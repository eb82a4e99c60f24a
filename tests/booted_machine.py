"""A Debian machine of its own, booted in systemd-nspawn, for tests of the services as systemd runs them.

Opt-in, as root: `make test-boot`. The machine has no network but its own loopback: the wheels are fetched before and
mounted, which is also how a farm without a network installs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = REPOSITORY / ".cache" / "boot"
PACKAGES = (
    "systemd-sysv", "dbus", "python3", "python3-venv", "mosquitto", "mosquitto-clients", "ca-certificates",
)  # fmt: skip
NODE = "barn"
OFFLINE = ("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def only_when_wanted() -> None:
    """Skips a module of tests that change much on a machine and take minutes, unless they were asked for."""
    if os.environ.get("HERDLINK_BOOT_TESTS") != "1":
        reason = "boots machines and builds images, as root: make test-boot (or HERDLINK_BOOT_TESTS=1)"
        pytest.skip(reason, allow_module_level=True)


def need(*programs: str) -> None:
    """Fails the test where something that was opted into cannot be had."""
    if os.getuid() != 0:
        pytest.fail("HERDLINK_BOOT_TESTS=1 needs root: sudo make test-boot")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} missing; as root: tests/install-boot-tools")


def apt_mirror() -> tuple[str, str]:
    """(the suite this machine runs, where it takes its packages from)."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release["VERSION_CODENAME"].strip('"')
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", f"Codename: {suite}"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert found, "apt-get update has not been run"
    return suite, found[0]


def base_tree() -> Path:
    """A bootable tree, made once."""
    tree = CACHE / "base"
    if not tree.exists():
        suite, mirror = apt_mirror()
        part = CACHE / "base.part"
        shutil.rmtree(part, ignore_errors=True)
        include = f"--include={','.join(PACKAGES)}"
        _run("debootstrap", "--variant=minbase", include, suite, str(part), mirror)
        part.rename(tree)
    return tree


def wheels() -> Path:
    """All that an installation fetches, fetched once for each state of the locks."""
    locks = [REPOSITORY / "requirements.txt", REPOSITORY / "requirements-build.txt"]
    folder = CACHE / f"wheels-{hashlib.sha256(b''.join(lock.read_bytes() for lock in locks)).hexdigest()[:12]}"
    if not folder.exists():
        python = next((base_tree() / "usr/bin").glob("python3.[0-9]*")).name.removeprefix("python")
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        for lock in locks:
            _run(
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
                *("--only-binary=:all:", "--python-version", python, "--requirement", str(lock), "--dest", str(part)),
            )
        part.rename(folder)
    return folder


def new_tree(name: str) -> Path:
    """A copy of the base tree, with the host name `barn`."""
    tree = CACHE / f"{name}-{os.getpid()}"
    shutil.rmtree(tree, ignore_errors=True)
    _run("cp", "--archive", "--reflink=auto", str(base_tree()), str(tree))
    (tree / "etc/hostname").write_text(f"{NODE}\n")
    (tree / "etc/hosts").write_text(f"127.0.0.1 localhost {NODE}\n")
    (tree / "etc/machine-id").unlink(missing_ok=True)
    return tree


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}"


class BootedMachine:
    """systemd as process 1 on a tree; the checkout is at /checkout, the wheels at /wheels."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._log = tree.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> BootedMachine:
        command = [
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--boot"),
            *(f"--directory={self.tree}", f"--machine={self.tree.name}", f"--hostname={NODE}", "--resolv-conf=off"),
            *(f"--bind-ro={REPOSITORY}:/checkout", f"--bind-ro={wheels()}:/wheels"),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await(lambda: self._find_leader() and self._state() in ("running", "degraded"), 60)
        assert self._state() == "running", self.run("systemctl", "--failed", "--no-pager")
        return self

    def run(self, *command: str, check: bool = True, timeout_s: float = 120) -> str:
        """What a command on the machine says."""
        enter = ["nsenter", f"--target={self._leader}"]
        enter += ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wdns=/"]
        done = subprocess.run(
            [*enter, *command], capture_output=True, text=True, env=ENVIRONMENT, timeout=timeout_s, check=False
        )
        if check:
            assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return (done.stdout + done.stderr).strip()

    def unit(self, unit: str, *names: str) -> list[str]:
        """Properties of a unit, in the order asked for."""
        return [self.run("systemctl", "show", "--value", f"--property={name}", unit) for name in names]

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def command(self, method: str, request: object = None, *, wait_s: int = 20) -> dict[str, object]:
        """A command by mosquitto_rr through broker and bridge; its answer."""
        answer = self.run(
            *("mosquitto_rr", "-V", "5", "-W", str(wait_s), "-t", f"herdlink/{NODE}/cmd/{method}"),
            *("-e", "herdlink/client/test", "-m", json.dumps(request or {})),
            timeout_s=wait_s + 10,
        )
        answered: dict[str, object] = json.loads(answer)
        return answered

    def status(self) -> str:
        """The node's retained status."""
        return self.run("mosquitto_sub", "-W", "3", "-C", "1", "-t", f"herdlink/{NODE}/status", check=False)

    def await_status(self, status: str, timeout_s: float = 30) -> None:
        self._await(lambda: self.status() == status, timeout_s)

    def await_active(self, unit: str, timeout_s: float = 40) -> None:
        self._await(lambda: self.unit(unit, "ActiveState") == ["active"], timeout_s)

    def shut_down(self) -> None:
        """As the power button does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            raise
        finally:
            self._process = None

    def remove(self) -> None:
        self.shut_down()
        shutil.rmtree(self.tree, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False)

    def _find_leader(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"the machine did not boot: {self._log.read_text(errors='replace')[-3000:]}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._leader = int(children[0]) if children else 0
        return bool(self._leader)

    def _await(self, holds: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout_s} s; the machine's last words: {self._last_words()}")
            time.sleep(0.3)

    def _last_words(self) -> str:
        if not self._leader:
            return self._log.read_text(errors="replace")[-3000:]
        return self.run("journalctl", "--no-pager", "--lines=40", check=False)


def install(machine: BootedMachine, words: Sequence[str] = ()) -> str:
    """Runs systemd/install on the machine."""
    return machine.run(*OFFLINE, "/checkout/systemd/install", *words, timeout_s=300)
