"""Announces a node and its streams to Home Assistant, and takes back what is gone."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import Any

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import discovery
from bridge.core.arrival import Arrival, Route
from bridge.core.commands import Refusal, dump, unary_methods
from bridge.core.discovery import Home
from bridge.core.entity import Lane
from bridge.core.topics import Topics
from bridge.settings import HomeAssistantSettings
from herdlink.v1 import edge_pb2, types_pb2

log = logging.getLogger(__name__)

LOOK_S = 5.0
CALL_S = 5.0
JITTER_S = 10.0
"""Home Assistant that starts is not met by every node of the farm at once."""


class HomeAssistant:
    """One node's announcements. `broker` is set before `run`."""

    def __init__(self, *, link: AgentLink, topics: Topics, settings: HomeAssistantSettings) -> None:
        self.broker: Broker
        self._link = link
        self._topics = topics
        self._settings = settings
        self._poke = asyncio.Event()
        self._generation = 0
        self._home = Home(topics, language=settings.language)
        self._told: dict[str, bytes] = {}
        """Device -> what was published for it on this connection."""
        self._before: dict[str, dict[str, str]] = {}
        """Device -> component -> platform of all that was ever announced for it."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """What it wants to hear."""
        prefix = self._settings.prefix
        return (
            Route(discovery.birth_topic(prefix), self._born, qos=0),
            Route(discovery.config_topic(prefix, "+"), self._seen, qos=0),
        )

    async def run(self) -> None:
        """Looks now and then, and at once when something has changed, until it is cancelled."""
        while True:
            await self.broker.connected.wait()
            if self._generation != self.broker.generation:
                # The broker may have lost what it kept.
                self._generation, self._told = self.broker.generation, {}
            try:
                await self._look()
            except Refusal as refusal:
                log.debug("nothing is announced: %s", refusal.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._poke.wait()
            self._poke.clear()

    def poke(self) -> None:
        """Something may have changed."""
        self._poke.set()

    # -- what is heard --------------------------------------------------------------------------------------------

    def _born(self, arrival: Arrival) -> None:
        if arrival.payload == b"online" and not arrival.retained:
            delay_s = random.uniform(0, JITTER_S)
            asyncio.get_running_loop().call_later(delay_s, self._tell_again)

    def _tell_again(self) -> None:
        self._told = {}
        self.poke()

    def _seen(self, arrival: Arrival) -> None:
        """An announcement on the broker: ours may name what a bridge before this one has announced."""
        device = arrival.topic.split("/")[-2]
        components = discovery.announced(arrival.payload, self._home)
        before = self._before.setdefault(device, {}) if components else {}
        if components.keys() - before.keys():
            before.update(components)
            self.poke()

    # -- what is told ---------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        info: Any = await self._call("GetNode", edge_pb2.GetNodeRequest())
        answer: Any = await self._call("ListStreams", edge_pb2.ListStreamsRequest())
        self._home = Home(self._topics, info.version, info.hardware.machine, self._settings.language)
        await self._tell(self._home.node_id, discovery.node_device(self._home))
        models = discovery.models(name for stream in answer.streams for name in (stream.model, stream.state.model))
        for stream in answer.streams:
            lane = await self._lane(stream, models)
            await self._tell(self._home.stream_id(stream.stream), discovery.stream_device(self._home, lane))
        await self._take_back({self._home.node_id, *(self._home.stream_id(s.stream) for s in answer.streams)})

    async def _take_back(self, there: set[str]) -> None:
        for device in [device for device in self._before if device not in there]:
            del self._before[device]
            self._told.pop(device, None)
            await self._publish(device, b"")

    async def _tell(self, device: str, announcement: dict[str, Any]) -> None:
        before = self._before.setdefault(device, {})
        payload = dump(discovery.with_removed(announcement, before))
        before.update({key: config["platform"] for key, config in announcement["components"].items()})
        if self._told.get(device) != payload:
            self._told[device] = payload
            await self._publish(device, payload)

    async def _publish(self, device: str, payload: bytes) -> None:
        topic = discovery.config_topic(self._settings.prefix, device)
        try:
            await self.broker.publish(topic, payload, retain=True)
        except TooLarge as error:
            log.error("%s is not published: %s", topic, error)

    # -- what there is --------------------------------------------------------------------------------------------

    async def _lane(self, stream: types_pb2.Stream, models: tuple[str, ...]) -> Lane:
        scene = await self._scene(stream.stream)
        return Lane(
            stream=stream.stream,
            name=stream.name,
            area=stream.area,
            camera=discovery.is_camera(stream.input, stream.state),
            ground=bool(scene.ground.points),
            models=models,
            zones=tuple(sorted(zone.name for zone in scene.zones)),
            lines=tuple(sorted(line.name for line in scene.lines)),
        )

    async def _scene(self, stream: str) -> edge_pb2.GetSceneResponse:
        """What is drawn on the stream's picture; nothing where the stream has just gone."""
        try:
            scene: edge_pb2.GetSceneResponse = await self._call("GetScene", edge_pb2.GetSceneRequest(stream=stream))
        except Refusal as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            return edge_pb2.GetSceneResponse()
        return scene

    async def _call(self, method: str, request: Any) -> Any:
        return await self._link.call(unary_methods()[method], request, timeout_s=CALL_S)
