"""Deals out one frame's detections to the tracks, in rounds.

Known bodies go first, by overlap with where they should be now, which counts for less the longer one was not seen; then
those not told yet; then lost bodies are looked for by distance, and last come the poor boxes (ByteTrack,
arXiv:2110.06864). Before all of them, fixtures take the poor boxes at their place, so that no body is left with one.
A box that lies on one that is taken is mostly a second box of the same body: only a body that it fits better than it
fits the taken box may have it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.bodies import Bodies
from agent.core.tracking.found import Found
from agent.core.tracking.looks import Looks
from agent.core.tracking.pairs import best, corners, overlapping, shares
from agent.core.tracking.roll import ROUNDING_S, Roll
from agent.core.types import Doubles

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
OVERLAP = 0.2
"""Least intersection over union of a body and a confident box."""
POOR_OVERLAP = 0.3
"""Of a body and a poor box."""
FIXTURE_OVERLAP = 0.5
"""Of a fixture and its box."""
LATE = 1.0
"""How fast a lost body's claim falls: after 1 s to a half, after 2 to a third."""
POOR_S = 1.0
"""A body that was not seen for so long is not continued by a poor box."""
REACH, REACH_PER_S, REACH_MOST = 0.5, 0.5, 2.0
"""How far a lost body may have gone astray, in body lengths: at once, each second, at most."""
AREA_RATIO = 1.5
"""Within which the areas of a lost body and of the box it is found by lie."""
COVERED = 0.5
"""A box that is covered so far by a taken one finds no lost body."""
LOOKS = 3.0
"""What looks weigh beside overlap where they tell bodies apart for certain: then they can refuse a pair."""
EVEN = 0.5
"""Likeness that speaks neither for nor against."""


class Deal:
    """One frame's dealing; what came of it is in `partner`, `free` and `cover`."""

    def __init__(self, bodies: Bodies, roll: Roll, looks: Looks, found: Found, *, dull: float) -> None:
        """Boxes of scores below `dull` are what a fixture has."""
        self._bodies, self._roll, self._looks, self._found = bodies, roll, looks, found
        self.partner = np.full(len(roll), -1)
        """(N,) each track's detection, or -1."""
        self.free = np.ones(len(found), np.bool_)
        """(M,) detections not taken."""
        self.left = found.sure.copy()
        """(M,) those of them that are confident."""
        self.cover = np.zeros(len(found))
        """(M,) how far a free detection lies on one that is taken: intersection over union."""
        self._dull = dull
        self._any_taken = False

    def all(self, step_s: float) -> None:
        """All rounds of a frame `step_s` after the last one."""
        found, roll = self._found, self._roll
        if not len(roll) or not len(found):
            return
        self._rows, self._columns, self._share = self._pairs()
        worth = self._share * found.scores[self._columns]
        self._likeness = self._compare()
        if len(self._likeness):
            worth = self._refuse(worth)
        if roll.missed:
            worth /= (1 + LATE * (roll.unseen_s - step_s))[self._rows]
        bodies = roll.told
        if roll.has_fixtures:
            fixtures = roll.fixtures
            bodies = bodies > fixtures
            self._round(fixtures, found.scores < self._dull, worth, least=FIXTURE_OVERLAP)
        self._round(bodies, self.left, worth)
        if np.count_nonzero(self.left):
            self._round(~bodies, self.left, worth)
            self._find_lost(bodies)
        poor = self.free > found.sure
        if np.count_nonzero(poor):
            self._round(roll.unseen_s <= POOR_S + step_s + ROUNDING_S, poor, self._share, least=POOR_OVERLAP)

    def _pairs(self) -> tuple[Rows, Rows, Doubles]:
        """Bodies and boxes of one class that overlap enough."""
        rows, columns, share = overlapping(corners(self._bodies.places), self._found.corners, OVERLAP)
        classes = self._found.classes
        kinds = set(classes.tolist())
        self._mixed = len(kinds) > 1
        if self._mixed or kinds != self._roll.kinds:
            same = self._roll.classes[rows] == classes[columns]
            rows, columns, share = rows[same], columns[same], share[same]
        return rows, columns, share

    def _compare(self) -> Doubles:
        """(N, M) what looks add to the worth of a pair, below 0 where they speak against; (0, 0): they say nothing."""
        weight = self._looks.weight() if self._found.features.shape[1] else 0.0
        if weight <= 0:
            return np.zeros((0, 0))
        likeness = self._looks.alike(self._found.features)
        likeness -= EVEN
        likeness *= LOOKS * weight
        return likeness

    def _refuse(self, worth: Doubles) -> Doubles:
        """The worth of the pairs that are left with what looks say added; they may refuse one."""
        worth = worth + self._likeness[self._rows, self._columns]
        likely = worth > 0
        self._rows, self._columns, self._share = self._rows[likely], self._columns[likely], self._share[likely]
        return worth[likely]

    def _round(self, who: Mask, what: Mask, worth: Doubles, *, least: float = 0.0) -> None:
        """Deals free boxes of `what` (M,) to tracks `who` (N,) by the worth of each pair that overlaps by `least`."""
        rows, columns = self._rows, self._columns
        if self._any_taken:
            who, what = who & (self.partner < 0), what & self.free
        fit = who[rows]
        fit &= what[columns]
        if self._any_taken or least:
            fit &= self._share > np.maximum(self.cover, least)[columns]
        pairs = fit.nonzero()[0]
        if len(pairs):
            rows, columns = rows[pairs], columns[pairs]
            chosen = best(rows, columns, worth[pairs])
            self._take(rows[chosen], columns[chosen])

    def _find_lost(self, who: Mask) -> None:
        """Looks for bodies that are not where they should be, by distance within a reach that grows."""
        found, roll = self._found, self._roll
        lost = (who & (self.partner < 0)).nonzero()[0]
        left = (self.left & (self.cover < COVERED)).nonzero()[0]
        if not len(lost) or not len(left):
            return
        bodies, boxes = self._bodies.places[:, lost, None], found.places[:, None, left]
        area, other = bodies[2] * bodies[3], found.corners[4, left]
        apart = bodies[:2] - boxes[:2]
        apart *= apart
        distance = np.sqrt((apart[0] + apart[1]) / area)
        reach = np.minimum(REACH + REACH_PER_S * roll.unseen_s[lost], REACH_MOST)[:, None]
        near = distance < reach
        near &= other < AREA_RATIO * area
        near &= area < AREA_RATIO * other
        near &= roll.classes[lost, None] == found.classes[left]
        if len(self._likeness):
            near &= self._likeness[np.ix_(lost, left)] > 0
        rows, columns = near.nonzero()
        if len(rows):
            # Every body that is found is worth more than all that others would have to go further.
            chosen = best(rows, columns, (2 - distance / reach - 0.2 * distance)[rows, columns])
            self._take(lost[rows[chosen]], left[columns[chosen]])

    def _take(self, rows: Rows, columns: Rows) -> None:
        self._any_taken = True
        self.partner[rows] = columns
        self.free[columns] = self.left[columns] = False
        free = self.free.nonzero()[0]
        if len(free):
            found = self._found
            share = shares(found.corners.take(free, axis=1), found.corners.take(columns, axis=1))
            if self._mixed:
                share *= found.classes[free, None] == found.classes[columns]
            self.cover[free] = np.maximum(self.cover[free], share.max(axis=1))
