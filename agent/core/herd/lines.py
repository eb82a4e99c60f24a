"""Who goes over which line: beyond a margin on both sides, between its ends, and not back within seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.core import geometry
from agent.core.herd.trails import SLOTS, Steps
from agent.core.herd.zones import MARGIN_BL, RETURN_S
from agent.core.scene import Line, pixels
from agent.core.types import Doubles, LineSummary


@dataclass(frozen=True, slots=True)
class Crossing:
    """An animal went over a line."""

    time: float
    animal: int
    entered: bool
    track: int
    label: int


class Gate:
    """One line of one job."""

    def __init__(self, line: Line, totals: LineSummary, size: tuple[int, int]) -> None:
        self.line = line
        self._totals = totals
        self._start, self._end, inside = pixels((line.start, line.end, line.inside), size)
        self._length = float(np.linalg.norm(self._end - self._start))
        self._sign = math.copysign(1.0, float(geometry.side(inside[None], self._start, self._end)[0]))
        self._sides = np.zeros(SLOTS, np.int8)
        """Where each was last beyond the margin: 1 inside, -1 outside, 0 not known."""
        self._between = np.zeros(SLOTS, np.bool_)
        """Whether each met the line between its ends when it last met it."""
        self._open: dict[int, Crossing] = {}
        self._entered = self._left = 0

    def add(self, steps: Steps) -> None:
        """One frame."""
        slots = steps.slots
        now, before = self._away(steps.new), self._away(steps.old)
        sides = np.where(steps.fresh, 0, self._sides[slots])
        met = np.signbit(now) != np.signbit(before)
        where = geometry.passage(steps.old, steps.new, self._start, self._end)
        spare = MARGIN_BL * steps.lengths / self._length
        between = np.where(met, (where >= -spare) & (where <= 1 + spare), self._between[slots] & ~steps.fresh)
        side = np.where(np.abs(now) >= MARGIN_BL * steps.lengths, np.sign(now), sides).astype(np.int8)
        for row in np.nonzero((sides != 0) & (side != sides) & between)[0]:
            track, label = int(steps.tracks.ids[row]), int(steps.tracks.classes[row])
            self._cross(Crossing(steps.time, int(steps.animals[row]), bool(side[row] > 0), track, label))
        self._sides[slots], self._between[slots] = side, between

    def _cross(self, crossing: Crossing) -> None:
        """Back at once: neither has been."""
        if self._open.pop(crossing.animal, None) is None:
            self._open[crossing.animal] = crossing

    def settle(self, time: float) -> list[Crossing]:
        """The crossings from which nobody came back by now."""
        settled = [crossing for crossing in self._open.values() if time - crossing.time >= RETURN_S]
        for crossing in settled:
            del self._open[crossing.animal]
            self._entered += crossing.entered
            self._left += not crossing.entered
        return settled

    @property
    def totals(self) -> LineSummary:
        """With what the open window has so far."""
        return LineSummary(
            entered=self._entered,
            left=self._left,
            total_entered=self._totals.total_entered + self._entered,
            total_left=self._totals.total_left + self._left,
        )

    def take(self) -> LineSummary:
        """The open window; a new one begins."""
        summary = self._totals = self.totals
        self._entered = self._left = 0
        return summary

    def _away(self, points: Doubles) -> Doubles:
        """(N,) pixels from the line, positive on the side where an animal has entered."""
        return self._sign * geometry.side(points, self._start, self._end)
