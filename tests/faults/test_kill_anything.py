"""Broker, agent and bridge are killed at random; no record is lost, and each command has one effect.

Half a minute in all here; `make test-faults` takes ten minutes.
"""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess
from mosquitto_process import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion
from subscriber import Subscriber

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import record_pb2

SECONDS = float(os.environ.get("HERDLINK_FAULT_SECONDS", "24"))
ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=160&height=120"
FILM = "synthetic:herd?animals=3&fps=10&seconds=2&seed=1&width=160&height=120"
COMMANDS = 20
BASE = "herdlink/n1"
REPLIES = "herdlink/client/faults"


class Farm:
    """Broker, agent and bridge, which can be killed one by one."""

    def __init__(self, folder: Path, *, persistence: bool) -> None:
        kept = f"persistence true\npersistence_location {folder}/\nautosave_interval 5\n" if persistence else ""
        # As root mosquitto would become another user, who may not write there.
        self.broker = Mosquitto(folder, more=f"{kept}user root\n").start()
        self.agent = AgentProcess(folder).start()
        self.bridge = BridgeProcess(folder, port=self.broker.port, target=f"unix:{self.agent.socket}").start()

    def kill(self, part: str, pause_s: float) -> None:
        if part == "bridge":
            self.bridge.end(signal.SIGKILL)
            time.sleep(pause_s)
            self.bridge.start()
        else:
            one = self.broker if part == "broker" else self.agent
            one.kill()
            time.sleep(pause_s)
            one.start()

    def close(self) -> None:
        self.bridge.end()
        self.agent.stop()
        self.broker.stop()


class Caller:
    """Sends each command again, under its requestId, until it is answered."""

    def __init__(self, port: int) -> None:
        self.done: set[int] = set()
        self.sent = 0
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(REPLIES, qos=1)
        self._client.on_message = lambda _c, _u, message: self._answers.put(json.loads(message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def call(self, number: int) -> None:
        command = {"stream": f"c{number}", "requestId": f"r{number}", "id": number, "replyTo": REPLIES}
        if self._client.is_connected():
            self._client.publish(f"{BASE}/cmd/Compute", json.dumps(command), qos=1)
            self.sent += 1

    def listen(self) -> None:
        while not self._answers.empty():
            answer = self._answers.get()
            if answer["ok"]:
                self.done.add(int(answer["id"]))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.timeout(SECONDS + 150)
@pytest.mark.parametrize("persistence", [True, False], ids=["persistence", "memory"])
def test_nothing_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, persistence: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(7)
    farm = Farm(tmp_path, persistence=persistence)
    target = f"unix:{farm.agent.socket}"
    for number in range(COMMANDS):
        farm.agent.edge.SetInput(pb.SetInputRequest(stream=f"c{number}", uri=FILM))
    farm.agent.edge.SetStream(pb.SetStreamRequest(input=ENDLESS, summary_period_s=0.2))
    summaries = Subscriber(farm.broker.port, target, f"{BASE}/stream/main/summaries", record_pb2.RECORD_KIND_SUMMARY)
    events = Subscriber(farm.broker.port, target, f"{BASE}/stream/main/events", record_pb2.RECORD_KIND_EVENT)
    caller = Caller(farm.broker.port)
    kills: list[str] = []
    try:
        farm.agent.edge.Compute(pb.ComputeRequest())
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            for number in dice.sample(range(COMMANDS), 5):
                caller.call(number)
            time.sleep(dice.uniform(1.0, 3.0))
            kills.append(dice.choice(["broker", "agent", "bridge"]))
            farm.kill(kills[-1], dice.uniform(0.0, 1.0))
            caller.listen()
        until_all_answered(caller)
        farm.agent.edge.CancelJob(pb.CancelJobRequest())
        for reader, kind in ((summaries, record_pb2.RECORD_KIND_SUMMARY), (events, record_pb2.RECORD_KIND_EVENT)):
            check_complete(farm.agent, reader, kind)
        jobs = [len(farm.agent.edge.ListJobs(pb.ListJobsRequest(stream=f"c{n}")).jobs) for n in range(COMMANDS)]
        assert jobs == [1] * COMMANDS
        with capsys.disabled():
            print(f"\n{len(kills)} kills, {caller.sent} commands sent for {COMMANDS} effects")
            for reader, what in ((summaries, "summaries"), (events, "events")):
                print(f"{len(reader.kept)} {what}: {dict(reader.ways)}")
    finally:
        caller.close()
        summaries.close()
        events.close()
        farm.close()


def until_all_answered(caller: Caller) -> None:
    deadline = time.monotonic() + 60
    while len(caller.done) < COMMANDS:
        assert time.monotonic() < deadline, f"no answer to {set(range(COMMANDS)) - caller.done}"
        for number in set(range(COMMANDS)) - caller.done:
            caller.call(number)
        for _ in range(20):
            time.sleep(0.1)
            caller.listen()


def check_complete(agent: AgentProcess, reader: Subscriber, kind: record_pb2.RecordKind) -> None:
    """The reader comes to have what the node has, each once and in order."""
    deadline = time.monotonic() + 60
    while True:
        newest = agent.record.ListRecords(record_pb2.ListRecordsRequest(kind=kind, limit=1)).newest
        if reader.last == newest:
            break
        assert time.monotonic() < deadline, f"{reader.last} of {newest}: {reader.ways}"
        time.sleep(0.2)
    assert [record["sequence"] for record in reader.kept] == list(range(1, newest + 1))
    assert len({record["journal"] for record in reader.kept}) == 1
