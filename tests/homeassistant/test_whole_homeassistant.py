"""A real Home Assistant beside a real broker, agent and bridge: finds the devices, shows numbers, drives a stream."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from mosquitto_process import Mosquitto, free_port

PYTHON = os.environ.get("HERDLINK_HOMEASSISTANT", "")
HERD = "synthetic:herd?animals=5&fps=5&seconds=0&seed=1&width=320&height=240"
OTHER = "synthetic:herd?animals=3&fps=5&seconds=0&seed=2&width=320&height=240"

pytestmark = pytest.mark.skipif(not PYTHON, reason="make test-homeassistant")


class House:
    """house.py as a process."""

    def __init__(self, folder: Path, port: int) -> None:
        self._file = folder / "states.json"
        self._log = folder / "home.log"
        words = [PYTHON, str(Path(__file__).parent / "house.py"), str(folder), str(port), str(free_port())]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)

    def call(self, domain: str, service: str, **data: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([domain, service, data]) + "\n")
        self._process.stdin.flush()

    def wait(self, wanted: Callable[[dict[str, str], list[str]], bool], timeout_s: float = 60) -> dict[str, str]:
        """The states once they, and the devices' names, are as wanted."""
        deadline = time.monotonic() + timeout_s
        told: dict[str, Any] = {"states": {}, "devices": []}
        while not (self._file.exists() and wanted(*(told := json.loads(self._file.read_text())).values())):
            assert time.monotonic() < deadline, f"{told} {self.log()[-2000:]}"
            assert self._process.poll() is None, self.log()
            time.sleep(0.2)
        states: dict[str, str] = told["states"]
        return states

    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self._process.communicate(timeout=30)


@pytest.fixture
def house(tmp_path: Path, own_mosquitto: Mosquitto) -> Iterator[House]:
    (tmp_path / "home").mkdir()
    whole = House(tmp_path / "home", own_mosquitto.port)
    yield whole
    whole.close()


def test_it_finds_shows_and_drives(house: House, own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path).start()
    bridge = BridgeProcess(tmp_path, port=own_mosquitto.port, target=f"unix:{agent.socket}").start()
    user = User(own_mosquitto.port)
    try:
        user.find_on("status", "online")
        user.ask("SetStream", {"stream": "pen3", "name": "Pen 3", "input": HERD, "summaryPeriodS": 2, "enabled": True})
        house.wait(lambda states, devices: "Pen 3" in devices and states.get("text.pen_3_input") == HERD)
        house.wait(lambda states, _: states["binary_sensor.n1_agent"] == "on")
        user.ask("Compute", {"stream": "pen3"})
        house.wait(lambda states, _: states.get("sensor.pen_3_animals") == "5")
        house.call("number", "set_value", entity_id="number.pen_3_expected_animals", value=7)
        house.wait(lambda states, _: states["binary_sensor.pen_3_count_off"] == "on")
        house.call("switch", "turn_off", entity_id="switch.pen_3_analysis")
        house.wait(lambda states, _: states["sensor.pen_3_animals"] == "unavailable")
        house.call("text", "set_value", entity_id="text.pen_3_input", value=OTHER)
        house.wait(lambda states, _: states["text.pen_3_input"] == OTHER)
        house.call("switch", "turn_on", entity_id="switch.pen_3_analysis")
        house.wait(lambda states, _: states["sensor.pen_3_animals"] == "3")
        house.wait(lambda states, _: states["image.pen_3_picture"] not in ("unknown", "unavailable"))
        user.ask("DeleteStream", {"stream": "pen3"})
        house.wait(lambda states, devices: "Pen 3" not in devices and "sensor.pen_3_animals" not in states)
        assert "ERROR" not in house.log()
        bridge.kill()
        house.wait(lambda states, _: states["binary_sensor.n1_agent"] == "off")
    finally:
        user.close()
        bridge.end()
        agent.stop()
