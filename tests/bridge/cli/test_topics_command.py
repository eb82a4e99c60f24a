"""herdlink topics: what it shows is what the bridge does, and what the contract says."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from agent_process import AgentProcess
from herdlink_command import herdlink
from mosquitto_process import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion

from bridge.cli._contract import comments
from bridge.core.commands import callable_methods, default_allow, unary_methods
from bridge.core.topics import Topics

NOT_HERE = ("/n1/event", "/n1/events")
"""Topics that this job brings nothing on."""
HERD = "synthetic:herd?animals=3&fps=10&seconds=25&seed=3&width=320&height=240"


def test_every_command_stands_there_with_its_fields() -> None:
    shown = herdlink("topics", "--base", "farm7/herdlink", "--node", "barn").stdout
    for name in default_allow():
        assert f"\nfarm7/herdlink/barn/cmd/{name}\n" in shown
        block = shown.split(f"/cmd/{name}\n", 1)[1].split("\n\n", 1)[0]
        for field in callable_methods()[name].input_type.fields:
            if field.name != "request_id":
                assert re.search(rf"^  {field.json_name} ", block, re.MULTILINE), (name, field.json_name)
    assert "/cmd/AckRecords" not in shown
    assert max(map(len, shown.partition("Commands")[2].splitlines())) <= 120


def test_the_contracts_comments_are_shown() -> None:
    found = comments()
    assert found["SetInput"].startswith("Sets the input of a stream")
    assert found["ListRecordsRequest.limit"] == "At most so many, 1..1000; 0 means 100."
    # A oneof's field is its message's, and comments do not run on into the next field.
    assert found["WatchRecordsRequest.consumer"].startswith("Go on after the place")
    assert "SetInputRequest.request_id" not in found
    assert all(found.get(name) for name in unary_methods())


def test_wrong_words_are_wrong_use() -> None:
    assert "--node takes" in herdlink("topics", "--node", "a b", status=2).stderr
    assert "--base takes" in herdlink("topics", "--base", "a/#", status=2).stderr


def test_the_bridge_does_what_the_map_says(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Every topic that a job brings is in the map, retained as it says; and every topic of the map is brought."""
    agent = AgentProcess(tmp_path).start()
    config = tmp_path / "bridge.toml"
    config.write_text(f'[[agents]]\nnode = "n1"\ntarget = "unix:{agent.socket}"\n[mqtt]\nport = {own_mosquitto.port}\n')
    seen: dict[str, bool] = {}
    first = listener(own_mosquitto.port, seen)
    bridge = subprocess.Popen([sys.executable, "-m", "bridge", "--config", str(config)])
    try:
        deadline = time.monotonic() + 40
        while "herdlink/n1/status" not in seen:
            assert time.monotonic() < deadline, "the bridge does not come"
            time.sleep(0.1)
        agent.compute(HERD)
        first.publish("herdlink/n1/cmd/GetInput", json.dumps({}), qos=1)
        rows = Topics("herdlink", "n1").rows(stream="main", method="GetInput")
        promised = {row.topic: row for row in rows if row.direction == "out" and not row.topic.endswith(NOT_HERE)}
        deadline = time.monotonic() + 40
        while set(seen) - {"herdlink/n1/cmd/GetInput"} != set(promised):
            assert time.monotonic() < deadline, set(promised) ^ set(seen)
            time.sleep(0.1)
        kept: dict[str, bool] = {}
        second = listener(own_mosquitto.port, kept)
        wanted = {topic for topic, row in promised.items() if row.retained == "yes"}
        deadline = time.monotonic() + 20
        while wanted - set(kept) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        close(second)
        assert {topic for topic, retained in kept.items() if retained} == wanted
    finally:
        close(first)
        bridge.terminate()
        assert bridge.wait(20) == 0
        agent.stop()


def listener(port: int, seen: dict[str, bool]) -> mqtt.Client:
    """Keeps each topic below the base, and whether a message of it came as a retained one."""

    def take(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        seen[message.topic] = seen.get(message.topic, False) or message.retain

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = take
    client.on_connect = lambda client, *_: client.subscribe("herdlink/#", qos=1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def close(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()
