"""What all trackers of this kind share: predict, associate, correct, begin, end. What tells them apart is a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.association import Pairs, others
from agent.core.tracking.gallery import Gallery
from agent.core.tracking.life import Life
from agent.core.tracking.motion import Motion, MotionModel
from agent.core.types import Detections, Tracks

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tracked:
    """N tracks as an association sees them, predicted to the time of the frame; row i is track i in all three."""

    motion: Motion
    life: Life
    gallery: Gallery


Associate = Callable[[Tracked, Detections], Pairs]
"""Which of the detections belong to which tracks; no track and no detection twice."""


class BoxTracker:
    """Follows boxes from frame to frame. A detection's class is its track's class for life: they never mix.

    The boxes that come out are the detections' own, which the detector saw, not the filter's, which lag behind an
    animal that turns. In the first `hits_to_confirm` frames tracks are told at once, as SORT does: a short clip counts.
    """

    def __init__(
        self,
        *,
        model: MotionModel,
        associate: Associate,
        threshold: float,
        first_id: int,
        hits_to_confirm: int,
        lost_s: float,
    ) -> None:
        life = Life(first_id=first_id, hits_to_confirm=hits_to_confirm, lost_s=lost_s)
        self._tracked = Tracked(Motion(model), life, Gallery())
        self._associate = associate
        self._threshold = threshold
        self._hurry = hits_to_confirm
        self._last_time: float | None = None
        self._now = 0.0

    def update(self, detections: Detections, time: float) -> Tracks:
        """The tracks seen in the frame of this time, by growing id. A time that does not grow counts as no time."""
        found = _in_order(detections, self._threshold)
        self._advance(time)
        rows, columns = self._associate(self._tracked, found)
        self._correct(rows, found[columns])
        fresh = others(len(found), columns)
        rows = np.concatenate([rows, self._begin(found[fresh])])
        self._tracked.life.confirm(at_once=self._hurry > 0)
        self._hurry = max(0, self._hurry - 1)
        return self._tracks(rows, found[np.concatenate([columns, fresh])])

    def _advance(self, time: float) -> None:
        """Forgets what is over and moves the rest to `time`, on a clock of its own that never goes back."""
        step_s = max(0.0, time - self._last_time) if self._last_time is not None else 0.0
        self._last_time = time
        self._now += step_s
        motion, life, gallery = self._tracked.motion, self._tracked.life, self._tracked.gallery
        over = life.over(self._now)
        if over.any():
            for part in (motion, life, gallery):
                part.keep(~over)
        motion.predict(step_s)

    def _correct(self, rows: Rows, found: Detections) -> None:
        self._tracked.motion.correct(rows, found.boxes)
        self._tracked.life.see(rows, self._now)
        self._tracked.gallery.add(rows, found.features)

    def _begin(self, found: Detections) -> Rows:
        if len(found):
            self._tracked.motion.begin(found.boxes)
            self._tracked.gallery.begin(found.features)
        return self._tracked.life.begin(found.classes, self._now)

    def _tracks(self, rows: Rows, found: Detections) -> Tracks:
        life = self._tracked.life
        told = np.flatnonzero(life.confirmed[rows])
        told = told[np.argsort(life.ids[rows[told]])]
        rows, found = rows[told], found[told]
        return Tracks(life.ids[rows], found.boxes, found.scores, found.classes, life.ages(rows, self._now))


def _in_order(detections: Detections, threshold: float) -> Detections:
    """The detections that count, from left to right: ids do not depend on the order in which a detector lists them."""
    fit = np.flatnonzero((detections.scores >= threshold) & np.isfinite(detections.boxes).all(axis=1))
    keys = (detections.classes, detections.scores, *detections.boxes.T[::-1])
    return detections[fit[np.lexsort([key[fit] for key in keys])]]
