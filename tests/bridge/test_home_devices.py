"""The bridge announces node and streams to Home Assistant: real broker, agent and bridge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from mosquitto_process import Mosquitto

HERD = "synthetic:herd?animals=3&fps=10&seconds=25&seed=3&width=320&height=240"


class Farm:
    """A node, and a Home Assistant that reads its announcements."""

    def __init__(self, folder: Path, broker: Mosquitto, *, version: int = 5, more: str = "") -> None:
        self.broker = broker
        self.agent = AgentProcess(folder).start()
        target = f"unix:{self.agent.socket}"
        self.bridge = BridgeProcess(folder, port=broker.port, target=target, version=version, more=more).start()
        self.user = User(broker.port, version=version, topics="#")

    def device(self, name: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """An announcement that is as wanted."""

        def fits(message: Any) -> bool:
            return bool(
                message.topic == f"homeassistant/device/{name}/config"
                and message.payload
                and wanted(json.loads(message.payload))
            )

        found: dict[str, Any] = json.loads(self.user.find(fits).payload)
        return found

    def close(self) -> None:
        self.user.close()
        self.bridge.end()
        self.agent.stop()


@pytest.fixture
def farm(tmp_path: Path, own_mosquitto: Mosquitto) -> Iterator[Farm]:
    whole = Farm(tmp_path, own_mosquitto)
    yield whole
    whole.close()


@pytest.mark.parametrize("version", [5, 311])
def test_a_newcomer_finds_node_and_streams(tmp_path: Path, own_mosquitto: Mosquitto, version: int) -> None:
    farm = Farm(tmp_path, own_mosquitto, version=version, more='[homeassistant]\nlanguage = "ko"')
    try:
        assert farm.device("herdlink_n1")["device"]["name"] == "n1"
        stream = farm.device("herdlink_n1_main")
        assert stream["device"]["via_device"] == "herdlink_n1"
        assert stream["components"]["count"]["name"] == "마릿수"
        late = User(own_mosquitto.port, version=version, topics="homeassistant/#")
        assert late.find(lambda m: m.topic == "homeassistant/device/herdlink_n1_main/config").retain
        late.close()
    finally:
        farm.close()


def test_what_the_entities_command_is_done(farm: Farm) -> None:
    """The payloads that Home Assistant would send are taken, and the state that it reads follows."""
    parts = farm.device("herdlink_n1_main")["components"]

    def press(key: str, payload: str) -> None:
        farm.user.client.publish(parts[key]["command_topic"], payload, qos=1)

    press("input", parts["input"]["command_template"].replace("{{ value | to_json }}", json.dumps(HERD)))
    press("known_count", parts["known_count"]["command_template"].replace("{{ value | int }}", "4"))
    farm.user.find_on("stream/main/state", '"knownCount":4')
    press("compute", parts["compute"]["payload_press"])
    farm.user.find_on("stream/main/state", "JOB_STATE_DONE", timeout_s=60)
    press("snapshot", parts["snapshot"]["payload_press"])
    farm.user.find_on("reply/GetSnapshot", '"ok":true')
    press("analysis", parts["analysis"]["payload_off"])
    state = json.loads(farm.user.find_on("stream/main/state", '"enabled":false').payload)
    assert (state["input"], state["knownCount"], state["state"]) == (HERD, 4, "JOB_STATE_DONE")


def test_streams_come_and_go(farm: Farm) -> None:
    farm.device("herdlink_n1_main")
    farm.user.ask("SetStream", {"stream": "pen", "input": HERD, "name": "Pen 3", "area": "Barn A"})
    pen = farm.device("herdlink_n1_pen")
    assert (pen["device"]["name"], pen["device"]["suggested_area"]) == ("Pen 3", "Barn A")
    assert "progress" in pen["components"]
    farm.user.ask("SetInput", {"stream": "pen", "uri": HERD.replace("seconds=25", "seconds=0")})
    camera = farm.device("herdlink_n1_pen", lambda device: device["device"]["model"] == "camera")
    assert camera["components"]["progress"] == {"platform": "sensor"}
    farm.user.ask("DeleteStream", {"stream": "pen"})
    farm.user.find(lambda m: m.topic == "homeassistant/device/herdlink_n1_pen/config" and not m.payload)


def test_zones_and_lines_have_entities_as_long_as_they_exist(farm: Farm) -> None:
    """Also where no job runs."""
    farm.device("herdlink_n1_main")
    corners = [{"x": 0.1, "y": 0.1}, {"x": 0.9, "y": 0.1}, {"x": 0.9, "y": 0.9}]
    gate = {"name": "gate", "start": corners[0], "end": corners[2], "inside": corners[1]}
    scene = {"zones": [{"name": "feeder", "polygon": corners}], "lines": [gate]}
    farm.user.ask("SetScene", scene)
    parts = farm.device("herdlink_n1_main", lambda device: "zone_feeder_count" in device["components"])["components"]
    assert {"zone_feeder_time", "zone_feeder_visits", "line_gate_entered", "line_gate_left"} <= set(parts)
    assert parts["distance"]["enabled_by_default"] is False
    ground = {"points": [*corners, {"x": 0.1, "y": 0.9}], "widthM": 6, "lengthM": 4}
    farm.user.ask("SetScene", {"lines": [gate], "ground": ground})
    removed = {"platform": "sensor"}
    device = farm.device("herdlink_n1_main", lambda one: one["components"].get("zone_feeder_count") == removed)
    parts = device["components"]
    assert parts["line_gate_left"]["state_class"] == "total_increasing"
    assert "enabled_by_default" not in parts["distance"]


def test_what_went_while_the_bridge_was_away_is_taken_back(farm: Farm) -> None:
    farm.device("herdlink_n1_main")
    farm.user.ask("SetInput", {"stream": "pen", "uri": HERD})
    pen = farm.device("herdlink_n1_pen")
    farm.bridge.end()
    pen["components"]["zone_old_count"] = dict(pen["components"]["count"])
    gone = json.loads(json.dumps(pen).replace("herdlink_n1_pen", "herdlink_n1_gone"))
    for name, config in (("herdlink_n1_pen", pen), ("herdlink_n1_gone", gone)):
        farm.user.client.publish(f"homeassistant/device/{name}/config", json.dumps(config), qos=1, retain=True)
    other = json.dumps({"availability": [{"topic": "zigbee/state"}], "components": {"a": {"platform": "sensor"}}})
    farm.user.client.publish("homeassistant/device/other/config", other, qos=1, retain=True)
    farm.user.find(lambda m: m.topic == "homeassistant/device/other/config")
    farm.user.forget()
    farm.bridge.start()
    after = farm.device("herdlink_n1_pen", lambda device: "zone_old_count" in device["components"])
    assert after["components"]["zone_old_count"] == {"platform": "sensor"}
    farm.user.find(lambda m: m.topic == "homeassistant/device/herdlink_n1_gone/config" and not m.payload)
    assert not [m for m in farm.user.kept if m.topic == "homeassistant/device/other/config"]


def test_home_assistant_that_starts_is_told_again_within_ten_seconds(farm: Farm) -> None:
    farm.device("herdlink_n1_main")
    farm.user.forget()
    begin = time.monotonic()
    farm.user.client.publish("homeassistant/status", "online")
    farm.device("herdlink_n1_main")
    assert time.monotonic() - begin < 20


def test_a_broker_that_forgets_is_told_again(farm: Farm) -> None:
    before = farm.device("herdlink_n1_main")
    farm.broker.kill()
    farm.user.forget()
    farm.broker.start()
    assert farm.device("herdlink_n1_main") == before


def test_switched_off_it_announces_nothing(tmp_path: Path, own_mosquitto: Mosquitto) -> None:
    farm = Farm(tmp_path, own_mosquitto, more="[homeassistant]\nenabled = false")
    try:
        farm.user.find_on("stream/main/state")
        farm.user.ask("SetInput", {"uri": HERD})
        assert not [m for m in farm.user.kept if m.topic.startswith("homeassistant/")]
    finally:
        farm.close()
