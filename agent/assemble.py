"""Settings -> objects: the one file that knows every room."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from agent import trimming
from agent.core.errors import HerdlinkError
from agent.core.types import Totals
from agent.journal import Journal
from agent.models.store import Store, default_folder
from agent.rooms import Bounds, Detectors, NodeRooms
from agent.rpc import convert
from agent.rpc.edge import EdgeService
from agent.rpc.node import Node
from agent.rpc.record import RecordService
from agent.rpc.server import Server, check_listen
from agent.rpc.track import TrackService
from agent.runtime.engine import Engine
from agent.runtime.health import Health
from agent.runtime.secrets import expand
from agent.runtime.streams import StreamConfig
from agent.runtime.upkeep import Upkeep
from agent.settings import AgentSettings

log = logging.getLogger("agent")


@dataclass(frozen=True, slots=True)
class NodeParts:
    """A node that is ready to be served."""

    engine: Engine
    server: Server
    journal: Journal
    upkeep: Upkeep


def open_node(settings: AgentSettings, *, loop: asyncio.AbstractEventLoop) -> NodeParts:
    """Everything an agent is made of; nothing listens and no job runs yet."""
    store = _store(settings)
    detectors = Detectors(provider=settings.model.provider, threads=settings.model.threads)
    kept = trimming.Bounds(records=settings.journal.records, age_s=settings.journal.days * 86_400)
    journal = Journal(settings.state_dir / "journal.sqlite", kept)
    if journal.set_aside:
        log.error("the journal was damaged; it is set aside as %s and a new one begun", journal.set_aside)
    rooms = NodeRooms(
        settings=settings,
        store=store,
        detectors=detectors,
        bounds=Bounds(settings.media_roots, settings.output_root),
        totals=journal.totals,
        to_json=convert.record_json,
        notify=log.info,
    )
    streams = {
        name: stream.model_dump(exclude_none=True, exclude_defaults=True) for name, stream in settings.streams.items()
    }
    engine = Engine(node=settings.node_name, rooms=rooms, journal=journal, settings=streams, loop=loop)
    node = Node(
        node=settings.node_name,
        journal=journal.id,
        records=settings.journal.records,
        provider_wanted=settings.model.provider,
        provider=lambda: detectors.provider,
    )
    upkeep = Upkeep(
        engine=engine,
        folders=(settings.state_dir, settings.output_root),
        min_free_bytes=settings.journal.min_free_mb * 1e6,
    )
    health = Health(
        engine=engine, upkeep=upkeep, provider_wanted=settings.model.provider, provider=lambda: detectors.provider
    )
    server = Server(
        edge=EdgeService(engine, node, health),
        track=TrackService(engine, snapshot_width=settings.snapshot.width),
        record=RecordService(engine),
    )
    return NodeParts(engine, server, journal, upkeep)


def unusable(settings: AgentSettings) -> Iterator[tuple[str, HerdlinkError]]:
    """What of the settings cannot work: (where, why). Nothing is opened."""
    for address in settings.rpc.listen:
        yield from _tried("rpc.listen", partial(check_listen, address, insecure=settings.rpc.insecure))
    rooms = NodeRooms(
        settings=settings,
        store=_store(settings),
        detectors=Detectors(provider=settings.model.provider, threads=1),
        bounds=Bounds(settings.media_roots, settings.output_root),
        totals=lambda _: Totals(),
        to_json=convert.record_json,
        notify=log.info,
    )
    for name, stream in settings.streams.items():
        values = StreamConfig(stream.model_dump(exclude_none=True, exclude_defaults=True), {}).values
        checks: list[Callable[[], object]] = [
            partial(rooms.check_values, values),
            partial(rooms.check_labels, values),
            partial(rooms.check_output, name, values.output),
        ]
        if values.input:
            checks += [partial(rooms.check_input, values.input), partial(expand, values.input, settings.secrets_dir)]
        for check in checks:
            yield from _tried(f"stream {name}", check)


def _tried(where: str, check: Callable[[], object]) -> Iterator[tuple[str, HerdlinkError]]:
    try:
        check()
    except HerdlinkError as error:
        yield where, error


def _store(settings: AgentSettings) -> Store:
    return Store(settings.state_dir / "models" if not os.environ.get("HERDLINK_STORE") else default_folder())
