"""Drawing a scene on a picture: lightly, since the animals are what is looked at."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from agent.core import geometry
from agent.core.picture import Colour, plate
from agent.core.scene import NO_SCENE, Ground, Line, Scene, pixels
from agent.core.types import Doubles, Image

_OUTSIDE: Final = 0.55
"""How bright what does not count stays."""
_WHITE: Final = (255, 255, 255)
_GROUND: Final = (200, 220, 120)
_ZONE: Final = (255, 190, 90)
_LINE: Final = (60, 220, 255)
_TINT: Final = 0.15
_SHIFT: Final = 3
"""Corners are drawn to the eighth of a pixel."""
_GRID_PARTS: Final = 8


def draw_scene(image: Image, scene: Scene, *, grid: bool = False) -> Image:
    """A new picture with area, zones and lines, and with `grid` the ground in metres; the same one where none is."""
    if scene == NO_SCENE:
        return image
    canvas = np.ascontiguousarray(image).copy()
    height, width = canvas.shape[:2]
    size = (height, width)
    if scene.area:
        _area(canvas, pixels(scene.area, size))
    if grid and scene.ground.points:
        _grid(canvas, scene.ground, size)
    for zone in scene.zones:
        corners = pixels(zone.polygon, size)
        _tint(canvas, corners)
        _outline(canvas, corners, _ZONE, _stroke(canvas))
        _name(canvas, corners[corners[:, 1].argmin()], zone.name, _ZONE)
    for line in scene.lines:
        _line(canvas, line, size)
    return canvas


def _area(canvas: Image, corners: Doubles) -> None:
    """What lies outside is darker, whatever is drawn later."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
    dark = cv2.convertScaleAbs(canvas, alpha=_OUTSIDE)
    cv2.copyTo(dark, 255 - mask, canvas)
    _outline(canvas, corners, _WHITE, 1)


def _tint(canvas: Image, corners: Doubles) -> None:
    """A breath of colour over a zone; only the part of the picture that it lies in is touched."""
    points = np.round(corners).astype(np.int32)
    left, top, wide, high = cv2.boundingRect(points)
    part = canvas[top : top + high, left : left + wide]
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mask, [points], 255, offset=(-left, -top))
    colour = np.full_like(part, _ZONE)
    cv2.copyTo(cv2.addWeighted(part, 1 - _TINT, colour, _TINT, 0.0), mask, part)


def _line(canvas: Image, line: Line, size: tuple[int, int]) -> None:
    """The segment, with an arrow the way that is `entered`."""
    start, end, inside = pixels((line.start, line.end, line.inside), size)
    along = end - start
    across = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    across *= np.sign(geometry.side(inside[None], start, end)[0])
    middle, reach = (start + end) / 2, 0.05 * min(size)
    stroke = _stroke(canvas) + 1
    cv2.line(canvas, _whole(start), _whole(end), _LINE, stroke, cv2.LINE_AA)
    cv2.arrowedLine(canvas, _whole(middle), _whole(middle + reach * across), _LINE, stroke, cv2.LINE_AA, tipLength=0.45)
    _name(canvas, start if start[1] < end[1] else end, line.name, _LINE)


def _grid(canvas: Image, ground: Ground, size: tuple[int, int]) -> None:
    """Lines a round number of metres apart over the calibrated field, with their metres at its edges."""
    corners, corners_m = pixels(ground.points, size), ground.corners_m
    to_picture = np.asarray(np.linalg.inv(geometry.homography(corners, corners_m)), np.float64)
    low, high = corners_m.min(0), corners_m.max(0)
    step = _round_step(float((high - low).max()) / _GRID_PARTS)
    for axis in (0, 1):
        for at in np.arange(np.ceil(low[axis] / step - 1e-9), high[axis] / step + 1e-9) * step:
            ends = np.array([low, high])
            ends[:, axis] = at
            start, end = _seen(to_picture, ends)
            cv2.line(canvas, _whole(start), _whole(end), _GROUND, 1, cv2.LINE_AA)
            _name(canvas, start, f"{at + 0.0:g} m", _GROUND)
    _outline(canvas, corners, _GROUND, _stroke(canvas) + 1)


def _seen(to_picture: Doubles, points_m: Doubles) -> Doubles:
    """(N, 2) pixels of (N, 2) metres. Within the field no divisor is 0."""
    mapped = np.column_stack([points_m, np.ones(len(points_m))]) @ to_picture.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def _round_step(least: float) -> float:
    """The smallest of 0.1, 0.2, 0.5, 1, 2, 5 ... that is not less."""
    magnitude = 10.0 ** np.floor(np.log10(least))
    return float(next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= least * 0.999))


def _outline(canvas: Image, corners: Doubles, colour: Colour, stroke: int) -> None:
    points = np.round(corners * 2**_SHIFT).astype(np.int32)
    cv2.polylines(canvas, [points], True, colour, stroke, cv2.LINE_AA, _SHIFT)


def _name(canvas: Image, place: Doubles, text: str, colour: Colour) -> None:
    x, y = _whole(place)
    plate(canvas, x, y, text, colour)


def _whole(place: Doubles) -> tuple[int, int]:
    x, y = np.clip(np.nan_to_num(place), -30_000, 30_000)
    return round(float(x)), round(float(y))


def _stroke(canvas: Image) -> int:
    height, width = canvas.shape[:2]
    return max(1, round(float(min(height, width)) / 360))
