"""What `herdlink watch` hears of one stream: three calls, each on a thread of its own, begun again when they break."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from agent.cli._remote import OPTIONS, RemoteError
from agent.core.errors import HerdlinkError, NotFound, Unavailable
from herdlink.v1 import edge_pb2, edge_pb2_grpc, record_pb2, record_pb2_grpc, track_pb2, track_pb2_grpc

POLL_S = 1.0
RETRY_S = 1.0
ANSWER_S = 5.0
RATE_S = 5.0
FRESH_S = 3.0
RECONNECT = (("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 2000))


@dataclass(frozen=True, slots=True)
class View:
    """The stream at one moment."""

    stream: str
    target: str
    away: str
    """Why nothing is heard; empty while the agent answers."""
    info: Any
    """herdlink.v1.Stream, or None before the first answer."""
    frame: Any
    """The newest WatchTracksResponse, or None."""
    fresh: bool
    """Whether frames come at the moment."""
    fps: float
    missed: int
    summary: Any
    """The newest herdlink.v1.Summary, or None."""


class Feed:
    """Keeps the newest of everything. Threads write, `view` reads; each value is replaced as a whole."""

    def __init__(self, target: str, stream: str) -> None:
        self._target = target
        self._stream = stream
        self._channel = grpc.insecure_channel(target, options=(*OPTIONS, *RECONNECT))
        self._edge = edge_pb2_grpc.EdgeServiceStub(self._channel)
        self._tracks = track_pb2_grpc.TrackServiceStub(self._channel)
        self._records = record_pb2_grpc.RecordServiceStub(self._channel)
        self._closed = threading.Event()
        self._away = ""
        self._info: Any = None
        self._frame: Any = None
        self._summary: Any = None
        self._missed = 0
        self._came: deque[tuple[float, int]] = deque(maxlen=1000)

    def start(self) -> None:
        """Asks for the stream once, so that a wrong name or target is said at once. Raises HerdlinkError."""
        try:
            self._info = self._get_stream()
            self._summary = self._newest_summary()
        except grpc.RpcError as error:
            self.close()
            raise self._refusal(error) from error
        for work in (self._poll, self._watch_tracks, self._watch_summaries):
            threading.Thread(target=self._again, args=(work,), daemon=True).start()

    def close(self) -> None:
        """Ends all calls."""
        self._closed.set()
        self._channel.close()

    def view(self) -> View:
        """The newest of everything."""
        came = list(self._came)
        slowest = self._info.max_fps if self._info is not None else 0.0
        limit_s = max(FRESH_S, 3 / slowest) if slowest else FRESH_S
        fresh = bool(came) and not self._away and time.monotonic() - came[-1][0] < limit_s
        recent = [one for one in came if one[0] > came[-1][0] - RATE_S] if fresh else []
        seconds = recent[-1][0] - recent[0][0] if recent else 0.0
        return View(
            stream=self._stream,
            target=self._target,
            away=self._away,
            info=self._info,
            frame=self._frame,
            fresh=fresh,
            fps=(recent[-1][1] - recent[0][1]) / seconds if seconds else 0.0,
            missed=self._missed,
            summary=self._summary,
        )

    # -- threads ------------------------------------------------------------------------------------------------------

    def _again(self, work: Callable[[], None]) -> None:
        while not self._closed.is_set():
            try:
                work()
            except grpc.RpcError as error:
                if self._closed.is_set():
                    return
                self._away = self._refusal(error).message
            except ValueError:
                # The channel was closed between two calls.
                return
            self._closed.wait(RETRY_S)

    def _poll(self) -> None:
        while not self._closed.wait(POLL_S):
            self._info = self._get_stream()
            self._away = ""

    def _watch_tracks(self) -> None:
        job = ""
        for frame in self._tracks.WatchTracks(track_pb2.WatchTracksRequest(stream=self._stream)):
            if frame.job_id != job:
                job = frame.job_id
                self._came.clear()
            self._frame = frame
            self._missed += frame.missed
            self._came.append((time.monotonic(), frame.frame))

    def _watch_summaries(self) -> None:
        for answer in self._summaries():
            if answer.record.WhichOneof("body") == "summary":
                self._summary = answer.record.summary

    def _summaries(self) -> Iterator[Any]:
        request = record_pb2.WatchRecordsRequest(stream=self._stream, kind=record_pb2.RECORD_KIND_SUMMARY)
        return iter(self._records.WatchRecords(request))

    # -- calls --------------------------------------------------------------------------------------------------------

    def _get_stream(self) -> Any:
        return self._edge.GetStream(edge_pb2.GetStreamRequest(stream=self._stream), timeout=ANSWER_S).stream

    def _newest_summary(self) -> Any:
        """Of what is kept, so that the screen does not begin empty; None where nothing is."""
        request = record_pb2.ListRecordsRequest(stream=self._stream, kind=record_pb2.RECORD_KIND_SUMMARY, limit=1)
        newest = self._records.ListRecords(request, timeout=ANSWER_S).newest
        request.after_sequence = max(0, newest - 1)
        records = self._records.ListRecords(request, timeout=ANSWER_S).records
        return records[-1].summary if records and records[-1].WhichOneof("body") == "summary" else None

    def _refusal(self, error: Any) -> HerdlinkError:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return NotFound("NO_STREAM", error.details() or f"no stream {self._stream}")
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED):
            told = f"no agent answers on {self._target}; start herdlink-agent or give --target"
            return Unavailable("AGENT_UNREACHABLE", told)
        return RemoteError(error.code().name, f"{error.code().name}: {error.details()}")
