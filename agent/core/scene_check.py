"""Whether a scene can be meant, in sentences for whoever has drawn it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.core import geometry
from agent.core.errors import InvalidArgument
from agent.core.names import shorten
from agent.core.scene import Ground, Line, Point, Scene

MOST_PLACES: Final = 32
"""Zones at most, and as many lines."""
MOST_CORNERS: Final = 64
MOST_METRES: Final = 1000.0
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_LEAST_AREA: Final = 1e-5
"""Of the picture."""
_LEAST_FIELD: Final = 1e-3
"""Of the picture: four points closer together say nothing of the rest."""
_LEAST_FIELD_M2: Final = 0.01
_LEAST_SIDE: Final = 1e-3


def check(scene: Scene) -> None:
    """Raises InvalidArgument (BAD_SCENE) for what cannot be meant."""
    for what, count in (("zones", len(scene.zones)), ("lines", len(scene.lines))):
        if count > MOST_PLACES:
            raise _bad(f"a scene has at most {MOST_PLACES} {what}; this one has {count}")
    _check_names([*(zone.name for zone in scene.zones), *(line.name for line in scene.lines)])
    if scene.area:
        _check_polygon("the area", scene.area)
    for zone in scene.zones:
        _check_polygon(f"zone {zone.name}", zone.polygon)
    for line in scene.lines:
        _check_line(line)
    if scene.ground != Ground():
        _check_ground(scene.ground)


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise _bad(f"a zone's or line's name has 1 to 32 letters, digits, - and _; {shorten(name)!r} has not")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise _bad(f"the name {twice} is there twice; each zone and each line has a name of its own")


def _check_points(what: str, points: Sequence[Point]) -> None:
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise _bad(f"{what}: the point ({x:g}, {y:g}) lies outside of the picture, which is 0 to 1 both ways")


def _check_polygon(what: str, points: Sequence[Point]) -> None:
    if not 3 <= len(points) <= MOST_CORNERS:
        raise _bad(f"{what} is a polygon of 3 to {MOST_CORNERS} points; it has {len(points)}")
    _check_points(what, points)
    corners = np.array(points)
    if np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1).min() < _LEAST_SIDE:
        raise _bad(f"{what}: two neighbouring points are the same; leave one out (the last joins the first by itself)")
    if geometry.crosses_itself(corners):
        raise _bad(f"{what} crosses itself; give its points in the order in which one walks around it")
    if geometry.area(corners) < _LEAST_AREA:
        raise _bad(f"{what} has no area; its points lie on one line")


def _check_line(line: Line) -> None:
    what = f"line {line.name}"
    _check_points(what, (line.start, line.end, line.inside))
    if math.dist(line.start, line.end) < _LEAST_SIDE:
        raise _bad(f"{what}: start and end are the same point")
    away = geometry.side(np.array([line.inside]), np.array(line.start), np.array(line.end))
    if abs(float(away[0])) < _LEAST_SIDE:
        raise _bad(f"{what}: `inside` lies on the line; put it on the side where an animal has entered")


def _check_ground(ground: Ground) -> None:
    if len(ground.points) != 4:
        raise _bad(f"the ground needs four points whose places are known; it has {len(ground.points)}")
    _check_points("the ground", ground.points)
    if bool(ground.metres) == bool(ground.width_m or ground.length_m):
        raise _bad("the ground needs either width_m and length_m of a rectangle or the metres of its four points")
    if ground.metres and len(ground.metres) != 4:
        raise _bad(f"the ground needs the metres of each of its four points; it has {len(ground.metres)}")
    corners = ground.corners_m
    if not (np.abs(corners) <= MOST_METRES).all():
        raise _bad(f"the ground's metres are at most {MOST_METRES:g}")
    if (corners < 0).any() and not ground.metres:
        raise _bad("the ground's width_m and length_m are greater than 0")
    points = np.array(ground.points)
    wide = geometry.area(points) >= _LEAST_FIELD and geometry.area(corners) >= _LEAST_FIELD_M2
    if not (wide and geometry.is_convex(points) and geometry.is_convex(corners)):
        raise _bad(
            "the ground's four points must go around a field that is wide enough and has no dent, "
            "in the picture and in metres, in the same order"
        )


def _bad(message: str) -> InvalidArgument:
    return InvalidArgument("BAD_SCENE", message)
