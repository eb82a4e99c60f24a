"""The broker's access list: a mosquitto run with exactly that file lets each role do its work, and nothing else."""

from __future__ import annotations

import json
import queue
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from herdlink_command import herdlink
from homeassistant_examples import CAMERA
from mosquitto_process import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bridge.core.access import ROLES, access_list
from bridge.core.discovery import Home, stream_device
from bridge.core.topics import Topics

SHIPPED = Path(__file__).parents[2] / "config" / "acl"
CANARY = "canary-7"
ROOT = "judge"
HERD = "synthetic:herd?animals=3&fps=10&seconds=25&seed=3&width=320&height=240"
STREAM = "herdlink/n1/stream/main"
OUTGOING = [
    row.topic for row in Topics("herdlink", "n1").rows(stream="main", method="GetNode") if row.direction == "out"
]
DISCOVERY = "homeassistant/device/herdlink_n1_main/config"

METHODS = (
    "SetInput", "GetNode", "ListRecords", "WatchTracks", "SetStream", "Compute", "CancelJob", "GetSnapshot",
    "DeleteStream", "AckRecords",
)  # fmt: skip
COMMANDS = {method: f"herdlink/n1/cmd/{method}" for method in METHODS}

# role -> topics that it may write, and topics that it may read
MAY_WRITE: dict[str, list[str]] = {
    "node": [*OUTGOING, "herdlink/client/me/7", DISCOVERY],
    "operator": [*COMMANDS.values()],
    "viewer": [COMMANDS[name] for name in ("GetNode", "ListRecords", "WatchTracks", "GetSnapshot")],
    "homeassistant": [
        *(COMMANDS[name] for name in ("SetInput", "SetStream", "Compute", "CancelJob", "GetSnapshot")),
        "homeassistant/status",
        DISCOVERY,
    ],
    "": [],
}
MAY_READ: dict[str, list[str]] = {
    "node": [
        *COMMANDS.values(), "herdlink/n1/status", "herdlink/client/me/7", "homeassistant/status", DISCOVERY,
    ],
    "operator": [*OUTGOING, "herdlink/client/me/7"],
    "viewer": [*OUTGOING, "herdlink/client/me/7"],
    "homeassistant": [
        "herdlink/n1/status", "herdlink/n1/health", "herdlink/n1/event", f"{STREAM}/state", f"{STREAM}/summary",
        f"{STREAM}/event", f"{STREAM}/snapshot", "homeassistant/status", DISCOVERY, "homeassistant/sensor/a/config",
    ],
    "": [],
}  # fmt: skip
ALL = sorted({
    *(topic for rules in (MAY_WRITE, MAY_READ) for topics in rules.values() for topic in topics),
    "other/topic", "homeassistant/sensor/a/config",
})  # fmt: skip


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker with the shipped list, and one more login that may all, to see with."""
    folder = tmp_path_factory.mktemp("guarded")
    logins, access = folder / "logins", folder / "acl"
    logins.write_text("".join(f"{role}:{CANARY}\n" for role in (*ROLES, ROOT)))
    subprocess.run(["mosquitto_passwd", "-U", str(logins)], check=True)
    access.write_text(f"{SHIPPED.read_text()}\nuser {ROOT}\ntopic readwrite #\n")
    broker = Mosquitto(folder, more=f"password_file {logins}\nacl_file {access}\nuser root").start()
    yield broker
    broker.stop()


class Login:
    """A client with a role's login; without one for the role ''."""

    def __init__(self, port: int, role: str) -> None:
        self.heard: queue.Queue[str] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if role:
            self.client.username_pw_set(role, CANARY)
        self.client.on_message = lambda _c, _u, message: self.heard.put(message.topic)
        self.ready: queue.Queue[int] = queue.Queue()
        self.client.on_subscribe = lambda *_: self.ready.put(1)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.ready.get(timeout=10)

    def send(self, topic: str) -> None:
        self.client.publish(topic, b"x", qos=1).wait_for_publish(10)

    def all_heard(self, until: str) -> set[str]:
        """What came up to a last message."""
        found: set[str] = set()
        while (topic := self.heard.get(timeout=10)) != until:
            found.add(topic)
        return found

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_a_role_writes_what_it_may_and_nothing_else(guarded: Mosquitto, role: str) -> None:
    judge, login = Login(guarded.port, ROOT), Login(guarded.port, role)
    try:
        for topic in ALL:
            login.send(topic)
        judge.send("the/end")
        assert judge.all_heard("the/end") == set(MAY_WRITE[role])
    finally:
        judge.close()
        login.close()


@pytest.mark.parametrize("role", [role for role in ROLES if role])
def test_a_role_reads_what_it_may_and_nothing_else(guarded: Mosquitto, role: str) -> None:
    """Even with a subscription to all there is."""
    judge, login = Login(guarded.port, ROOT), Login(guarded.port, role)
    last = {"node": "herdlink/n9/cmd/GetNode", "homeassistant": "herdlink/n9/status"}.get(role, "herdlink/n9/status")
    try:
        for topic in ALL:
            judge.send(topic)
        judge.send(last)
        assert login.all_heard(last) == set(MAY_READ[role])
    finally:
        judge.close()
        login.close()


def test_the_shipped_list_is_what_the_command_writes() -> None:
    assert SHIPPED.read_text() == herdlink("topics", "--acl").stdout


def test_another_base_and_one_node_alone() -> None:
    text = herdlink("topics", "--acl", "--base", "farm7/herdlink", "--node", "barn").stdout
    assert text == access_list(Topics("farm7/herdlink", "barn"), prefix="homeassistant")
    assert "herdlink/+" not in text
    assert "topic write farm7/herdlink/barn/stream/+/summary\n" in text


def test_every_topic_of_an_entity_may_be_used() -> None:
    home = stream_device(Home(Topics("herdlink", "n1")), CAMERA)
    rules = access_list(Topics("herdlink", "+"), prefix="homeassistant").split("user homeassistant\n")[1]
    for announcement in (home,):
        for component in announcement["components"].values():
            for key, verb in (("state_topic", "read"), ("image_topic", "read"), ("command_topic", "write")):
                if key in component:
                    topic = component[key].replace("/n1/", "/+/").replace("/cam-1/", "/+/")
                    assert f"topic {verb} {topic}\n" in rules


def test_a_whole_node_works_with_these_logins(guarded: Mosquitto, tmp_path: Path) -> None:
    """The bridge as node, an operator who commands, a viewer who asks, Home Assistant that reads and presses."""
    agent = AgentProcess(tmp_path).start()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "mqtt-password").write_text(CANARY)
    bridge = BridgeProcess(tmp_path, port=guarded.port, target=f"unix:{agent.socket}", mqtt='username = "node"').start()
    users = {role: User(guarded.port, login=f"{role}:{CANARY}", topics="#") for role in ROLES[1:]}
    try:
        operator, viewer, home = users.values()
        operator.find_on("status", "online")
        assert operator.ask("SetInput", {"uri": HERD})["ok"]
        assert operator.ask("Compute", {"wait": True}, timeout_s=60)["ok"]
        assert viewer.ask("ListRecords", {})["data"]["records"]
        viewer.send("DeleteStream", {"stream": "main"})
        home.find(lambda m: m.topic == DISCOVERY and m.payload)
        home.find_on("stream/main/summary", '"count"')
        components = json.loads(home.find(lambda m: m.topic == DISCOVERY and m.payload).payload)["components"]
        home.client.publish(components["analysis"]["command_topic"], components["analysis"]["payload_off"], qos=1)
        home.find_on("stream/main/state", '"enabled":false')
        home.client.publish(DISCOVERY, b"", qos=1, retain=True)
        home.find(lambda m: m.topic == DISCOVERY and not m.payload)
        # The viewer's DeleteStream was not carried out.
        assert operator.ask("GetInput", {})["data"]["uri"] == HERD
        assert "refuse" not in bridge.log()
        assert "does not let" not in bridge.log()
        found = herdlink("doctor", "--json", "--config", str(tmp_path))
        told = {one["check"]: one["level"] for one in json.loads(found.stdout)["findings"]}
        assert {told[check] for check in ("broker", "round trip", "topics", "bridge")} == {"OK"}
    finally:
        for user in users.values():
            user.close()
        assert bridge.end() == 0
        agent.stop()
