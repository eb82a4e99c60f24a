"""TrackService: live tracks and pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from agent.core import picture
from agent.core.scene_picture import draw_scene
from agent.core.types import Result, Tracks
from agent.rpc import convert
from agent.runtime.engine import Engine
from agent.runtime.run import Run
from herdlink.v1 import track_pb2 as pb
from herdlink.v1 import track_pb2_grpc

SNAPSHOT_BYTES = 256 * 1024


class TrackService(track_pb2_grpc.TrackServiceServicer):
    """What the node sees at this moment."""

    def __init__(self, engine: Engine, *, snapshot_width: int) -> None:
        self._engine = engine
        self._snapshot_width = snapshot_width
        self._last: tuple[Any, pb.WatchTracksResponse] = None, pb.WatchTracksResponse()

    async def WatchTracks(self, request: pb.WatchTracksRequest, context: Any) -> AsyncIterator[pb.WatchTracksResponse]:
        stream = self._engine.stream(request.stream).stream
        with self._engine.hub.subscribe(("tracks", stream)) as frames:
            while True:
                frame = await frames.get()
                if frame is None:
                    # The stream was deleted; it may be there again.
                    self._engine.stream(stream)
                    continue
                message = self._packed(stream, frame)
                missed = frames.take_missed()
                if missed:
                    mine = pb.WatchTracksResponse(missed=missed)
                    mine.MergeFrom(message)
                    message = mine
                yield message

    def _packed(self, stream: str, item: Any) -> pb.WatchTracksResponse:
        """The message of a frame, made once for all who watch: they come for it one after the other."""
        if self._last[0] is not item:
            self._last = item, _message(stream, *item)
        return self._last[1]

    async def GetSnapshot(self, request: pb.GetSnapshotRequest, context: Any) -> pb.GetSnapshotResponse:
        result, run = await self._engine.newest_result(request.stream, fresh=request.fresh)
        frame = result.frame if isinstance(result, Result) else result
        image = frame.image
        if request.annotated:
            scene = result.scene if isinstance(result, Result) else self._engine.stream(request.stream).values.scene
            image = draw_scene(image, scene)
        if request.annotated and isinstance(result, Result) and run is not None:
            texts = [f"{run.labels[int(number)]}" for number in result.tracks.classes]
            image = picture.annotate(image, result.tracks.boxes, result.tracks.ids, texts)
        jpeg = await asyncio.to_thread(picture.to_jpeg, image, width=self._snapshot_width, max_bytes=SNAPSHOT_BYTES)
        return pb.GetSnapshotResponse(
            jpeg=jpeg, time=convert.timestamp(run.wall_time(frame.time) if run else time.time())
        )


def _message(
    stream: str, run: Run, index: int, seconds: float, size: tuple[int, int], tracks: Tracks
) -> pb.WatchTracksResponse:
    height, width = size
    return pb.WatchTracksResponse(
        stream=stream,
        job_id=run.plan.job.job_id,
        frame=index,
        time=convert.timestamp(run.wall_time(seconds)),
        width=width,
        height=height,
        tracks=convert.tracks(tracks, run.labels, size),
    )
