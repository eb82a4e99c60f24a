"""RecordService: the journal's logs, from any place on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from agent.consumers import REPEAT_S
from agent.core import events
from agent.core.errors import FailedPrecondition, InvalidArgument, ResourceExhausted
from agent.core.names import NODE_LOG, log_id
from agent.journal import Page
from agent.rpc import convert
from agent.runtime.engine import Engine, list_limit
from herdlink.v1 import record_pb2 as pb
from herdlink.v1 import record_pb2_grpc

PAGE = 100
PRESENT_S = 3600.0
KINDS = {pb.RECORD_KIND_UNSPECIFIED: "summary", pb.RECORD_KIND_SUMMARY: "summary", pb.RECORD_KIND_EVENT: "event"}


class RecordService(record_pb2_grpc.RecordServiceServicer):
    """Summaries and events without gap or repeat."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._journal = engine.journal

    async def WatchRecords(
        self, request: pb.WatchRecordsRequest, context: Any
    ) -> AsyncIterator[pb.WatchRecordsResponse]:
        stream, kind = log_id(request.stream), _kind(request.kind)
        self._check_known(stream)
        place, known = self._start(request, stream, kind)
        self._welcome(request, stream, kind)
        with self._engine.hub.subscribe(("records", stream, kind), size=1) as news:
            while True:
                # Asked first: what is written after this answer is read below.
                gone = self._engine.is_gone(stream)
                page = await asyncio.to_thread(self._journal.records, stream, kind, place, PAGE)
                for record in _with_gap(page, place):
                    sequence = record.summary.sequence or record.event.sequence
                    yield pb.WatchRecordsResponse(record=record, newest=page.newest, repeat=0 < sequence <= known)
                place = page.records[-1].sequence if page.records else max(place, page.oldest - 1)
                if len(page.records) < PAGE:
                    if gone:
                        self._engine.stream(stream)
                    try:
                        async with asyncio.timeout(PRESENT_S):
                            await news.get()
                    except TimeoutError:
                        self._welcome(request, stream, kind)

    def _check_known(self, stream: str) -> None:
        """Raises NotFound where there is neither such a stream nor a record of one that is gone."""
        if stream != NODE_LOG and not any(self._journal.newest(stream, kind) for kind in ("summary", "event")):
            self._engine.stream(stream)

    def _welcome(self, request: pb.WatchRecordsRequest, stream: str, kind: str) -> None:
        """A consumer that is there is not forgotten, however little happens."""
        if request.consumer:
            with suppress(ResourceExhausted):
                self._journal.welcome(request.consumer, stream, kind)

    def _start(self, request: pb.WatchRecordsRequest, stream: str, kind: str) -> tuple[int, int]:
        """After which sequence to begin, and up to which all is a repeat."""
        match request.WhichOneof("start"):
            case "consumer":
                consumer, repeat_s = _consumer(request.consumer), _repeat_s(request.repeat_s)
                known = self._journal.place(consumer, stream, kind)
                before = self._journal.place_before(consumer, stream, kind, repeat_s) if repeat_s else known
                return before, known
            case "after_sequence":
                return _not_negative(request.after_sequence), 0
            case _:
                return self._journal.newest(stream, kind), 0

    async def ListRecords(self, request: pb.ListRecordsRequest, context: Any) -> pb.ListRecordsResponse:
        stream, kind = log_id(request.stream), _kind(request.kind)
        after, limit = _not_negative(request.after_sequence), list_limit(request.limit)
        self._check_known(stream)
        page = await asyncio.to_thread(self._journal.records, stream, kind, after, limit)
        return pb.ListRecordsResponse(records=_with_gap(page, after), newest=page.newest, journal=self._journal.id)

    async def AckRecords(self, request: pb.AckRecordsRequest, context: Any) -> pb.AckRecordsResponse:
        if request.journal != self._journal.id:
            raise FailedPrecondition(
                "OTHER_JOURNAL", f"the journal is {self._journal.id}, not {request.journal!r}; watch the records anew"
            )
        consumer, stream, kind = _consumer(request.consumer), log_id(request.stream), _kind(request.kind)

        def tell(lost: int) -> None:
            self._engine.recorder.add(stream, events.broker_gap(consumer, kind, lost, time.time()))

        sequence = self._journal.acknowledge(consumer, stream, kind, _not_negative(request.sequence), on_gap=tell)
        return pb.AckRecordsResponse(sequence=sequence)


def _with_gap(page: Page, after: int) -> list[pb.Record]:
    """The page's records, led by word of those between `after` and the oldest that are no longer kept."""
    gap = [pb.Record(gap=pb.Gap(first=after + 1, last=page.oldest - 1))] if page.oldest > after + 1 else []
    return [*gap, *(convert.record(record) for record in page.records)]


def _kind(kind: pb.RecordKind) -> str:
    if kind not in KINDS:
        raise InvalidArgument("BAD_KIND", "kind is RECORD_KIND_SUMMARY or RECORD_KIND_EVENT")
    return KINDS[kind]


def _consumer(name: str) -> str:
    if not 0 < len(name) <= 128:
        raise InvalidArgument("BAD_CONSUMER", "a consumer's name has 1 to 128 characters")
    return name


def _repeat_s(seconds: float) -> float:
    if not 0 <= seconds <= REPEAT_S:
        raise InvalidArgument("BAD_REPEAT", f"repeat_s is 0 to {REPEAT_S:g}")
    return seconds


def _not_negative(sequence: int) -> int:
    if sequence < 0:
        raise InvalidArgument("BAD_SEQUENCE", "a sequence is 0 or more")
    return sequence
