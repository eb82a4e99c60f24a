"""A record that the broker refuses (MQTT 5) is not lost: its log waits at it, and it is tried again."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from bridge_process import User
from mosquitto_process import Mosquitto

from bridge import records
from bridge.agents import AgentLink
from bridge.app import serve
from bridge.core import publications
from bridge.core.topics import Topics
from bridge.settings import AgentSettings, BridgeSettings, MqttSettings
from herdlink.v1 import edge_pb2

HERD = "synthetic:herd?animals=3&fps=10&seconds=60&seed=1&width=160&height=120"
SUMMARIES = "herdlink/n1/stream/main/summaries"
WITHOUT = f"topic readwrite #\ntopic deny {SUMMARIES}\n"


def backlog(agent: AgentProcess) -> int:
    request = edge_pb2.GetHealthRequest(consumer="mqtt-herdlink")
    return agent.edge.GetHealth(request).backlog


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


def test_a_record_that_the_access_list_forbids_waits_until_it_is_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FORBIDDEN_S", 1.0)
    caplog.set_level(logging.WARNING)
    rules = tmp_path / "rules"
    rules.write_text(WITHOUT)
    broker = Mosquitto(tmp_path, more=f"acl_file {rules}\nuser root").start()
    agent = AgentProcess(tmp_path).start()
    agent.compute(HERD)
    user = User(broker.port)
    settings = BridgeSettings(
        agents=(AgentSettings(node="n1", target=f"unix:{agent.socket}"),), mqtt=MqttSettings(port=broker.port)
    )

    async def scenario() -> None:
        stop = asyncio.Event()
        bridge = asyncio.create_task(serve(settings, stop))
        await until(lambda: "refuses record 1;" in caplog.text, caplog.text)
        # Its neighbours go on meanwhile, and it is tried more than once.
        await asyncio.to_thread(user.find_on, "stream/main/events", '"job_ended"')
        await asyncio.sleep(2.5)
        assert backlog(agent) == 6
        rules.write_text("topic readwrite #\n")
        broker.reload()
        for number in range(1, 7):
            await asyncio.to_thread(user.find_on, "stream/main/summaries", f'"sequence":{number},')
        await until(lambda: backlog(agent) == 0, "the place is not kept")
        stop.set()
        await bridge

    try:
        asyncio.run(scenario())
        heard = [json.loads(m.payload)["sequence"] for m in user.kept if m.topic == SUMMARIES]
        assert heard == [1, 2, 3, 4, 5, 6]
        assert caplog.text.count(f"does not let this bridge write {SUMMARIES}: Not authorized") == 1
        assert caplog.text.count(f"{SUMMARIES}: the broker refuses record 1; it stays in the journal") == 1
    finally:
        user.close()
        agent.stop()
        broker.stop()


class FullBroker:
    """Stands in for a broker whose quota is used up now and then, which mosquitto has not."""

    def __init__(self, answers: Sequence[int]) -> None:
        self.connected = asyncio.Event()
        self.connected.set()
        self.generation = 1
        self.taken: list[tuple[str, int]] = []
        self._answers = list(answers)

    async def reconnected(self, generation: int) -> None:
        await asyncio.Event().wait()

    async def publish(self, topic: str, payload: bytes, **_: Any) -> Awaitable[int]:
        done = asyncio.get_running_loop().create_future()
        done.set_result(self._answers.pop(0) if self._answers and topic == SUMMARIES else 0)
        if not done.result():
            self.taken.append((topic, json.loads(payload)["sequence"]))
        return done


def test_a_broker_without_room_gets_them_once_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota_exceeded = 0x97
    monkeypatch.setattr(records, "BUSY_S", 0.1)
    agent = AgentProcess(tmp_path).start()
    agent.compute(HERD)

    async def scenario() -> list[tuple[str, int]]:
        # Two are taken, the third is not, what was already on its way behind it is.
        broker: Any = FullBroker([0, 0, quota_exceeded, 0, 0, 0, quota_exceeded])
        link = AgentLink(f"unix:{agent.socket}")
        of = publications.record_logs("main")[0]
        feed = asyncio.create_task(
            records.RecordFeed(link=link, broker=broker, topics=Topics("herdlink", "n1"), of=of).run()
        )
        await until(lambda: len(broker.taken) >= 6 and backlog(agent) == 0, "not all are taken")
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)
        await link.close()
        return broker.taken

    try:
        taken = asyncio.run(scenario())
    finally:
        agent.stop()
    complete = [number for topic, number in taken if topic == SUMMARIES]
    first = [number for index, number in enumerate(complete) if number not in complete[:index]]
    assert sorted(first) == [1, 2, 3, 4, 5, 6]
    # Again from the first that was refused, in order.
    assert complete[-4:] == [3, 4, 5, 6]
