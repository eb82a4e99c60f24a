"""Assembles the bridge: for each agent one channel, one broker connection, a desk for commands and a feed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from bridge.agents import AgentLink
from bridge.broker import Broker
from bridge.core.arrival import Route
from bridge.core.commands import Command, Refusal
from bridge.core.topics import Topics
from bridge.desk import Desk
from bridge.feed import CALL_S, EDGE, Feed
from bridge.homeassistant import HomeAssistant
from bridge.settings import AgentSettings, BridgeSettings, mqtt_password, mqtt_tls
from herdlink.v1 import edge_pb2

log = logging.getLogger(__name__)

ASK_AGAIN_S = 2.0


async def serve(settings: BridgeSettings, stop: asyncio.Event) -> None:
    """Serves every agent until `stop` is set. Raises broker.TakenOver."""
    tasks = [
        asyncio.create_task(_serve_agent(settings, agent, stop), name=f"agent {agent.node or agent.target}")
        for agent in settings.agents
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve_agent(settings: BridgeSettings, agent: AgentSettings, stop: asyncio.Event) -> None:
    link = AgentLink(agent.target)
    try:
        node = agent.node or await _unless(stop, _ask_node(link))
        if node:
            await _serve_node(settings, link, Topics(settings.mqtt.base, node), stop)
    finally:
        await link.close()


async def _serve_node(settings: BridgeSettings, link: AgentLink, topics: Topics, stop: asyncio.Event) -> None:
    async def on_done(command: Command, answer: Message) -> None:
        home.poke()
        await feed.command_done(command, answer)

    desk = Desk(link=link, topics=topics, settings=settings.commands, on_done=on_done)
    home = HomeAssistant(link=link, topics=topics, settings=settings.homeassistant)
    wanted = home.routes if settings.homeassistant.enabled else ()
    broker = _broker(settings, topics, (Route(topics.commands, desk.take), *wanted))
    desk.broker = home.broker = broker
    feed = Feed(link=link, broker=broker, topics=topics, snapshot_period_s=settings.snapshot.period_s)
    log.info(
        "node %s: agent %s, broker %s, topics below %s/%s",
        topics.node,
        link.target,
        broker.address,
        topics.base,
        topics.node,
    )
    broker.start()
    work = {"feed": feed.run(), "stop": stop.wait()}
    if settings.homeassistant.enabled:
        work["home"] = home.run()
    tasks = [asyncio.create_task(doing, name=name) for name, doing in work.items()]
    ends: set[asyncio.Future[Any]] = {*tasks, broker.taken_over}
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for finished in done:
            finished.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.close()
        await broker.stop("stopped")


def _broker(settings: BridgeSettings, topics: Topics, routes: Sequence[Route]) -> Broker:
    return Broker(
        settings.mqtt,
        client_id=client_id(topics),
        password=mqtt_password(settings),
        tls=mqtt_tls(settings),
        status_topic=topics.status,
        routes=routes,
    )


async def _ask_node(link: AgentLink) -> str:
    """The agent's own id; asks until it answers."""
    told = False
    while True:
        try:
            answer: Any = await link.call(EDGE["GetNode"], edge_pb2.GetNodeRequest(), timeout_s=CALL_S)
            return str(answer.id)
        except Refusal as refusal:
            if not told:
                log.warning("%s", refusal.message)
                told = True
            await asyncio.sleep(ASK_AGAIN_S)


async def _unless(stop: asyncio.Event, work: Any) -> Any:
    """What `work` gives, or None where the bridge is to stop before."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, stopping):
            each.cancel()


def client_id(topics: Topics) -> str:
    """One a node and base: a second bridge for the same would be thrown out and say so."""
    if topics.base == "herdlink":
        return f"herdlink-{topics.node}"
    return f"herdlink-{topics.node}-{hashlib.sha256(topics.base.encode()).hexdigest()[:8]}"
