"""What a Home Assistant entity is made of. Each file in bridge/core/entities holds one, as ENTITY."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

EVENT_TYPES = (
    "line_crossed",
    "zone_occupied",
    "zone_empty",
    "zone_entered",
    "zone_left",
    "animal_still",
    "count_off",
    "count_ok",
    "person_seen",
    "camera_lost",
    "camera_back",
    "view_changed",
    "model_changed",
    "job_ended",
    "job_failed",
    "disk_low",
    "broker_gap",
)
"""Every event_type of the contract; Home Assistant takes no other."""


class Source(Enum):
    """The topic that an entity reads, as the last words of its name."""

    SUMMARY = "summary"
    STATE = "state"
    EVENT = "event"
    SNAPSHOT = "snapshot"
    STATUS = "status"
    HEALTH = "health"
    NONE = ""
    """None: it only commands."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What discovery knows of one stream."""

    stream: str
    name: str = ""
    area: str = ""
    camera: bool = False
    """Its input has no end."""
    ground: bool = False
    """Its summaries tell metres."""
    models: tuple[str, ...] = ()
    """The names to choose from."""
    zones: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a stream or of a node. In an entity for each zone or line, PLACE stands for its name."""

    of: Literal["stream", "node"]
    component: str
    """Home Assistant's platform, e.g. "sensor"."""
    key: str
    name: str
    korean: str
    source: Source
    value: str = ""
    """The template of its state: `value_json` is the message, `value` its text."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Home Assistant's own keys, e.g. {"device_class": "problem"}."""
    method: str = ""
    """The command it gives; the stream's name goes with it."""
    payloads: Mapping[str, str] = field(default_factory=dict)
    """Home Assistant's key -> the JSON members after the stream's name, e.g. {"payload_on": '"enabled": true'}."""
    each: Literal["", "zone", "line"] = ""
    files_only: bool = False
    off: Literal["", "always", "cameras", "without ground"] = ""
    """Where it is disabled until somebody enables it."""

    def is_off(self, lane: Lane) -> bool:
        """Whether it begins disabled for this stream."""
        return {"": False, "always": True, "cameras": lane.camera, "without ground": not lane.ground}[self.off]


def seen(expression: str) -> str:
    """A template of a summary's value, which is unknown while nothing is seen: 0 there would be a lie."""
    return f"{{{{ ({expression}) if value_json.coveredS > 0 else None }}}}"
