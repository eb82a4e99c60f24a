"""One log of an agent (the summaries or events of a stream, or what befalls the node) on its way to the broker.

The complete topic gets every record in order, a small window of them in flight; what the broker has is acknowledged to
the agent, which keeps the place. The live topic gets a record only after that, so that it never gets one twice. After
a new connection to the broker the last minute is published again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import publications
from bridge.core.commands import Refusal
from bridge.core.publications import RecentlyDone, RecordLog
from bridge.core.topics import Topics
from herdlink.v1 import record_pb2

log = logging.getLogger(__name__)

CALL_S = 5.0
RETRY_S = 1.0
IN_FLIGHT = 20
REPEAT_S = 60.0
METHODS = record_pb2.DESCRIPTOR.services_by_name["RecordService"].methods_by_name


@dataclass(frozen=True, slots=True)
class _Sent:
    """A record that was handed to the broker."""

    journal: str
    sequence: int
    live: bytes
    """What goes to the live topic; empty where it is no news."""
    done: asyncio.Future[None]


class RecordFeed:
    """Publishes one log until it is cancelled."""

    def __init__(self, *, link: AgentLink, broker: Broker, topics: Topics, of: RecordLog) -> None:
        self._link = link
        self._broker = broker
        self._log = of
        self._complete = topics.records(of.stream, of.complete)
        self._live = topics.records(of.stream, of.live)
        self._consumer = publications.consumer(topics.base)
        self._done = RecentlyDone(REPEAT_S)

    async def run(self) -> None:
        """Goes on where the agent keeps this consumer's place, whatever breaks."""
        sent: asyncio.Queue[_Sent] = asyncio.Queue(IN_FLIGHT)
        acknowledging = asyncio.create_task(self._acknowledge(sent), name=f"places of {self._log.name}")
        generation = 0
        try:
            while True:
                await self._broker.connected.wait()
                repeat, generation = generation not in (0, self._broker.generation), self._broker.generation
                await self._until_reconnected(generation, self._publish(sent, repeat=repeat), acknowledging)
        finally:
            acknowledging.cancel()

    async def _until_reconnected(
        self, generation: int, work: Coroutine[Any, Any, None], beside: asyncio.Task[None]
    ) -> None:
        """Does the work, but for no longer than until the broker is connected anew; what fails beside it ends it."""
        tasks = {asyncio.create_task(work), asyncio.create_task(self._broker.reconnected(generation))}
        try:
            done, _ = await asyncio.wait({*tasks, beside}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _publish(self, sent: asyncio.Queue[_Sent], *, repeat: bool) -> None:
        request = record_pb2.WatchRecordsRequest(stream=self._log.stream, kind=self._log.kind, consumer=self._consumer)
        while True:
            try:
                if repeat:
                    await self._repeat()
                repeat = False
                async for answer in self._link.watch(METHODS["WatchRecords"], request):
                    await self._tell(answer, sent)
            except Refusal as refusal:
                log.debug("%s: %s", self._log.name, refusal.message)
            await asyncio.sleep(RETRY_S)

    async def _repeat(self) -> None:
        """Publishes again what the broker has acknowledged of late: killed after that it may have lost it, whatever it
        says of its session. Read from the agent once more, so that nothing need be kept here.
        """
        recent = self._done.since(time.monotonic())
        if recent is None:
            return
        request = record_pb2.ListRecordsRequest(stream=self._log.stream, kind=self._log.kind, limit=IN_FLIGHT)
        request.after_sequence = recent.first - 1
        while request.after_sequence < recent.last:
            page: Any = await self._link.call(METHODS["ListRecords"], request, timeout_s=CALL_S)
            records = [record for record in page.records if 0 < publications.sequence(record) <= recent.last]
            if page.journal != recent.journal or not records:
                return
            for done in [await self._publish_complete(record) for record in records]:
                await done
            request.after_sequence = publications.sequence(records[-1])

    async def _publish_complete(self, record: record_pb2.Record) -> asyncio.Future[None]:
        """Done once the broker has it; at once where it would not take it."""
        try:
            return await self._broker.publish(self._complete, publications.record_payload(record))
        except TooLarge as error:
            log.error("%s: a record is not published: %s", self._complete, error)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

    async def _tell(self, answer: record_pb2.WatchRecordsResponse, sent: asyncio.Queue[_Sent]) -> None:
        done = await self._publish_complete(answer.record)
        sequence = publications.sequence(answer.record)
        if sequence:
            journal = publications.journal(answer.record)
            payload = publications.record_payload(answer.record) if publications.is_live(answer, time.time()) else b""
            await sent.put(_Sent(journal, sequence, payload, done))

    async def _acknowledge(self, sent: asyncio.Queue[_Sent]) -> None:
        while True:
            records = [await sent.get()]
            while not sent.empty():
                records.append(sent.get_nowait())
            for record in records:
                await record.done
                self._done.add(time.monotonic(), record.journal, record.sequence)
            try:
                await self._link.call(METHODS["AckRecords"], self._place(records[-1]), timeout_s=CALL_S)
            except Refusal as refusal:
                # They are out; the place is kept by the next acknowledgement, or they come again under their numbers.
                log.debug("place of %s: %s", self._log.name, refusal.message)
                continue
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
        if record.live:
            try:
                await self._broker.publish(self._live, record.live, retain=self._log.retain_live)
            except TooLarge as error:
                log.error("%s: a record is not published: %s", self._live, error)
