"""herdlink doctor, the bridge's part: the broker, its logins, its access list, against a real mosquitto."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from herdlink_command import herdlink
from mosquitto_process import Mosquitto, free_port
from paho.mqtt.enums import CallbackAPIVersion

ACCESS = """
user farm
topic readwrite herdlink/#
user deaf
topic write herdlink/#
topic read herdlink/client/#
user dumb
topic read herdlink/#
topic write herdlink/client/#
user stranger
topic readwrite other/#
user strict
topic write herdlink/#
topic read herdlink/n1/cmd/#
"""
CANARY = "canary-7"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker with logins and an access list."""
    folder = tmp_path_factory.mktemp("guarded")
    logins, access = folder / "logins", folder / "access"
    logins.write_text("".join(f"{user}:{CANARY}\n" for user in ("farm", "deaf", "dumb", "stranger", "strict")))
    subprocess.run(["mosquitto_passwd", "-U", str(logins)], check=True)
    access.write_text(ACCESS)
    more = f"allow_anonymous false\npassword_file {logins}\nacl_file {access}\nuser root\nmax_packet_size 30000"
    broker = Mosquitto(folder, more=more).start()
    yield broker
    broker.stop()


def look(
    folder: Path, port: int, *, user: str = "", password: str = CANARY, version: int = 5, status: int = 0
) -> dict[str, tuple[str, str]]:
    """Check -> (level, message -> cure) of what is said of the bridge."""
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets" / "mqtt-password").write_text(password)
    (folder / "secrets" / "mqtt-password").chmod(0o600)
    (folder / "agent.toml").write_text(
        f'node = "n1"\nstate_dir = "{folder}/state"\noutput_root = "{folder}/results"\n'
        f'[rpc]\nlisten = ["unix:{folder}/none.sock"]\n'
    )
    (folder / "bridge.toml").write_text(
        f'secrets_dir = "{folder}/secrets"\n[[agents]]\nnode = "n1"\ntarget = "unix:{folder}/none.sock"\n'
        f'[mqtt]\nport = {port}\nusername = "{user}"\nversion = {version}\n'
    )
    done = herdlink("doctor", "--json", "--config", str(folder), status=status)
    assert CANARY not in done.stdout + done.stderr
    told = json.loads(done.stdout)["findings"]
    return {one["check"]: (one["level"], f"{one['message']} -> {one['cure']}") for one in told}


@pytest.mark.parametrize("version", [5, 311])
def test_a_login_that_may_all(guarded: Mosquitto, tmp_path: Path, version: int) -> None:
    for _ in range(5):
        found = look(tmp_path, guarded.port, user="farm", version=version)
        if " ms" not in found["round trip"][1] or found["round trip"][0] == "OK":
            break  # else the machine is too busy to be called quick
    assert found["broker"][0] == "OK"
    assert "as farm" in found["broker"][1]
    assert found["round trip"][0] == "OK"
    assert found["topics"] == ("OK", "herdlink/n1/ can be written, and commands read -> ")
    assert found["bridge"][0] == "WARN"
    assert "it does not run for node n1 (status: never seen)" in found["bridge"][1]
    assert found["bridge's agent"][0] == "WARN"


def test_the_packets_it_takes(guarded: Mosquitto, mosquitto: Mosquitto, tmp_path: Path) -> None:
    level, told = look(tmp_path, guarded.port, user="farm")["packet size"]
    assert level == "WARN"
    assert "30000 bytes" in told
    assert look(tmp_path, mosquitto.port)["packet size"][0] == "OK"


@pytest.mark.parametrize(("user", "password"), [("farm", "wrong"), ("nobody", CANARY), ("", "")])
@pytest.mark.parametrize("version", [5, 311])
def test_a_login_that_is_refused(guarded: Mosquitto, tmp_path: Path, user: str, password: str, version: int) -> None:
    level, told = look(tmp_path, guarded.port, user=user, password=password, version=version, status=1)["broker"]
    assert level == "FAIL"
    assert "refuses" in told
    assert "mqtt-password" in told


def test_a_password_that_is_missing(guarded: Mosquitto, tmp_path: Path) -> None:
    found = look(tmp_path, guarded.port, user="farm", password="", status=1)
    assert found["mqtt-password"][0] == "FAIL"


@pytest.mark.parametrize(
    ("user", "check", "level", "told"),
    [
        ("deaf", "topics", "FAIL", "may not read herdlink/n1/cmd/+"),
        ("dumb", "topics", "FAIL", "may not write herdlink/n1/reply/Doctor"),
        ("stranger", "round trip", "FAIL", "may not write herdlink/client/herdlink-doctor-"),
        # What the bridge needs and no more: it writes answers, but reads none.
        ("strict", "round trip", "WARN", "the bridge can do without"),
        ("strict", "topics", "OK", "commands read"),
    ],
)
def test_the_access_list_is_tried_topic_by_topic(
    guarded: Mosquitto, tmp_path: Path, user: str, check: str, level: str, told: str
) -> None:
    found = look(tmp_path, guarded.port, user=user, status=0 if user == "strict" else 1)[check]
    assert found[0] == level
    assert told in found[1]
    if level != "OK":
        assert f"user {user}, topic readwrite herdlink/#" in found[1]


def test_mqtt_3_tells_no_reason_but_the_topic_all_the_same(guarded: Mosquitto, tmp_path: Path) -> None:
    found = look(tmp_path, guarded.port, user="stranger", version=311, status=1)
    assert "does not come back" in found["round trip"][1]
    assert found["topics"][0] == "FAIL"


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    level, told = look(tmp_path, free_port(), status=1)["broker"]
    assert level == "FAIL"
    assert "nothing listens on 127.0.0.1:" in told


def test_what_is_no_broker(tmp_path: Path) -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=lambda: [server.accept()[0].close() for _ in range(2)], daemon=True).start()
        level, told = look(tmp_path, server.getsockname()[1], status=1)["broker"]
    assert level == "FAIL"
    assert "hangs up without a word" in told


def test_two_bridges_that_throw_each_other_out(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    ended = threading.Event()

    def flap() -> None:
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", own_mosquitto.port)
        client.loop_start()
        while not ended.wait(0.4):
            client.publish("herdlink/n1/status", "offline", qos=1, retain=True)
            client.publish("herdlink/n1/status", "online", qos=1, retain=True)
        client.disconnect()
        client.loop_stop()

    thread = threading.Thread(target=flap)
    thread.start()
    try:
        level, told = look(tmp_path, own_mosquitto.port)["bridge"]
    finally:
        ended.set()
        thread.join()
    assert level == "WARN"
    assert "do two bridges run for node n1?" in told


def test_a_bridge_that_says_online_and_does_not_answer(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", own_mosquitto.port)
    client.loop_start()
    client.publish("herdlink/n1/status", "online", qos=1, retain=True).wait_for_publish(5)
    try:
        level, told = look(tmp_path, own_mosquitto.port, status=1)["bridge"]
    finally:
        client.disconnect()
        client.loop_stop()
    assert level == "FAIL"
    assert "a command is not answered" in told


def test_bad_settings(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text("[mqtt]\nports = 1\n")
    done = herdlink("doctor", "--bridge-config", str(tmp_path / "bridge.toml"), status=1)
    assert "FAIL  bridge.toml" in done.stdout
    assert "no such key: mqtt.ports" in done.stdout
