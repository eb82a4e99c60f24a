"""One log of an agent (the summaries or events of a stream, or what befalls the node) on its way to the broker.

The complete topic gets every record in order, a small window of them in flight; what the broker has taken is
acknowledged to the agent, which keeps the place. The live topic gets a record only after that, so that it never gets
one twice. After each connection to the broker, the bridge's first included, the last minute comes again: a broker that
is killed may lose what it has acknowledged, whatever it says of its session. A record that the broker refuses is not
acknowledged: the log waits at it, and it is tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import publications
from bridge.core.commands import Refusal
from bridge.core.publications import RecordLog
from bridge.core.topics import Topics
from herdlink.v1 import record_pb2

log = logging.getLogger(__name__)

CALL_S = 5.0
RETRY_S = 1.0
BUSY_S = 5.0
FORBIDDEN_S = 30.0
NOT_AUTHORIZED = 0x87
IN_FLIGHT = 20
REPEAT_S = 60.0
REPEAT = (("repeat", "true"),)
"""The user property of a record that comes again (MQTT 5)."""
METHODS = record_pb2.DESCRIPTOR.services_by_name["RecordService"].methods_by_name


class _Refused(Exception):
    """The broker has not taken a record."""

    def __init__(self, sequence: int, code: int) -> None:
        super().__init__(f"record {sequence}")
        self.sequence = sequence
        self.code = code


@dataclass(frozen=True, slots=True)
class _Sent:
    """A record that was handed to the broker."""

    journal: str
    sequence: int
    live: bytes
    """What goes to the live topic; empty where it is no news."""
    done: asyncio.Future[int]
    """0, or why the broker has refused it."""


class RecordFeed:
    """Publishes one log until it is cancelled."""

    def __init__(self, *, link: AgentLink, broker: Broker, topics: Topics, of: RecordLog) -> None:
        self._link = link
        self._broker = broker
        self._log = of
        self._complete = topics.records(of.stream, of.complete)
        self._live = topics.records(of.stream, of.live)
        self._consumer = publications.consumer(topics.base)
        self._told_live = ("", 0)
        self._told_refused = False
        self._repeating = True
        """The last minute is yet to be told to this connection."""

    async def run(self) -> None:
        """Goes on where the agent keeps this consumer's place, whatever breaks."""
        while True:
            await self._broker.connected.wait()
            generation, self._repeating = self._broker.generation, True
            async with asyncio.TaskGroup() as group:
                work = group.create_task(self._work(), name=self._log.name)
                await self._broker.reconnected(generation)
                work.cancel()

    async def _work(self) -> None:
        while True:
            pause_s = RETRY_S
            sent: asyncio.Queue[_Sent] = asyncio.Queue(IN_FLIGHT)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._acknowledge(sent), name=f"places of {self._log.name}")
                    await self._publish(sent)
            except* Refusal as refusals:
                log.debug("%s: %s", self._log.name, refusals.exceptions[0])
            except* _Refused as refusals:
                [refused] = refusals.exceptions
                assert isinstance(refused, _Refused)
                pause_s = self._pause_after(refused)
            await asyncio.sleep(pause_s)

    async def _publish(self, sent: asyncio.Queue[_Sent]) -> None:
        request = record_pb2.WatchRecordsRequest(
            stream=self._log.stream,
            kind=self._log.kind,
            consumer=self._consumer,
            repeat_s=REPEAT_S if self._repeating else 0.0,
        )
        async for answer in self._link.watch(METHODS["WatchRecords"], request):
            self._repeating = self._repeating and answer.repeat
            await self._tell(answer, sent)
        raise Refusal("UNAVAILABLE", "STREAM_ENDED", "the agent has ended the stream")

    async def _tell(self, answer: record_pb2.WatchRecordsResponse, sent: asyncio.Queue[_Sent]) -> None:
        payload = publications.record_payload(answer.record)
        done = await self._publish_complete(payload, repeat=answer.repeat)
        sequence = publications.sequence(answer.record)
        if sequence:
            live = payload if publications.is_live(answer, time.time()) else b""
            await sent.put(_Sent(publications.journal(answer.record), sequence, live, done))

    async def _publish_complete(self, payload: bytes, *, repeat: bool) -> asyncio.Future[int]:
        """Done once the broker has answered; at once where the packet is too large for it."""
        try:
            return await self._broker.publish(self._complete, payload, user=REPEAT if repeat else ())
        except TooLarge as error:
            log.error("%s: a record is not published: %s", self._complete, error)
            done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            done.set_result(0)
            return done

    def _pause_after(self, refused: _Refused) -> float:
        pause_s = FORBIDDEN_S if refused.code == NOT_AUTHORIZED else BUSY_S
        if not self._told_refused:
            self._told_refused = True
            log.error(
                "%s: the broker refuses record %d; it stays in the journal and is tried again every %.0f s",
                self._complete,
                refused.sequence,
                pause_s,
            )
        return pause_s

    async def _acknowledge(self, sent: asyncio.Queue[_Sent]) -> None:
        while True:
            records = [await sent.get()]
            while not sent.empty():
                records.append(sent.get_nowait())
            taken, refused = await _taken(records)
            if taken:
                self._told_refused = False
                await self._acknowledge_these(taken)
            if refused is not None:
                raise refused

    async def _acknowledge_these(self, records: list[_Sent]) -> None:
        try:
            await self._link.call(METHODS["AckRecords"], self._place(records[-1]), timeout_s=CALL_S)
        except Refusal as refusal:
            # They are out; the place is kept by the next acknowledgement, or they come again under their numbers.
            log.debug("place of %s: %s", self._log.name, refusal.message)
            return
        for record in records:
            await self._tell_live(record)

    def _place(self, record: _Sent) -> record_pb2.AckRecordsRequest:
        return record_pb2.AckRecordsRequest(
            consumer=self._consumer,
            stream=self._log.stream,
            kind=self._log.kind,
            journal=record.journal,
            sequence=record.sequence,
        )

    async def _tell_live(self, record: _Sent) -> None:
        told_journal, told = self._told_live
        if record.live and (record.journal != told_journal or record.sequence > told):
            self._told_live = (record.journal, record.sequence)
            try:
                await self._broker.publish(self._live, record.live, retain=self._log.retain_live)
            except TooLarge as error:
                log.error("%s: a record is not published: %s", self._live, error)


async def _taken(records: list[_Sent]) -> tuple[list[_Sent], _Refused | None]:
    """Those that the broker has taken, up to the first that it has not."""
    for index, record in enumerate(records):
        if code := await record.done:
            return records[:index], _Refused(record.sequence, code)
    return records, None
