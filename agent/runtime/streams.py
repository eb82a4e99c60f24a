"""What a stream is set to: defaults < settings < commands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from agent.core import scene_check
from agent.core.errors import InvalidArgument
from agent.core.scene import NO_SCENE, Scene, read

DEFAULT_THRESHOLD = 0.3
DEFAULT_TRACKER = "herd"


class Origin(StrEnum):
    """Who set a value."""

    SETTINGS = "SETTINGS"
    COMMAND = "COMMAND"


@dataclass(frozen=True, slots=True)
class StreamValues:
    """One stream as it is set; empty text and 0 mean: not set, not known, no limit."""

    name: str = ""
    area: str = ""
    input: str = ""
    output: str = ""
    enabled: bool = True
    labels: tuple[str, ...] = ()
    threshold: float = DEFAULT_THRESHOLD
    max_fps: float = 0.0
    known_count: int = 0
    model: str = ""
    tracker: str = DEFAULT_TRACKER
    summary_period_s: float = 0.0
    rest_s: float = 0.0
    scene: Scene = NO_SCENE


KEYS = tuple(field.name for field in fields(StreamValues))


RANGES = {
    "threshold": (0.0, 1.0),
    "max_fps": (0.0, 1000.0),
    "known_count": (0, 100_000),
    "summary_period_s": (0.05, 86_400.0),
    "rest_s": (0.0, 60.0),
}
TEXT_LIMIT = 256


def check_ranges(changes: dict[str, Any]) -> None:
    """Raises InvalidArgument: BAD_VALUE for a number out of its range or a text that is too long, BAD_SCENE."""
    for key, (low, high) in RANGES.items():
        if key in changes and not low <= changes[key] <= high:
            raise InvalidArgument("BAD_VALUE", f"{key} is {low:g} to {high:g}; it is {changes[key]}")
    texts = [("labels", text) for text in changes.get("labels", ())]
    texts += [(key, changes[key]) for key in ("name", "area", "model", "tracker") if key in changes]
    if "scene" in changes:
        scene_check.check(read(changes["scene"]))
    for key, text in texts:
        if len(text) > TEXT_LIMIT:
            raise InvalidArgument("BAD_VALUE", f"{key} has at most {TEXT_LIMIT} characters; this one has {len(text)}")


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """A stream's values with where each comes from."""

    settings: dict[str, Any]
    commands: dict[str, Any]

    @property
    def values(self) -> StreamValues:
        merged = {**self.settings, **self.commands}
        if "labels" in merged:
            merged["labels"] = tuple(merged["labels"])
        if "scene" in merged:
            merged["scene"] = read(merged["scene"])
        return StreamValues(**merged)

    @property
    def origins(self) -> dict[str, Origin]:
        """Where each value comes from; a default belongs to the settings."""
        return {key: Origin.COMMAND if key in self.commands else Origin.SETTINGS for key in KEYS}

    def with_commands(self, changes: dict[str, Any]) -> StreamConfig:
        return StreamConfig(self.settings, {**self.commands, **changes})
