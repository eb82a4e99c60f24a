"""What the desk keeps in mind of commands that are answered."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import Message

from bridge.core.arrival import Arrival
from bridge.core.commands import Command
from bridge.core.topics import Topics
from bridge.desk import REMEMBERED_BYTES, Desk
from bridge.settings import CommandSettings
from herdlink.v1 import edge_pb2

COMMANDS = 40
LONG = "x" * 500_000


class Link:
    """Answers at length, but for the jobs that are waited for."""

    calls = 0

    async def call(self, *_: Any, **__: Any) -> Message:
        self.calls += 1
        return edge_pb2.GetInputResponse(uri=LONG)

    async def call_and_wait(self, *_: Any, **__: Any) -> Message:
        await asyncio.Event().wait()
        raise AssertionError


class Broker:
    """Takes everything."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.acknowledged = 0

    async def publish(self, _topic: str, payload: bytes, **_: Any) -> asyncio.Future[int]:
        self.answers.append(payload)
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        done.set_result(0)
        return done

    def acknowledge(self, _arrival: Arrival) -> None:
        self.acknowledged += 1


def arrival(number: int, method: str, payload: bytes, *, generation: int = 1) -> Arrival:
    return Arrival(
        generation=generation,
        packet_id=number,
        topic=f"herdlink/n1/cmd/{method}",
        payload=payload,
        retained=False,
        redelivered=generation > 1,
        response_topic="",
        correlation=b"",
        expiry_s=None,
        received=asyncio.get_running_loop().time(),
    )


async def on_done(_command: Command, _answer: Message) -> None:
    pass


def test_long_answers_are_not_all_kept_though_a_command_waits() -> None:
    async def scenario() -> None:
        link: Any = Link()
        broker: Any = Broker()
        desk = Desk(link=link, topics=Topics("herdlink", "n1"), settings=CommandSettings(), on_done=on_done)
        desk.broker = broker
        desk.take(arrival(1000, "Compute", b'{"wait": true, "stream": "other"}'))
        for number in range(1, COMMANDS + 1):
            desk.take(arrival(number, "GetInput", b'{"id": %d}' % number))
            while len(broker.answers) < number:
                await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        kept = [case for case in desk._cases.values() if case.answer is not None]
        assert 1 <= len(kept) <= REMEMBERED_BYTES // len(LONG)
        assert sum(len(case.answer[0]) for case in kept if case.answer) <= REMEMBERED_BYTES
        # The newest is known again and not carried out twice; the open command is still open.
        desk.take(arrival(COMMANDS, "GetInput", b'{"id": %d}' % COMMANDS, generation=2))
        await asyncio.sleep(0.05)
        assert (link.calls, len(broker.answers)) == (COMMANDS, COMMANDS + 1)
        assert len([case for case in desk._cases.values() if case.answer is None]) == 1
        assert broker.acknowledged == COMMANDS + 1
        await desk.close()

    asyncio.run(scenario())
