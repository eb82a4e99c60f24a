"""What the bridge publishes of an agent: how it goes, its jobs, records and pictures."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import publications
from bridge.core.commands import Command, Refusal, dump, to_json
from bridge.core.topics import NODE_LOG, Topics
from bridge.records import RecordFeed
from herdlink.v1 import edge_pb2, track_pb2, types_pb2

log = logging.getLogger(__name__)

POLL_S = 1.0
LONGEST_POLL_S = 5.0
CALL_S = 5.0
HEALTH_POLL_S = 5.0
SNAPSHOT_S = 20.0
EDGE = edge_pb2.DESCRIPTOR.services_by_name["EdgeService"].methods_by_name
TRACK = track_pb2.DESCRIPTOR.services_by_name["TrackService"].methods_by_name


@dataclass(slots=True)
class _Told:
    """What the broker was told of one stream, by the connection that it was told on."""

    state: types_pb2.StreamState | None = None
    state_at: float = 0.0
    job: types_pb2.Job | None = None
    snapshot_at: float = float("-inf")
    last_job: str = ""
    """The ended job whose last picture was told."""


class Feed:
    """Publishes what an agent says of itself until it is cancelled."""

    def __init__(self, *, link: AgentLink, broker: Broker, topics: Topics, snapshot_period_s: float) -> None:
        self._link = link
        self._broker = broker
        self._topics = topics
        self._snapshot_period_s = snapshot_period_s
        self._poke = asyncio.Event()
        self._generation = 0
        self._told: dict[str, _Told] = {}
        self._status = ""
        self._info: Message | None = None
        self._health: edge_pb2.GetHealthResponse | None = None
        self._health_at = self._health_asked = float("-inf")
        self._followers: dict[str, list[asyncio.Task[None]]] = {}
        """The tasks that publish the records of each stream, and of the node itself."""

    async def run(self) -> None:
        """Looks once a second, and at once after a command; slower while the agent is away."""
        pause_s = POLL_S
        try:
            while True:
                await self._broker.connected.wait()
                self._begin_connection()
                pause_s = POLL_S if await self._look() else min(pause_s * 1.5, LONGEST_POLL_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._poke.wait()
                self._poke.clear()
        finally:
            for stream in tuple(self._followers):
                self._unfollow(stream)

    async def command_done(self, command: Command, answer: Message) -> None:
        """Shows what a command has changed without waiting for the next look."""
        if isinstance(answer, track_pb2.GetSnapshotResponse):
            await self._publish_snapshot(command.request.stream or "main", answer.jpeg)
        elif not command.method.name.startswith(("Get", "List")):
            self._poke.set()

    # -- how it goes ----------------------------------------------------------------------------------------------

    def _begin_connection(self) -> None:
        """A new connection is told everything: the broker may have lost what it kept."""
        if self._generation != self._broker.generation:
            self._generation = self._broker.generation
            self._told, self._status, self._info, self._health = {}, "", None, None

    async def _look(self) -> bool:
        try:
            info = await self._link.call(EDGE["GetNode"], edge_pb2.GetNodeRequest(), timeout_s=CALL_S)
            answer: Any = await self._link.call(EDGE["ListStreams"], edge_pb2.ListStreamsRequest(), timeout_s=CALL_S)
        except Refusal as refusal:
            if self._status != "unreachable":
                log.warning("%s", refusal.message)
            await self._tell_status("unreachable")
            return False
        if info != self._info:
            self._info = info
            await self._publish(self._topics.info, dump(to_json(info)), retain=True)
        await self._tell_status("online")
        await self._tell_streams(answer.streams)
        await self._tell_health()
        return True

    async def _tell_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            await self._publish(self._topics.status, status.encode(), retain=True)

    async def _tell_health(self) -> None:
        now = time.monotonic()
        if self._health is not None and now - self._health_asked < HEALTH_POLL_S:
            return
        self._health_asked = now
        request = edge_pb2.GetHealthRequest(consumer=publications.consumer(self._topics.base))
        try:
            health: Any = await self._link.call(EDGE["GetHealth"], request, timeout_s=CALL_S)
        except Refusal as refusal:
            # An older agent does not know it.
            log.debug("%s", refusal.message)
            return
        if publications.health_is_due(self._health, health, now - self._health_at):
            self._health, self._health_at = health, now
            payload = publications.health_payload(health, self._broker.generation - 1)
            await self._publish(self._topics.health, payload, retain=True)

    async def _tell_streams(self, streams: Any) -> None:
        names = {stream.stream for stream in streams}
        self._follow(NODE_LOG)
        for name in self._followers.keys() - names - {NODE_LOG}:
            await self._drop(name)
        for stream in streams:
            self._follow(stream.stream)
            try:
                await self._tell_stream(stream)
            except Refusal as refusal:
                log.warning("stream %s: %s", stream.stream, refusal.message)

    def _follow(self, stream: str) -> None:
        """Publishes the stream's records from now on; begins again where a bug has ended that."""
        failed = [task for task in self._followers.get(stream, ()) if task.done() and not task.cancelled()]
        for task in failed:
            log.error("%s has failed and begins again", task.get_name(), exc_info=task.exception())
        if failed:
            self._unfollow(stream)
        if stream not in self._followers:
            logs = publications.record_logs(stream)
            feeds = [RecordFeed(link=self._link, broker=self._broker, topics=self._topics, of=one) for one in logs]
            self._followers[stream] = [
                asyncio.create_task(feed.run(), name=f"records of {one.name}")
                for feed, one in zip(feeds, logs, strict=True)
            ]

    def _unfollow(self, stream: str) -> None:
        for follower in self._followers.pop(stream):
            follower.cancel()

    async def _drop(self, stream: str) -> None:
        """A stream that is gone: nothing of it stays on the broker but its last job. Of a passing one not even that:
        nobody will ask for it, and there would be more and more.
        """
        self._unfollow(stream)
        await self._tell_last_job(stream, self._told.pop(stream, _Told()))
        for leaf in ("state", "summary", "snapshot", *(["job"] if publications.is_passing(stream) else [])):
            await self._publish(self._topics.stream(stream, leaf), b"", retain=True)

    async def _tell_last_job(self, stream: str, told: _Told) -> None:
        """The job may have begun or ended since the last look."""
        request = edge_pb2.ListJobsRequest(stream=stream, limit=1)
        try:
            answer: Any = await self._link.call(EDGE["ListJobs"], request, timeout_s=CALL_S)
        except Refusal as refusal:
            log.debug("no job of %s: %s", stream, refusal.message)
            return
        for job in answer.jobs:
            await self._tell_job(told, job)

    async def _tell_job(self, told: _Told, job: types_pb2.Job) -> None:
        if job != told.job:
            told.job = job
            await self._publish(self._topics.stream(job.stream, "job"), dump(to_json(job)), retain=True)

    async def _tell_stream(self, stream: types_pb2.Stream) -> None:
        told = self._told.setdefault(stream.stream, _Told())
        now, state = time.monotonic(), stream.state
        if publications.state_is_due(told.state, state, now - told.state_at):
            told.state, told.state_at = state, now
            await self._publish(self._topics.stream(stream.stream, "state"), dump(to_json(state)), retain=True)
        if state.job_id and publications.job_is_due(told.job, state):
            answer: Any = await self._link.call(
                EDGE["GetJob"], edge_pb2.GetJobRequest(job_id=state.job_id), timeout_s=CALL_S
            )
            await self._tell_job(told, answer.job)
        if publications.snapshot_is_due(
            state, age_s=now - told.snapshot_at, period_s=self._snapshot_period_s, last_job=told.last_job
        ):
            told.snapshot_at = now
            told.last_job = "" if state.state == types_pb2.JOB_STATE_RUNNING else state.job_id
            await self._tell_snapshot(stream.stream)

    # -- pictures -------------------------------------------------------------------------------------------------

    async def _tell_snapshot(self, stream: str) -> None:
        request = track_pb2.GetSnapshotRequest(stream=stream, annotated=True)
        try:
            answer: Any = await self._link.call(TRACK["GetSnapshot"], request, timeout_s=SNAPSHOT_S)
        except Refusal as refusal:
            log.debug("no picture of %s: %s", stream, refusal.message)
            return
        await self._publish_snapshot(stream, answer.jpeg)

    async def _publish_snapshot(self, stream: str, jpeg: bytes) -> None:
        if 0 < len(jpeg) <= publications.SNAPSHOT_BYTES:
            await self._publish(self._topics.stream(stream, "snapshot"), jpeg, retain=True, qos=0)

    async def _publish(self, topic: str, payload: bytes, *, retain: bool, qos: int = 1) -> None:
        try:
            await self._broker.publish(topic, payload, retain=retain, qos=qos)
        except TooLarge as error:
            log.error("%s is not published: %s", topic, error)
