"""Points, polygons, lines and a plane seen by a camera. Pictures have their y axis downwards; any unit will do."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles

_HORIZON: Final = 0.2
"""A point is mapped as long as it is at most five times as far away as the farthest of the four: towards the horizon a
pixel becomes a field.
"""


def inside(points: Doubles, polygon: Doubles) -> NDArray[np.bool_]:
    """(N,) whether (N, 2) points lie within an (M, 2) polygon (even-odd rule)."""
    x, y = points[:, None, 0], points[:, None, 1]
    (ax, ay), (bx, by) = polygon.T, np.roll(polygon, -1, axis=0).T
    straddles = (ay > y) != (by > y)
    rise = np.where(ay == by, 1.0, by - ay)
    crosses = straddles & (x < ax + (y - ay) / rise * (bx - ax))
    return np.asarray(crosses.sum(1) % 2 == 1)


def depth(points: Doubles, polygon: Doubles) -> Doubles:
    """(N,) distance from (N, 2) points to the outline of an (M, 2) polygon: positive within it, negative without."""
    start = polygon
    along = np.roll(polygon, -1, axis=0) - start
    from_start = points[:, None] - start
    square = np.maximum((along**2).sum(1), 1e-12)
    share = np.clip((from_start * along).sum(2) / square, 0.0, 1.0)
    away = np.linalg.norm(from_start - share[..., None] * along, axis=2).min(1)
    return np.asarray(np.where(inside(points, polygon), away, -away), np.float64)


def side(points: Doubles, start: Doubles, end: Doubles) -> Doubles:
    """(N,) distance from (N, 2) points to the endless line through two points: positive to its right in a picture."""
    along = end - start
    return np.asarray(_cross(along, points - start) / np.linalg.norm(along), np.float64)


def passage(old: Doubles, new: Doubles, start: Doubles, end: Doubles) -> Doubles:
    """(N,) where the ways from (N, 2) to (N, 2) points meet the line through two points: 0 at its start, 1 at its end.

    NaN for a way along the line.
    """
    along, way = end - start, new - old
    slant = _cross(along, way)
    slant = np.where(np.abs(slant) < 1e-12, np.nan, slant)
    return np.asarray(_cross(old - start, way) / slant, np.float64)


def area(polygon: Doubles) -> float:
    """Of an (M, 2) polygon, never negative."""
    return abs(float(_cross(polygon, np.roll(polygon, -1, axis=0)).sum())) / 2


def perimeter(polygon: Doubles) -> float:
    return float(np.linalg.norm(np.roll(polygon, -1, axis=0) - polygon, axis=1).sum())


def crosses_itself(polygon: Doubles) -> bool:
    """Whether two edges of an (M, 2) polygon that are no neighbours touch, or two neighbours lie on each other."""
    count = len(polygon)
    ends = np.roll(polygon, -1, axis=0)
    for i in range(count):
        ahead, back = ends[(i + 1) % count] - ends[i], polygon[i] - ends[i]
        if float(ahead @ back) > 0 and abs(float(_cross(ahead, back))) < 1e-12:
            return True
        for j in range(i + 2, count - (i == 0)):
            if _touch(polygon[i], ends[i], polygon[j], ends[j]):
                return True
    return False


def is_convex(corners: Doubles) -> bool:
    """Whether (M, 2) corners go round once, in either direction, with no three on a line."""
    along = np.roll(corners, -1, axis=0) - corners
    sides = np.linalg.norm(along, axis=1)
    if float(sides.min()) <= 0:
        return False
    sines = _cross(along, np.roll(along, -1, axis=0)) / (sides * np.roll(sides, -1))
    bends = bool((sines > 0.02).all() or (sines < -0.02).all())
    return bends and not crosses_itself(corners)


def homography(image: Doubles, plane: Doubles) -> Doubles:
    """(3, 3) that maps four convex corners (4, 2) in a picture to those of a plane (4, 2), each with a divisor >= 1."""
    matrix = np.asarray(cv2.getPerspectiveTransform(image.astype(np.float32), plane.astype(np.float32)), np.float64)
    divisors = np.column_stack([image, np.ones(4)]) @ matrix[2]
    # With the least of them at 1, `project` needs no more to know what lies too near the horizon.
    return np.asarray(matrix / (np.sign(divisors[0]) * np.abs(divisors).min()), np.float64)


def project(matrices: Doubles, points: Doubles) -> Doubles:
    """(..., N, 2) of (..., 3, 3) homographies and (N, 2) points; NaN near the horizon and beyond it."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ np.swapaxes(matrices, -1, -2)
    divisors = mapped[..., 2:]
    return np.asarray(mapped[..., :2] / np.where(divisors > _HORIZON, divisors, np.nan), np.float64)


def _touch(a: Doubles, b: Doubles, c: Doubles, d: Doubles) -> bool:
    """Whether the segments a-b and c-d have a point in common."""
    ab, cd = b - a, d - c
    turns = [float(_cross(ab, c - a)), float(_cross(ab, d - a)), float(_cross(cd, a - c)), float(_cross(cd, b - c))]
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    pairs = zip(turns, ((a, b, c), (a, b, d), (c, d, a), (c, d, b)), strict=True)
    return any(turn == 0 and _between(*corners) for turn, corners in pairs)


def _between(start: Doubles, end: Doubles, point: Doubles) -> bool:
    """Whether a point of the endless line lies on the segment."""
    return bool((np.minimum(start, end) <= point).all() and (point <= np.maximum(start, end)).all())


def _cross(one: Doubles, other: Doubles) -> Doubles:
    """The third coordinate of the cross products of (..., 2) vectors; NumPy's own wants three."""
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0], np.float64)
