"""Steps in the picture as metres on the ground, with what is not known about them.

What distance_error_ratio (1 sigma) is put together from:
- the corners: whoever clicks one misses it by half a percent of the picture, each coordinate by itself. Every step is
  measured with eight more maps, each with one coordinate off by so much; the squares of what the window's distance
  then differs by are summed up (error propagation to the first order, all steps moving together as they really do);
- the tape: one percent;
- the method: two percent, which is what the distance in body lengths is off by on the simulated herd (docs/numbers.md);
- the unrest of boxes: sideways it makes a step s longer by about sigma^2 / s, sigma being that of one average's
  coordinate, which animals that lie still show.
What it cannot know: animals that are not seen, a lens that bends lines, and backs that are higher than the ground
where the corners were measured (a back at height b under a camera at height c seems to go c / (c - b) of its way).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from agent.core import geometry
from agent.core.scene import Ground, pixels
from agent.core.types import Doubles

MAPS: Final = 9
_CLICK: Final = 0.005
_TAPE: Final = 0.01
_METHOD: Final = 0.02


class Metres:
    """The ground as one camera sees it; without a ground nothing is measured."""

    def __init__(self, ground: Ground, size: tuple[int, int]) -> None:
        self._matrices = np.zeros((0, 3, 3))
        if not ground.points:
            return
        height, width = size
        corners = pixels(ground.points, size)
        shifts = np.zeros((MAPS, 8))
        shifts[1:] = np.diag(np.tile([_CLICK * width, _CLICK * height], 4))
        self._matrices = np.stack(
            [geometry.homography(corners + shift.reshape(4, 2), ground.corners_m) for shift in shifts]
        )

    def __bool__(self) -> bool:
        return len(self._matrices) > 0

    def lengths(self, old: Doubles, new: Doubles) -> Doubles:
        """(9,) metres of all the ways from (N, 2) to (N, 2) pixels together: as calibrated, then with each corner off.

        A way near the horizon or beyond it counts as none.
        """
        ways = geometry.project(self._matrices, new) - geometry.project(self._matrices, old)
        lengths = np.linalg.norm(ways, axis=2)
        # A way that one of the maps does not know is measured by none, so that they stay comparable.
        return np.asarray(np.where(np.isfinite(lengths).all(0), lengths, 0.0).sum(1), np.float64)


def error_ratio(metres: Doubles, unrest: float) -> float | None:
    """1 sigma of a distance over the distance, of (9,) sums of `lengths` and the share that unrest adds; None for 0."""
    if metres[0] <= 0:
        return None
    corners = float(np.linalg.norm(metres[1:] - metres[0])) / float(metres[0])
    return math.hypot(corners, _TAPE, _METHOD, unrest)
