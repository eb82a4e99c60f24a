"""Drops what lies outside of a stream's area, before it is tracked.

Before: the neighbour's animals shall take no track, no id and, with a known count, no place in this herd. An animal
that stands on the border would come and go with every jitter of its box, so that who is in stays until the middle of
the box is out by a seventh of its longer side.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.core import geometry
from agent.core.scene import Point, pixels
from agent.core.types import Detections, Floats

_MARGIN: Final = 0.15
_MEMORY_S: Final = 2.0
"""How long a detector may miss an animal that stands outside by less than the margin."""
_MOST: Final = 4096
"""Boxes remembered at most, whatever a clock does."""
_SAME: Final = 0.5
"""Two boxes belong together whose middles are apart by less than this share of the longer side."""


class Area:
    """One job's area, a polygon of 0..1 points; without points all counts."""

    def __init__(self, polygon: tuple[Point, ...]) -> None:
        self._polygon = polygon
        self._kept = np.zeros((0, 3))
        """(N, 3) middles and times of those that were in."""

    def keep(self, detections: Detections, time: float, size: tuple[int, int]) -> Detections:
        """Those within the area of a picture of (height, width) pixels; times must grow."""
        if not self._polygon:
            return detections
        self._kept = self._kept[time - self._kept[:, 2] <= _MEMORY_S][-_MOST:]
        middles, sides = _middles(detections.boxes)
        depth = geometry.depth(middles, pixels(self._polygon, size)) / sides
        near = (depth < 0) & (depth >= -_MARGIN)
        within = depth >= 0
        if near.any():
            within |= near & self._were_in(middles, sides)
        self._kept = np.concatenate([self._kept, np.column_stack([middles[within], np.full(within.sum(), time)])])
        return detections[within]

    def _were_in(self, middles: NDArray[np.float64], sides: NDArray[np.float64]) -> NDArray[np.bool_]:
        if not len(self._kept):
            return np.zeros(len(middles), np.bool_)
        apart = np.linalg.norm(middles[:, None] - self._kept[None, :, :2], axis=2)
        return np.asarray(apart.min(1) < _SAME * sides)


def _middles(boxes: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 2) middles and (N,) longer sides of (N, 4) boxes."""
    corners = boxes.astype(np.float64)
    sides = np.maximum(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    return (corners[:, :2] + corners[:, 2:]) / 2, np.maximum(sides, 1.0)
