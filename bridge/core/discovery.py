"""Home Assistant's discovery: one device a node, one a stream, each a single retained message.

A state that the message does not know is told as None, which Home Assistant shows as unknown; an empty one it would
ignore, and go on showing the value before.
"""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core import entities
from bridge.core.entity import Entity, Lane, Source
from bridge.core.topics import Topics
from herdlink.v1 import types_pb2

VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".ts", ".mpg", ".mpeg", ".mjpeg", ".mjpg")
_ONLINE = "{{ 'online' if value == 'online' else 'offline' }}"
# The topics of a stream that is deleted are cleared with an empty message, which is no JSON.
_RUNNING = "{{ 'online' if value_json is defined and value_json.state == 'JOB_STATE_RUNNING' else 'offline' }}"
_ALWAYS = (Source.EVENT, Source.STATUS)
"""Without availability: Home Assistant would replay the last event when it comes back, and `agent` tells it itself."""
_STATE_KEYS = {Source.SNAPSHOT: "image_topic", Source.NONE: ""}


@dataclass(frozen=True, slots=True)
class Home:
    """One node as Home Assistant is told of it."""

    topics: Topics
    version: str = ""
    hardware: str = ""
    language: str = "en"

    @property
    def node_id(self) -> str:
        """The node's device; streams hang from it."""
        return f"herdlink_{self.topics.node}"

    def stream_id(self, stream: str) -> str:
        """A stream's device."""
        return f"{self.node_id}_{stream}"


@functools.cache
def all_entities() -> tuple[Entity, ...]:
    """Every entity there is: the folder is the registry."""
    names = sorted(found.name for found in pkgutil.iter_modules(entities.__path__))
    return tuple(importlib.import_module(f"{entities.__name__}.{name}").ENTITY for name in names)


def config_topic(prefix: str, device: str) -> str:
    """Where a device is announced; `device` + is a filter for all."""
    return f"{prefix}/device/{device}/config"


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says `online` when it has started."""
    return f"{prefix}/status"


def node_device(home: Home) -> dict[str, Any]:
    """The node's announcement."""
    device = {"name": home.topics.node, "model": home.hardware, "sw_version": home.version}
    lane = Lane(stream="")
    components = {entity.key: _component(home, entity, lane, entity.key) for entity in _entities("node")}
    return _announcement(home, home.node_id, device, components)


def stream_device(home: Home, lane: Lane) -> dict[str, Any]:
    """A stream's announcement, with an entity for each zone and line that exists."""
    device = {
        "name": lane.name or f"{home.topics.node} {lane.stream}",
        "model": "camera" if lane.camera else "video",
        "suggested_area": lane.area,
        "via_device": home.node_id,
    }
    components: dict[str, Any] = {}
    for entity in _entities("stream"):
        if not (entity.files_only and lane.camera) and not (entity.component == "select" and not lane.models):
            for place in _places(entity, lane):
                key = _put(entity.key, place)
                components[key] = _component(home, entity, lane, key, place)
    return _announcement(home, home.stream_id(lane.stream), device, components)


def with_removed(announcement: dict[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """The announcement that also takes back components (key -> platform) of an earlier one, which it must name."""
    gone = {key: {"platform": platform} for key, platform in before.items() if key not in announcement["components"]}
    return {**announcement, "components": {**announcement["components"], **gone}}


def announced(payload: bytes, home: Home) -> dict[str, str]:
    """The components (key -> platform) that a message on a config topic announces for a stream or node of ours."""
    try:
        values = json.loads(payload)
        places = [place["topic"] for place in values["availability"]]
        components = {key: str(value["platform"]) for key, value in values["components"].items() if len(value) > 1}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return components if home.topics.status in places else {}


def commanded_methods() -> tuple[str, ...]:
    """The methods that Home Assistant calls."""
    return tuple(sorted({entity.method for entity in all_entities() if entity.method}))


def read_topics(topics: Topics) -> tuple[str, ...]:
    """The topics that the entities of every stream read."""
    lane = Lane(stream="+")
    read = {_topic(topics, entity, lane) for entity in all_entities() if entity.source is not Source.NONE}
    return tuple(sorted(read | {topics.status, topics.stream("+", Source.STATE.value)}))


def is_camera(uri: str, state: types_pb2.StreamState) -> bool:
    """Whether an input has no end; a job with a progress has one, whatever its input looks like."""
    scheme, _, rest = uri.partition(":")
    if state.HasField("progress"):
        return False
    if scheme in ("http", "https"):
        return not re.split(r"[?#]", rest)[0].lower().endswith(VIDEO_SUFFIXES)
    if scheme == "synthetic":
        return bool(re.search(r"[?&]seconds=0+(\.0*)?(&|$)", rest))
    return scheme in ("rtsp", "rtsps", "v4l2")


def models(names: Iterable[str]) -> tuple[str, ...]:
    """The names to choose from, without the sha8 that a loaded model's carries."""
    return tuple(sorted({name.split("@")[0] for name in names if name}))


def _entities(of: str) -> list[Entity]:
    return [entity for entity in all_entities() if entity.of == of]


def _places(entity: Entity, lane: Lane) -> Sequence[str]:
    return {"": ("",), "zone": lane.zones, "line": lane.lines}[entity.each]


def _put(text: str, place: str) -> str:
    return text.replace("PLACE", place) if place else text


def _component(home: Home, entity: Entity, lane: Lane, key: str, place: str = "") -> dict[str, Any]:
    device = home.stream_id(lane.stream) if entity.of == "stream" else home.node_id
    unique = f"{device}_{key}"
    config: dict[str, Any] = {
        "platform": entity.component,
        "unique_id": unique,
        # The same in every language; Home Assistant 2025.4 does not know it and goes by the names.
        "default_entity_id": f"{entity.component}.{_slug(unique.removeprefix('herdlink_'))}",
        "name": _put(entity.korean if home.language == "ko" else entity.name, place),
        **entity.options,
        **_reading(home, entity, lane, place),
        **_commanding(home, entity, lane),
        **_availability(home, entity, lane),
    }
    if entity.component == "select":
        config["options"] = list(lane.models)
    if entity.is_off(lane):
        config["enabled_by_default"] = False
    return config


def _reading(home: Home, entity: Entity, lane: Lane, place: str) -> dict[str, Any]:
    key = _STATE_KEYS.get(entity.source, "state_topic")
    topic = _topic(home.topics, entity, lane)
    value = _put(entity.value, place)
    if "value_json" in value:
        value = f"{{% if value_json is defined %}}{value}{{% endif %}}"
    return {**({key: topic} if key else {}), **({"value_template": value} if value else {})}


def _commanding(home: Home, entity: Entity, lane: Lane) -> dict[str, Any]:
    if not entity.method:
        return {}
    stream = f'"stream": {json.dumps(lane.stream)}'
    payloads = {
        # The space parts a template's braces from the object's.
        name: f"{{{stream}{', ' + members if members else ''} }}"
        for name, members in entity.payloads.items()
    }
    return {"command_topic": home.topics.command(entity.method), **payloads}


def _availability(home: Home, entity: Entity, lane: Lane) -> dict[str, Any]:
    """What differs from the device's own, which is the status."""
    if entity.source in _ALWAYS:
        return {"availability": []}
    if entity.source is Source.SUMMARY:
        running = {"topic": home.topics.stream(lane.stream, "state"), "value_template": _RUNNING}
        return {"availability": [_online(home), running], "availability_mode": "all"}
    return {}


def _online(home: Home) -> dict[str, str]:
    return {"topic": home.topics.status, "value_template": _ONLINE}


def _topic(topics: Topics, entity: Entity, lane: Lane) -> str:
    word = entity.source.value
    return topics.stream(lane.stream, word) if entity.of == "stream" else topics.of_node(word)


def _announcement(home: Home, id_: str, device: dict[str, str], components: dict[str, Any]) -> dict[str, Any]:
    told = {"identifiers": [id_], "manufacturer": "herdlink", **device}
    origin = {"name": "herdlink", "sw_version": home.version}
    return {
        "device": {key: value for key, value in told.items() if value},
        "origin": {key: value for key, value in origin.items() if value},
        "availability": [_online(home)],
        "qos": 1,
        "components": components,
    }


def _slug(text: str) -> str:
    """A part of an entity id: small letters, digits and single underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
