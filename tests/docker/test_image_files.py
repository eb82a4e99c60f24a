"""The Dockerfile, compose.yaml and mosquitto.conf, as far as no image is built."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mosquitto_process import free_port, reachable

from agent.settings import AgentSettings
from bridge.settings import BridgeSettings

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker/Dockerfile"
COMPOSE = ROOT / "docker/compose.yaml"
VIDEO = "${HERDLINK_VIDEO:-/srv/video}"


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_hadolint_finds_no_fault() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="docker-compose is missing: apt-get install docker-compose"
)
def test_compose_finds_no_fault() -> None:
    command = ["docker-compose", "--file", str(COMPOSE), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    volumes = yaml.safe_load(COMPOSE.read_text())["volumes"]
    for service in services.values():
        for mount in service["volumes"]:
            source = mount.removeprefix(VIDEO).split(":")[0] if mount.startswith(VIDEO) else mount.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).is_file(), mount
                assert mount.endswith(":ro")
            elif source:
                assert source in volumes


def test_what_is_started_is_in_the_image(services: dict[str, Any]) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name in ("agent", "bridge"):
        program, option, config = services[name]["command"]
        assert program in scripts
        assert option == "--config"
        assert any(mount.split(":")[1] == config for mount in services[name]["volumes"])
    assert re.search(r'^CMD \["herdlink-agent"\]$', DOCKERFILE.read_text(), re.MULTILINE)


def test_the_volumes_are_where_the_settings_say(services: dict[str, Any]) -> None:
    settings = AgentSettings()
    inside = [mount.removeprefix(VIDEO).split(":")[1] for mount in services["agent"]["volumes"]]
    socket_path = next(address for address in settings.rpc.listen if address.startswith("unix:"))
    assert str(settings.state_dir) in inside
    assert [str(settings.media_roots[0])] == [path for path in inside if path.startswith("/srv")]
    folder = str(Path(socket_path.removeprefix("unix:")).parent)
    for name in ("agent", "bridge"):
        assert f"socket:{folder}" in services[name]["volumes"]
    assert BridgeSettings().agents[0].target == socket_path


def test_nothing_is_open_beyond_this_machine(services: dict[str, Any]) -> None:
    for service in services.values():
        assert "ports" not in service
        assert service["network_mode"] == "host"
        assert service["restart"] == "unless-stopped"
    for name in ("agent", "bridge"):
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"] is True


def test_the_image_holds_only_what_it_is_made_of() -> None:
    """Whatever the Dockerfile copies is let through, and nothing else is."""
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignore[0] == "*"
    let_through = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = {
        word.split("/")[0]
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)


def test_mosquitto_takes_its_settings(tmp_path: Path) -> None:
    """The file as it is, but on a free port: this machine's own address alone, and its state lies where it runs."""
    port = free_port()
    text = (ROOT / "config/mosquitto.conf").read_text()
    assert text.count("\nlistener 1883 127.0.0.1\n") == 1
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(text.replace("listener 1883", f"listener {port}"))
    tmp_path.chmod(0o777)  # mosquitto gives root's rights up
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.fail("mosquitto is missing: apt-get install mosquitto mosquitto-clients")
    log = tmp_path / "log"
    with log.open("wb") as out:
        broker = subprocess.Popen([program, "-c", str(conf)], cwd=tmp_path, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 10
        while not reachable(port):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port)) != 0
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait(10)
    assert (tmp_path / "mosquitto.db").is_file()
    assert "Error" not in log.read_text()
