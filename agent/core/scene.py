"""What somebody has drawn on a stream's picture: the area that counts, zones, lines, and the ground in metres.

A point is (x, y), each 0..1 of the picture. The middle of a box stands for its animal everywhere, the same point as
the distances have: it jitters least, it stays when the animal turns, and a camera over a pen sees it. With a camera
that looks from the side draw everything where the middles of the animals come to lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon."""

    name: str
    polygon: tuple[Point, ...]
    tell_visits: bool = False
    """Whether each animal that enters or leaves is worth an event."""


@dataclass(frozen=True, slots=True)
class Line:
    """A named segment. Whoever goes over it to the side of `inside` has entered, the other way left."""

    name: str
    start: Point
    end: Point
    inside: Point


@dataclass(frozen=True, slots=True)
class Ground:
    """Four points whose places on the ground are known: either as the corners of a rectangle or each by itself."""

    points: tuple[Point, ...] = ()
    width_m: float = 0.0
    """From the first to the second."""
    length_m: float = 0.0
    """From the second to the third."""
    metres: tuple[Point, ...] = ()

    @property
    def corners_m(self) -> NDArray[np.float64]:
        """(4, 2) in metres."""
        width, length = self.width_m, self.length_m
        return np.array(self.metres or ((0, 0), (width, 0), (width, length), (0, length)), np.float64)


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it; empty means: not drawn, and the area is the whole picture."""

    area: tuple[Point, ...] = ()
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    ground: Ground = Ground()


NO_SCENE: Final = Scene()


def read(values: Mapping[str, Any]) -> Scene:
    """The scene of its own `asdict`, also when it has been JSON in between."""
    return Scene(
        area=_points(values.get("area", ())),
        zones=tuple(Zone(**{**zone, "polygon": _points(zone["polygon"])}) for zone in values.get("zones", ())),
        lines=tuple(
            Line(line["name"], *(_point(line[key]) for key in ("start", "end", "inside")))
            for line in values.get("lines", ())
        ),
        ground=_read_ground(values.get("ground") or {}),
    )


def pixels(points: Sequence[Point], size: tuple[int, int]) -> NDArray[np.float64]:
    """(M, 2) in a picture of (height, width) pixels."""
    height, width = size
    return np.array(points, np.float64).reshape(-1, 2) * [width, height]


def _point(value: Sequence[float]) -> Point:
    x, y = value
    return float(x), float(y)


def _points(values: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    return tuple(_point(value) for value in values)


def _read_ground(values: Mapping[str, Any]) -> Ground:
    return Ground(
        _points(values.get("points", ())),
        float(values.get("width_m", 0.0)),
        float(values.get("length_m", 0.0)),
        _points(values.get("metres", ())),
    )
