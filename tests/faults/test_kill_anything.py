"""Broker, agent and bridge are killed at random and cables cut; no record is lost, and each command has one effect.

Half a minute in all here; `make test-faults` takes ten minutes and more, HERDLINK_FAULT_SECONDS=7200 two hours.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess
from caller import Caller
from mosquitto_process import Mosquitto
from proxy import Cable
from readers import KEEPALIVE_S, Reader

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import record_pb2

SECONDS = float(os.environ.get("HERDLINK_FAULT_SECONDS", "24"))
FULL = SECONDS >= 600
WANTED = {"broker": 20, "bridge": 10, "agent": 10, "cable": 6} if FULL else {"broker": 1, "bridge": 1, "agent": 1}
"""So many faults of each kind there are at least, however long it takes."""
COMMANDS, STREAMS = (200, 20) if FULL else (20, 5)
LONGEST_CUT_S = 12.0 if FULL else 1.0
LONGEST_PEACE_S = 5.0 if FULL else 2.0
ENDLESS = "synthetic:herd?animals=3&fps=20&seconds=0&seed=1&width=160&height=120"
PERIOD_S = 0.05
FILM = "synthetic:herd?animals=3&fps=10&seconds=1&seed=1&width=160&height=120"


class Farm:
    """Broker, agent and bridge, which can be killed one by one, and the cables to the broker."""

    def __init__(self, folder: Path, *, persistence: bool) -> None:
        kept = f"persistence true\npersistence_location {folder}/\nautosave_interval 5\n" if persistence else ""
        # As root mosquitto would become another user, who may not write there.
        self.broker = Mosquitto(folder, more=f"{kept}user root\n").start()
        self.agent = AgentProcess(folder).start()
        self.cables = Cable(self.broker.port), Cable(self.broker.port)
        self.bridge = BridgeProcess(
            folder,
            port=self.cables[0].port,
            target=f"unix:{self.agent.socket}",
            mqtt=f"keepalive_s = {KEEPALIVE_S}",
        ).start()

    @property
    def readers_port(self) -> int:
        return self.cables[1].port

    def harm(self, part: str, dice: random.Random) -> None:
        """One fault, and its end."""
        pause_s = dice.uniform(0.0, 1.0)
        if part == "bridge":
            self.bridge.end(signal.SIGKILL)
            time.sleep(pause_s)
            self.bridge.start()
        elif part == "cable":
            cable = dice.choice(self.cables)
            cable.cut()
            time.sleep(pause_s * LONGEST_CUT_S)
            cable.mend()
        else:
            one = self.broker if part == "broker" else self.agent
            one.kill()
            time.sleep(pause_s)
            one.start()

    def close(self) -> None:
        self.bridge.end()
        self.agent.stop()
        self.broker.stop()
        for cable in self.cables:
            cable.close()


@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.parametrize("persistence", [True, False], ids=["persistence", "memory"])
def test_nothing_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, persistence: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    farm = Farm(tmp_path, persistence=persistence)
    for number in range(STREAMS):
        farm.agent.edge.SetInput(pb.SetInputRequest(stream=f"c{number}", uri=FILM))
    farm.agent.edge.SetStream(pb.SetStreamRequest(input=ENDLESS, summary_period_s=PERIOD_S))
    readers = {kind: Reader(farm.readers_port, tmp_path, kind) for kind in ("summaries", "events")}
    caller = Caller(farm.broker.port, STREAMS)
    try:
        farm.agent.edge.Compute(pb.ComputeRequest())
        began = time.monotonic()
        harm = do_harm(farm, caller, SECONDS / 2)
        lasted_s = time.monotonic() - began
        until_all_answered(caller)
        farm.agent.edge.CancelJob(pb.CancelJobRequest())
        for kind, reader in readers.items():
            check_complete(farm.agent, reader, record_pb2.RecordKind.Value(f"RECORD_KIND_{KINDS[kind]}"))
        check_effects(farm.agent, caller)
        for log in (farm.bridge.log(), farm.agent.log()):
            assert "Traceback" not in log
        with capsys.disabled():
            print(f"\n{'with' if persistence else 'without'} persistence, {lasted_s:.0f} s: {dict(harm)}")
            for kind, reader in readers.items():
                print(f"{len(reader.kept)} {kind}: {dict(sorted(reader.ways.items()))}")
            print(f"{COMMANDS} commands sent {caller.sent} times, {caller.answers} successful answers")
            print(f"  refused meanwhile: {sorted(caller.reasons)}")
    finally:
        caller.close()
        for reader in readers.values():
            reader.close()
        farm.close()


KINDS = {"summaries": "SUMMARY", "events": "EVENT"}


def do_harm(farm: Farm, caller: Caller, seconds: float) -> Counter[str]:
    """Faults at random, and commands under them, for so long and until there were enough of each kind."""
    dice = random.Random(7)
    harm: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end or any(harm[part] < number for part, number in WANTED.items()):
        waiting = [number for number in range(COMMANDS) if number not in caller.done]
        for number in dice.sample(waiting, min(8, len(waiting))) + dice.sample(range(COMMANDS), 2):
            caller.call(number)
        time.sleep(dice.uniform(0.5, LONGEST_PEACE_S))
        part = dice.choices(["broker", "bridge", "agent", "cable"], [4, 2, 2, 1.5])[0]
        farm.harm(part, dice)
        harm[part] += 1
        caller.listen()
    return harm


def until_all_answered(caller: Caller) -> None:
    deadline = time.monotonic() + 120
    while waiting := [number for number in range(COMMANDS) if number not in caller.done]:
        assert time.monotonic() < deadline, f"no answer to {waiting}; refused: {caller.reasons}"
        for number in waiting[:STREAMS]:
            caller.call(number)
        for _ in range(20):
            time.sleep(0.1)
            caller.listen()


def check_complete(agent: AgentProcess, reader: Reader, kind: record_pb2.RecordKind) -> None:
    """The reader comes to have what the node has, each once and in order."""
    deadline = time.monotonic() + 60
    while True:
        newest = agent.record.ListRecords(record_pb2.ListRecordsRequest(kind=kind, limit=1)).newest
        if reader.last == newest:
            break
        assert time.monotonic() < deadline, f"{reader.last} of {newest}: {reader.ways}"
        assert not reader.broken, reader.broken
        time.sleep(0.2)
    assert [record["sequence"] for record in reader.kept] == list(range(1, newest + 1))
    assert len({record["journal"] for record in reader.kept}) == 1
    assert not reader.broken, reader.broken


def check_effects(agent: AgentProcess, caller: Caller) -> None:
    """One job a command, and the same answer however often it was asked for."""
    for number in range(COMMANDS):
        caller.call(number)
    time.sleep(3)
    caller.listen()
    assert caller.unequal == []
    assert caller.answers > COMMANDS
    answered = sorted(str(answer["data"]["job"]["jobId"]) for answer in caller.done.values())
    requests = [pb.ListJobsRequest(stream=f"c{number}", limit=1000) for number in range(STREAMS)]
    there = sorted(job.job_id for request in requests for job in agent.edge.ListJobs(request).jobs)
    assert len(there) == COMMANDS
    assert answered == there
