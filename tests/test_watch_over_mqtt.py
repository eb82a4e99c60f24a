"""WatchTracks over MQTT: real broker, agent and bridge."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from mosquitto_process import Mosquitto

ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"


class Node:
    """A camera that runs, and one user."""

    def __init__(self, folder: Path, broker: Mosquitto, version: int) -> None:
        self.agent = AgentProcess(folder).start()
        target = f"unix:{self.agent.socket}"
        self.bridge = BridgeProcess(folder, port=broker.port, target=target, version=version).start()
        self.user = User(broker.port, version=version)
        self.user.find_on("status", "online")
        assert self.user.ask("SetStream", {"input": ENDLESS})["ok"]
        assert self.user.ask("Compute", {})["ok"]
        self.user.find_on("stream/main/state", "JOB_STATE_RUNNING")

    def watch(self, id_: str, request: dict[str, Any]) -> None:
        self.user.send("WatchTracks", {"replyTo": "herdlink/client/w", "id": id_, **request})

    def until_end(self, id_: str, timeout_s: float = 30) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The items and the last word of one watch."""

        def last(message: Any) -> bool:
            if message.topic != "herdlink/client/w":
                return False
            values = json.loads(message.payload)
            return values.get("id") == id_ and "item" not in values

        end: dict[str, Any] = json.loads(self.user.find(last, timeout_s).payload)
        heard = [json.loads(m.payload) for m in self.user.kept if m.topic == "herdlink/client/w"]
        return [values for values in heard if values.get("id") == id_ and "item" in values], end


@pytest.fixture
def node(request: pytest.FixtureRequest, tmp_path: Path, own_mosquitto: Mosquitto) -> Iterator[Node]:
    whole = Node(tmp_path, own_mosquitto, getattr(request, "param", 5))
    yield whole
    whole.user.close()
    assert whole.bridge.end() == 0
    whole.agent.stop()


@pytest.mark.parametrize("node", [5, 311], indirect=True)
def test_items_are_numbered_bounded_and_ended(node: Node) -> None:
    begin = time.monotonic()
    node.watch("a", {"maxPerS": 4, "forS": 3})
    items, end = node.until_end("a")
    assert 2.9 < time.monotonic() - begin < 20
    assert end == {"node": "n1", "id": "a", "ok": True, "end": "TIME", "items": len(items)}
    assert 3 <= len(items) <= 13
    assert [item["item"] for item in items] == list(range(1, len(items) + 1))
    assert sum(item["skipped"] for item in items) > 0
    assert {"frame", "tracks", "width"} <= set(items[0]["data"])
    frames = [item["data"]["frame"] for item in items]
    assert frames == sorted(set(frames))


def test_at_most_four_at_a_time_and_no_command_waits(node: Node) -> None:
    for number in range(5):
        node.watch(f"w{number}", {"forS": 15})
    _, refused = node.until_end("w4", 12)
    assert refused["error"]["reason"] == "TOO_MANY_WATCHES"
    begin = time.monotonic()
    for _ in range(3):
        assert node.user.ask("SetStream", {"name": "pen"})["ok"]
    assert time.monotonic() - begin < 10
    assert [node.until_end(f"w{number}")[1]["end"] for number in range(4)] == ["TIME"] * 4
    node.watch("again", {"forS": 0.5})
    assert node.until_end("again")[1]["end"] == "TIME"


def test_the_agents_end_ends_it(node: Node) -> None:
    node.watch("a", {"forS": 60})
    node.user.find(lambda m: m.topic == "herdlink/client/w" and b'"item":1' in m.payload)
    node.agent.kill()
    items, end = node.until_end("a")
    assert (end["ok"], end["end"], end["items"]) == (False, "ERROR", len(items))
    assert end["error"]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"forS": 0}, "forS is a number from 0.01 to 300"),
        ({"maxPerS": 100}, "maxPerS is a number from 0.01 to 10"),
        ({"maxPerS": "2"}, "maxPerS"),
        ({"stream": "nosuch"}, "nosuch"),
        ({"forSeconds": 2}, "WatchTracks has no field"),
    ],
)
def test_wrong_wishes_are_refused(node: Node, request_: dict[str, Any], told: str) -> None:
    node.watch("a", request_)
    items, end = node.until_end("a")
    assert (items, end["ok"]) == ([], False)
    assert told in end["error"]["message"]
