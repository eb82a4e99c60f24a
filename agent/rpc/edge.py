"""EdgeService: unpack, call, pack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from agent.core.errors import InvalidArgument
from agent.rpc import convert, scene
from agent.rpc.node import Node
from agent.rpc.once import do_once
from agent.runtime.engine import Engine
from agent.runtime.health import Health
from agent.runtime.results import read_piece
from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import edge_pb2_grpc, types_pb2

PIECE_BYTES = 64 * 1024
BLOCK_BYTES = 16 * PIECE_BYTES
WATCH_S = 0.5
PLAIN_VALUES = (
    "name", "area", "input", "output", "enabled", "threshold", "max_fps", "known_count", "model", "tracker",
    "summary_period_s", "rest_s",
)  # fmt: skip


class EdgeService(edge_pb2_grpc.EdgeServiceServicer):
    """Streams, jobs and results."""

    def __init__(self, engine: Engine, node: Node, health: Health) -> None:
        self._engine = engine
        self._health = health
        self._node = node

    async def GetInput(self, request: pb.GetInputRequest, context: Any) -> pb.GetInputResponse:
        return pb.GetInputResponse(uri=self._engine.values(request.stream).input)

    async def SetInput(self, request: pb.SetInputRequest, context: Any) -> pb.SetInputResponse:
        def action() -> pb.SetInputResponse:
            return pb.SetInputResponse(uri=self._set(request.stream, {"input": _needed(request.uri)}).input)

        return do_once(self._engine.journal, context, request, pb.SetInputResponse, action)

    async def GetOutput(self, request: pb.GetOutputRequest, context: Any) -> pb.GetOutputResponse:
        return pb.GetOutputResponse(uri=self._engine.values(request.stream).output)

    async def SetOutput(self, request: pb.SetOutputRequest, context: Any) -> pb.SetOutputResponse:
        def action() -> pb.SetOutputResponse:
            return pb.SetOutputResponse(uri=self._set(request.stream, {"output": _needed(request.uri)}).output)

        return do_once(self._engine.journal, context, request, pb.SetOutputResponse, action)

    def _set(self, stream: str, changes: dict[str, Any]) -> types_pb2.Stream:
        return convert.stream(self._engine.set_stream(stream, changes))

    async def Compute(self, request: pb.ComputeRequest, context: Any) -> pb.ComputeResponse:
        if request.wait and self._engine.is_endless(request.stream):
            raise InvalidArgument("ENDLESS_INPUT", "a camera has no end to wait for; Compute without wait")

        def action() -> pb.ComputeResponse:
            return pb.ComputeResponse(job=convert.job(self._engine.compute(request.stream)))

        answer = do_once(self._engine.journal, context, request, pb.ComputeResponse, action)
        if request.wait:
            # Word that the job is started, for callers that let others pass while they wait.
            await context.send_initial_metadata(())
            answer = pb.ComputeResponse(job=convert.job(await self._engine.ended(answer.job.job_id)))
        return answer

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> pb.CancelJobResponse:
        def action() -> pb.CancelJobResponse:
            return pb.CancelJobResponse(job=convert.job(self._engine.cancel_job(request.job_id, request.stream)))

        return do_once(self._engine.journal, context, request, pb.CancelJobResponse, action)

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=convert.job(self._engine.job(request.job_id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        jobs = self._engine.jobs(request.stream, request.limit)
        return pb.ListJobsResponse(jobs=[convert.job(job) for job in jobs])

    async def WatchJob(self, request: pb.WatchJobRequest, context: Any) -> AsyncIterator[pb.WatchJobResponse]:
        with self._engine.hub.subscribe(("job", request.job_id)) as changes:
            told: types_pb2.Job | None = None
            while True:
                job = self._engine.job(request.job_id)
                message = convert.job(job)
                if message != told:
                    told = message
                    yield pb.WatchJobResponse(job=message)
                if job.state.ended:
                    return
                try:
                    async with asyncio.timeout(WATCH_S):
                        await changes.get()
                except TimeoutError:
                    continue

    async def ReadResult(self, request: pb.ReadResultRequest, context: Any) -> AsyncIterator[pb.ReadResultResponse]:
        path, file = self._engine.result(request.job_id, request.name)
        if not 0 <= request.offset <= file.bytes or request.offset != int(request.offset):
            raise InvalidArgument("BAD_OFFSET", f"offset is 0 to {file.bytes}, the size of {file.name}")
        offset = int(request.offset)
        while True:
            # Several pieces at once: a way to a thread and back costs more than reading one.
            block = memoryview(await asyncio.to_thread(read_piece, path, file, offset, BLOCK_BYTES))
            for start in range(0, len(block) or 1, PIECE_BYTES):
                data = bytes(block[start : start + PIECE_BYTES])
                yield pb.ReadResultResponse(
                    data=data, offset=offset + start, total_bytes=file.bytes, sha256=file.sha256
                )
            offset += len(block)
            if offset >= file.bytes:
                return

    async def ListStreams(self, request: pb.ListStreamsRequest, context: Any) -> pb.ListStreamsResponse:
        return pb.ListStreamsResponse(streams=[convert.stream(view) for view in self._engine.streams()])

    async def GetStream(self, request: pb.GetStreamRequest, context: Any) -> pb.GetStreamResponse:
        return pb.GetStreamResponse(stream=convert.stream(self._engine.stream(request.stream)))

    async def SetStream(self, request: pb.SetStreamRequest, context: Any) -> pb.SetStreamResponse:
        changes = {name: getattr(request, name) for name in PLAIN_VALUES if request.HasField(name)}
        if request.labels:
            changes["labels"] = list(request.labels)

        def action() -> pb.SetStreamResponse:
            return pb.SetStreamResponse(stream=self._set(request.stream, changes))

        return do_once(self._engine.journal, context, request, pb.SetStreamResponse, action)

    async def GetScene(self, request: pb.GetSceneRequest, context: Any) -> pb.GetSceneResponse:
        view = self._engine.stream(request.stream)
        return scene.pack(pb.GetSceneResponse, view.stream, view.values.scene)

    async def SetScene(self, request: pb.SetSceneRequest, context: Any) -> pb.SetSceneResponse:
        def action() -> pb.SetSceneResponse:
            view = self._engine.set_stream(request.stream, {"scene": asdict(scene.unpack(request))})
            return scene.pack(pb.SetSceneResponse, view.stream, view.values.scene)

        return do_once(self._engine.journal, context, request, pb.SetSceneResponse, action)

    async def DeleteStream(self, request: pb.DeleteStreamRequest, context: Any) -> pb.DeleteStreamResponse:
        def action() -> pb.DeleteStreamResponse:
            self._engine.delete_stream(request.stream)
            return pb.DeleteStreamResponse()

        return do_once(self._engine.journal, context, request, pb.DeleteStreamResponse, action)

    async def GetNode(self, request: pb.GetNodeRequest, context: Any) -> pb.GetNodeResponse:
        return self._node.describe()

    async def GetHealth(self, request: pb.GetHealthRequest, context: Any) -> pb.GetHealthResponse:
        return convert.health(self._health.view(), self._engine.backlog(request.consumer))


def _needed(uri: str) -> str:
    if not uri:
        raise InvalidArgument("NO_URI", "the request has no uri; send one, e.g. file:///srv/video/pen.mp4")
    return uri
