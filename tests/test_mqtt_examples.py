"""docs/examples: subscribers that repair their gaps, against a broker that loses messages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from mosquitto_process import Mosquitto

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"
TOPIC = "herdlink/n1/stream/main/summaries"


class Reader:
    """subscribe.py as a process."""

    def __init__(self, folder: Path, port: int) -> None:
        self.lines = folder / "records.jsonl"
        self._command = [
            sys.executable, str(EXAMPLES / "subscribe.py"), "--node", "n1", "--port", str(port),
            "--place", str(folder / "place.json"),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.lines.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines.read_text().splitlines()] if self.lines.exists() else []

    def await_sequence(self, sequence: int, timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        while not (found := self.records()) or found[-1]["sequence"] < sequence:
            assert time.monotonic() < deadline, [record["sequence"] for record in found]
            time.sleep(0.1)


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Mosquitto]:
    """Keeps nothing when it is killed, and three messages for who is away."""
    broker = Mosquitto(tmp_path, more="persistence false\nmax_queued_messages 3\nmax_inflight_messages 2").start()
    yield broker
    broker.stop()


def test_nothing_is_missing_and_nothing_comes_twice(forgetful: Mosquitto, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path).start()
    bridge = BridgeProcess(tmp_path, port=forgetful.port, target=f"unix:{agent.socket}").start()
    user = User(forgetful.port)
    reader = Reader(tmp_path, forgetful.port)
    try:
        user.find_on("status", "online")
        user.ask("SetStream", {"input": ENDLESS, "summaryPeriodS": 0.5})
        user.ask("Compute", {})
        user.find_on("stream/main/summaries", '"sequence":3,')
        reader.start()
        reader.await_sequence(6)
        for _ in range(2):
            forgetful.kill()
            time.sleep(2)
            forgetful.start()
            reader.await_sequence(reader.records()[-1]["sequence"] + 4)
        reader.kill()
        user.find_on("stream/main/summaries", f'"sequence":{reader.records()[-1]["sequence"] + 12},')
        reader.start()
        reader.await_sequence(reader.records()[-1]["sequence"] + 4)
        user.ask("CancelJob", {}, timeout_s=60)
        newest = user.ask("ListRecords", {"limit": 1})["data"]["newest"]
        reader.await_sequence(newest)
        assert [record["sequence"] for record in reader.records()] == list(range(1, newest + 1))
        assert len({record["journal"] for record in reader.records()}) == 1
    finally:
        reader.kill()
        user.close()
        bridge.end()
        agent.stop()


# -- Node-RED ---------------------------------------------------------------------------------------------------------

_AS_NODE_RED = """
const [file] = process.argv.slice(1);
const body = new Function("msg", "context", require("fs").readFileSync(file, "utf8"));
const kept = new Map();
const context = { get: (key) => kept.get(key), set: (key, value) => kept.set(key, value) };
const said = JSON.parse(require("fs").readFileSync(0, "utf8")).map((msg) => body(msg, context));
console.log(JSON.stringify(said));
"""


def node_red(messages: list[dict[str, Any]]) -> list[list[list[dict[str, Any]]]]:
    """(records, questions) for each message, as Node-RED would run the function."""
    if shutil.which("node") is None:
        pytest.fail("node is missing: apt-get install nodejs")
    done = subprocess.run(
        ["node", "-e", _AS_NODE_RED, str(EXAMPLES / "complete.js")],
        input=json.dumps(messages), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    said: list[list[list[dict[str, Any]]]] = json.loads(done.stdout)
    return said


def heard(sequence: int, journal: str = "aaaa") -> dict[str, Any]:
    return {"topic": TOPIC, "payload": {"journal": journal, "sequence": sequence}}


def listed(*records: dict[str, Any], newest: int, journal: str = "aaaa") -> dict[str, Any]:
    data = {"records": list(records), "newest": newest, "journal": journal}
    answer = {"ok": True, "id": "herdlink|n1|main", "data": data}
    return {"topic": "herdlink/client/node-red", "payload": answer}


def summary(sequence: int, journal: str = "aaaa") -> dict[str, Any]:
    return {"summary": {"journal": journal, "sequence": sequence}}


def shown(said: list[list[list[dict[str, Any]]]]) -> list[Any]:
    payloads = [record["payload"] for records, _ in said for record in records]
    return [payload["gap"] if "gap" in payload else payload["sequence"] for payload in payloads]


def test_the_function_repairs_gaps_and_drops_repeats() -> None:
    said = node_red([
        heard(3),
        listed(newest=4),
        listed({"gap": {"first": 1, "last": 1}}, summary(2), summary(3), summary(4), newest=4),
        heard(4),
        heard(5),
        heard(8),
        heard(9),
        listed(summary(6), summary(7), summary(8), newest=9),
        listed(summary(9), newest=9),
        heard(9),
        {"topic": TOPIC, "payload": {"gap": {"first": 1, "last": 2}}},
        {"topic": "herdlink/client/node-red", "payload": {"ok": False, "id": "herdlink|n1|main", "error": {}}},
    ])  # fmt: skip
    assert shown(said) == [{"first": 1, "last": 1}, 2, 3, 4, 5, 6, 7, 8, 9]
    asked = [json.loads(question["payload"])["afterSequence"] for _, questions in said for question in questions]
    assert asked == [0, 0, 5, 8]
    first = said[0][1][0]
    assert first["topic"] == "herdlink/n1/cmd/ListRecords"
    assert json.loads(first["payload"])["replyTo"] == "herdlink/client/node-red"


def test_the_function_begins_anew_with_a_new_journal() -> None:
    said = node_red([
        heard(1), listed(newest=1), listed(summary(1), newest=1), heard(1, "bbbb"), listed(newest=1, journal="bbbb"),
        listed(summary(1, "bbbb"), newest=1, journal="bbbb"), heard(2, "bbbb"),
    ])  # fmt: skip
    assert shown(said) == [1, 1, 2]


def test_the_flow_holds_the_function() -> None:
    flow = json.loads((EXAMPLES / "node-red.json").read_text())
    function = next(part for part in flow if part["type"] == "function")
    assert function["func"] == (EXAMPLES / "complete.js").read_text()
    known = {part["id"] for part in flow}
    assert {target for part in flow for wires in part.get("wires", []) for target in wires} <= known
