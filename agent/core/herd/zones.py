"""Who is in which zone: beyond a margin of its outline at once, within the margin after a while."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.core import geometry
from agent.core.herd.census import median
from agent.core.herd.trails import SLOTS, Steps
from agent.core.scene import Zone, pixels
from agent.core.types import ZoneSummary

MARGIN_BL: Final = 0.1
RETURN_S: Final = 5.0
"""Who is back within so long has not been away; and who lies just beyond an outline for so long is beyond it."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What N animals did in one zone in one frame, (N,) each."""

    inside: NDArray[np.bool_]
    came: NDArray[np.bool_]
    """A visit begins: it was seen outside, and not just before inside."""
    gone: NDArray[np.bool_]


class Tally:
    """One zone of one job."""

    def __init__(self, zone: Zone, totals: ZoneSummary, size: tuple[int, int]) -> None:
        self.zone = zone
        self.present = 0
        self._totals = totals
        self._outline = pixels(zone.polygon, size)
        # Half of the way to the middle of a small zone: it must be possible to be inside.
        self._widest_px = geometry.area(self._outline) / geometry.perimeter(self._outline)
        self._inside = np.zeros(SLOTS, np.bool_)
        self._settled = np.zeros(SLOTS)
        """Until when each was last on the side of the outline that it is taken for."""
        self._left = np.full(SLOTS, -np.inf)
        self._new_window()

    def _new_window(self) -> None:
        self._counts: Counter[int] = Counter()
        self._animal_s = 0.0
        self._visits = 0

    def add(self, steps: Steps) -> Moves:
        """One frame. Whoever is first seen inside has not come in: ids that are lost and found make no visits."""
        slots, depth = steps.slots, geometry.depth(steps.new, self._outline)
        margin = np.minimum(MARGIN_BL * steps.lengths, self._widest_px)
        was = self._inside[slots] & ~steps.fresh
        within = depth >= 0
        self._settled[slots] = np.where(steps.fresh | (within == was), steps.time, self._settled[slots])
        beyond = (np.abs(depth) >= margin) | (steps.time - self._settled[slots] >= RETURN_S)
        now = np.where(steps.fresh | beyond, within, was)
        self._left[slots[steps.fresh]] = -np.inf
        came = ~steps.fresh & ~was & now & (steps.time - self._left[slots] > RETURN_S)
        self._left[slots[was & ~now]] = steps.time
        self._inside[slots] = now
        self._visits += int(came.sum())
        self.present = int(now.sum())
        self._counts[self.present] += 1
        return Moves(now, came, was & ~now)

    def look(self) -> None:
        """The last frame counts for a window without one."""
        self._counts[self.present] += 1

    def cover(self, seconds: float) -> None:
        """The last frame stood for so long."""
        self._animal_s += seconds * self.present

    def holds(self, slot: int) -> bool:
        """Whether the animal of this slot is inside."""
        return bool(self._inside[slot])

    @property
    def totals(self) -> ZoneSummary:
        """With what the open window has so far."""
        return ZoneSummary(
            count=median(self._counts, self._counts.total()),
            animal_s=self._animal_s,
            visits=self._visits,
            total_animal_s=self._totals.total_animal_s + self._animal_s,
            total_visits=self._totals.total_visits + self._visits,
        )

    def take(self) -> ZoneSummary:
        """The open window; a new one begins."""
        summary = self._totals = self.totals
        self._new_window()
        return summary
