"""One log of an agent (the summaries or events of a stream, or what befalls the node) on its way to the broker.

The complete topic gets every record in order, a small window of them in flight; what the broker has is acknowledged to
the agent, which keeps the place. The live topic gets a record only after that, so that it never gets one twice.
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
IN_FLIGHT = 20
METHODS = record_pb2.DESCRIPTOR.services_by_name["RecordService"].methods_by_name


@dataclass(frozen=True, slots=True)
class _Sent:
    """A record that was handed to the broker."""

    journal: str
    sequence: int
    payload: bytes
    live: bool
    """Whether it was the newest, and young enough to be news."""
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

    async def run(self) -> None:
        """Goes on where the agent keeps this consumer's place, whatever breaks."""
        sent: asyncio.Queue[_Sent] = asyncio.Queue(IN_FLIGHT)
        acknowledging = asyncio.create_task(self._acknowledge(sent), name=f"places of {self._log.name}")
        request = record_pb2.WatchRecordsRequest(stream=self._log.stream, kind=self._log.kind, consumer=self._consumer)
        try:
            while True:
                try:
                    async for answer in self._link.watch(METHODS["WatchRecords"], request):
                        await self._tell(answer, sent)
                except Refusal as refusal:
                    log.debug("%s: %s", self._log.name, refusal.message)
                await asyncio.sleep(RETRY_S)
        finally:
            acknowledging.cancel()

    async def _tell(self, answer: record_pb2.WatchRecordsResponse, sent: asyncio.Queue[_Sent]) -> None:
        payload = publications.record_payload(answer.record)
        try:
            done = await self._broker.publish(self._complete, payload)
        except TooLarge as error:
            log.error("%s: a record is not published: %s", self._complete, error)
            return
        body = answer.record.WhichOneof("body")
        if body in ("summary", "event"):
            told = getattr(answer.record, body)
            live = publications.is_live(answer, time.time())
            await sent.put(_Sent(told.journal, told.sequence, payload, live, done))

    async def _acknowledge(self, sent: asyncio.Queue[_Sent]) -> None:
        while True:
            record = await sent.get()
            await record.done
            request = record_pb2.AckRecordsRequest(
                consumer=self._consumer,
                stream=self._log.stream,
                kind=self._log.kind,
                journal=record.journal,
                sequence=record.sequence,
            )
            try:
                await self._link.call(METHODS["AckRecords"], request, timeout_s=CALL_S)
            except Refusal as refusal:
                # It is out; its place is kept by the next acknowledgement, or it comes again under its number.
                log.debug("place of %s: %s", self._log.name, refusal.message)
                continue
            if record.live:
                await self._broker.publish(self._live, record.payload, retain=self._log.retain_live)
