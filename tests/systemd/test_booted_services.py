"""The services as systemd runs them: installed, commanded, killed, hung, restarted and removed on a booted machine.

The tests stand in the order of a machine's life and share it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from booted_machine import (
    ENVIRONMENT,
    OFFLINE,
    REPOSITORY,
    BootedMachine,
    install,
    need,
    new_tree,
    only_when_wanted,
    wheels,
)

only_when_wanted()
pytestmark = pytest.mark.timeout(900)

AGENT, BRIDGE = "herdlink-agent.service", "herdlink-bridge.service"
HERD = "synthetic:herd?animals=5&fps=10&seconds=5&seed=3"
OVERRIDE = "/run/systemd/system/{}.d/test.conf"


@pytest.fixture(scope="module")
def machine() -> Iterator[BootedMachine]:
    need("systemd-nspawn", "debootstrap", "nsenter")
    booted = BootedMachine(new_tree("services")).boot()
    yield booted
    booted.remove()


def test_one_command_installs_and_starts_both(machine: BootedMachine) -> None:
    said = install(machine)
    assert said.endswith("done; what to do now: /opt/herdlink/share/doc/herdlink/install.md")
    for unit in (AGENT, BRIDGE):
        assert machine.unit(unit, "ActiveState", "UnitFileState", "User") == ["active", "enabled", "herdlink"]
    assert machine.unit(AGENT, "StatusText") == ["node barn listens on unix:/run/herdlink/agent.sock, 127.0.0.1:50051"]
    machine.run("test", "-f", "/opt/herdlink/share/doc/herdlink/install.md")
    machine.await_status("online")


def test_rights_are_as_narrow_as_they_should_be(machine: BootedMachine) -> None:
    rights = {
        "/var/lib/herdlink": "750 herdlink:herdlink",
        "/run/herdlink": "755 herdlink:herdlink",
        "/run/herdlink/agent.sock": "660 herdlink:herdlink",
        "/etc/herdlink/secrets": "700 herdlink:herdlink",
        "/etc/herdlink/agent.toml": "644 root:root",
        "/opt/herdlink/bin/herdlink-agent": "755 root:root",
    }
    found = {path: machine.run("stat", "--format=%a %U:%G", path) for path in rights}
    assert found == rights
    assert "video" in machine.run("id", "--name", "--groups", "herdlink").split()


def test_a_job_is_commanded_over_mqtt(machine: BootedMachine) -> None:
    assert machine.command("SetInput", {"uri": HERD})["ok"] is True
    answer = machine.command("Compute", {"wait": True}, wait_s=60)
    job = answer["data"]["job"]  # type: ignore[index]
    assert (job["state"], job["frames"]) == ("JOB_STATE_DONE", 50)
    machine.run("test", "-s", f"{job['output']}/result.mp4")


def test_the_bridge_sees_no_video_and_no_device(machine: BootedMachine) -> None:
    assert _in_sandbox(machine, BRIDGE, "ls /var/lib/herdlink /srv/video /dev").count("journal.sqlite") == 0
    assert "Read-only" in _in_sandbox(machine, BRIDGE, "touch /etc/herdlink/x /run/x 2>&1; true")


def test_a_killed_agent_comes_back_and_remembers(machine: BootedMachine) -> None:
    machine.run("systemctl", "kill", "--signal=KILL", AGENT)
    machine.await_status("unreachable")
    assert machine.unit(BRIDGE, "ActiveState") == ["active"]
    machine.await_status("online")
    assert machine.unit(AGENT, "ActiveState", "NRestarts") == ["active", "1"]
    assert machine.command("GetInput")["data"] == {"uri": HERD}


def test_a_killed_bridge_comes_back(machine: BootedMachine) -> None:
    machine.run("systemctl", "kill", "--signal=KILL", BRIDGE)
    machine.await_status("offline")
    machine.await_status("online")
    assert machine.command("GetInput")["data"] == {"uri": HERD}


def test_the_bridge_finds_an_agent_that_was_stopped_and_started(machine: BootedMachine) -> None:
    """The socket's folder is another one then."""
    machine.run("systemctl", "stop", AGENT)
    machine.await_status("unreachable")
    machine.run("test", "!", "-e", "/run/herdlink")
    machine.run("systemctl", "start", AGENT)
    machine.await_status("online")
    assert machine.command("GetInput")["data"] == {"uri": HERD}


@pytest.mark.parametrize("unit", [AGENT, BRIDGE])
def test_a_program_that_hangs_is_restarted(machine: BootedMachine, unit: str) -> None:
    _override(machine, unit, "WatchdogSec=4")
    machine.run("systemctl", "restart", unit)
    machine.run("sleep", "6")
    assert machine.unit(unit, "NRestarts") == ["0"]  # it beats in time
    machine.run("systemctl", "kill", "--signal=STOP", unit)
    machine.run("sleep", "7")
    machine.await_active(unit)
    assert machine.unit(unit, "NRestarts") == ["1"]
    said = machine.journal(unit)
    assert "Watchdog timeout" in said
    assert "Fatal Python error: Aborted" in said
    _no_override(machine, unit)
    machine.run("systemctl", "restart", unit)


def test_bad_settings_are_tried_again_until_they_are_mended(machine: BootedMachine) -> None:
    machine.run("sed", "-i", "s/^keepalive_s = 30/keepalive_s = 1/", "/etc/herdlink/bridge.toml")
    machine.run("systemctl", "restart", BRIDGE, check=False)
    machine.run("sleep", "12")
    assert machine.unit(BRIDGE, "ActiveState") != ["active"]
    assert "herdlink-bridge: /etc/herdlink/bridge.toml: mqtt.keepalive_s" in machine.journal(BRIDGE)
    machine.run("sed", "-i", "s/^keepalive_s = 1/keepalive_s = 30/", "/etc/herdlink/bridge.toml")
    machine.await_active(BRIDGE)
    machine.await_status("online")


def test_a_password_comes_by_systemd(machine: BootedMachine) -> None:
    """The broker wants a login now, and its password is root's file alone."""
    machine.run("mosquitto_passwd", "-b", "-c", "/etc/mosquitto/passwd", "herdlink", "geheim")
    machine.run("chmod", "0644", "/etc/mosquitto/passwd")
    conf = "listener 1884 127.0.0.1\nallow_anonymous false\npassword_file /etc/mosquitto/passwd\n"
    conf = f"per_listener_settings true\nlistener 1883 127.0.0.1\nallow_anonymous true\n{conf}"
    _write(machine, "/etc/mosquitto/conf.d/test.conf", conf)
    machine.run("systemctl", "restart", "mosquitto")
    _write(machine, "/etc/credstore/mqtt-password", "geheim\n", mode="0400")
    _override(machine, BRIDGE, "Environment=HERDLINK_BRIDGE__MQTT__PORT=1884 HERDLINK_BRIDGE__MQTT__USERNAME=herdlink")
    machine.run("systemctl", "restart", BRIDGE)
    machine.await_status("online")
    assert "connected to 127.0.0.1:1884" in machine.journal(BRIDGE)
    _no_override(machine, BRIDGE)
    machine.run("rm", "/etc/mosquitto/conf.d/test.conf", "/etc/credstore/mqtt-password")


def test_our_broker_settings_go_beside_debians_own(machine: BootedMachine) -> None:
    machine.run("cp", "/checkout/config/mosquitto.conf", "/etc/mosquitto/conf.d/herdlink.conf")
    machine.run("systemctl", "restart", "mosquitto", BRIDGE)
    machine.await_active("mosquitto.service")
    machine.await_status("online")


def test_a_second_installation_keeps_what_was_set(machine: BootedMachine) -> None:
    machine.run("sed", "-i", "s/^period_s = 10.0/period_s = 20.0/", "/etc/herdlink/agent.toml")
    said = install(machine)
    assert "keeping your /etc/herdlink/agent.toml" in said
    assert "making a Python environment" not in said
    machine.run("grep", "-q", "^period_s = 20.0", "/etc/herdlink/agent.toml")
    machine.run("cmp", "/etc/herdlink/agent.toml.new", "/checkout/config/agent.toml")
    assert "bridge.toml.new" not in machine.run("ls", "/etc/herdlink")
    machine.await_status("online")
    assert machine.command("GetInput")["data"] == {"uri": HERD}


def test_both_start_with_the_machine(machine: BootedMachine) -> None:
    machine.shut_down()
    machine.boot()
    machine.await_status("online")
    assert machine.command("GetInput")["data"] == {"uri": HERD}


def test_a_member_of_the_group_may_call_and_nobody_else(machine: BootedMachine) -> None:
    machine.run("useradd", "--groups", "herdlink", "farmer")
    call = "herdlink call GetInput --target unix:/run/herdlink/agent.sock"
    assert HERD in machine.run("su", "farmer", "-c", call)
    assert "is not for this user; join its group" in machine.run(
        "su", "-s", "/bin/sh", "nobody", "-c", call, check=False
    )
    machine.run("userdel", "farmer")


def test_uninstalling_keeps_the_farms_own_things_unless_told(machine: BootedMachine) -> None:
    said = install(machine, ["--uninstall"])
    assert "kept: /etc/herdlink" in said
    machine.run("test", "!", "-e", "/opt/herdlink")
    machine.run("test", "-f", "/var/lib/herdlink/journal.sqlite")
    assert machine.unit(AGENT, "LoadState", "ActiveState") == ["not-found", "inactive"]
    machine.await_status("stopped")
    install(machine, ["--uninstall", "--purge"])
    for path in ("/etc/herdlink", "/var/lib/herdlink", "/usr/local/bin/herdlink"):
        machine.run("test", "!", "-e", path)
    assert "no such user" in machine.run("id", "herdlink", check=False)
    install(machine, ["--uninstall", "--purge"])


def test_an_image_is_installed_into_and_boots_with_both() -> None:
    need("systemd-nspawn", "debootstrap", "nsenter")
    image = BootedMachine(new_tree("image"))
    try:
        shutil.copytree(wheels(), image.tree / "wheels")
        words = [*OFFLINE, str(REPOSITORY / "systemd/install"), "--root", str(image.tree)]
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not list((image.tree / "var/tmp").iterdir())
        image.boot()
        for unit in (AGENT, BRIDGE):
            image.await_active(unit)
        image.await_status("online")
    finally:
        image.remove()


def _in_sandbox(machine: BootedMachine, unit: str, script: str) -> str:
    """What a shell sees in the unit's own view of the file system."""
    (pid,) = machine.unit(unit, "MainPID")
    return machine.run("nsenter", f"--target={pid}", "--mount", "sh", "-c", script)


def _write(machine: BootedMachine, path: str, text: str, *, mode: str = "0644") -> None:
    machine.run("mkdir", "-p", str(Path(path).parent))
    machine.run("sh", "-c", 'printf %s "$1" > "$2"; chmod "$3" "$2"', "sh", text, path, mode)


def _override(machine: BootedMachine, unit: str, line: str) -> None:
    _write(machine, OVERRIDE.format(unit), f"[Service]\n{line}\n")
    machine.run("systemctl", "daemon-reload")


def _no_override(machine: BootedMachine, unit: str) -> None:
    machine.run("rm", OVERRIDE.format(unit))
    machine.run("systemctl", "daemon-reload")
