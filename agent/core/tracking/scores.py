"""What a detector's scores are worth, learned from what becomes of its boxes.

Detectors differ: of the boxes that score 0.3, one is right in nine of ten, another in one (a second box of an animal,
half of one, a shadow). A box that continues a told track was mostly right; one that nobody had a use for was mostly
wrong. Where boxes of some score are of use far less often than the detector's usual ones, boxes up to that score no
longer begin tracks, as if the threshold had been set higher; as poor boxes they still continue one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles

OF_USE = 2 / 3
"""Share of boxes that continue a told track, to that of the detector's usual boxes: a score below is not trusted."""
SOUND, FIXTURE = 0.75, 0.6
"""Between the threshold (0) and the detector's usual scores (1): where a box speaks well for its track, and how far
what may be a fixture never comes. An animal with a belt or a dark back scores in between for as long as it lies.
"""
LEAST_EVIDENCE = 0.25
"""What the poorest confident box counts: a detector that is never sure must not stay unheard."""
_USUAL_OVER, _USUAL_PRIOR = 2000, 20
"""Boxes over which the mean score runs, and that the first guess counts as."""
_STEPS = 10
"""Of the scores from 0 to 1, each with a share of its own."""
_SHARE_OVER, _SHARE_PRIOR, _FIRST_SHARE = 1000, 10, 0.7
"""Boxes of one step over which its share runs, those that the first guess counts as, and the guess."""
_THINK = 4
"""Every so many frames that taught something, what was counted is thought over."""


class Scores:
    """Of one detector, on one stream."""

    def __init__(self, threshold: float) -> None:
        """The scores of confident boxes begin at `threshold`, or higher where that proves too low."""
        self._given = threshold
        self.sure = threshold
        """Boxes are confident from here on."""
        self._usual, self._usual_of = (1 + threshold) / 2, 0
        self._frames = 0
        # One step more: a score of 1 has its own.
        self._of_use: Doubles = np.full(_STEPS + 1, _SHARE_PRIOR * _FIRST_SHARE)
        """Boxes of each step that continued a told track."""
        self._boxes: Doubles = np.full(_STEPS + 1, float(_SHARE_PRIOR))
        """All of it."""

    @property
    def sound(self) -> float:
        """The score from which a box speaks well for its track."""
        return self.sure + SOUND * (self._usual - self.sure)

    @property
    def fixture(self) -> float:
        """The score below which a box may be a fixture's."""
        return self.sure + FIXTURE * (self._usual - self.sure)

    def evidence(self, scores: Doubles) -> Doubles:
        """What boxes of these scores say for their track: 1 where the detector is usually, little at the threshold."""
        evidence = scores - self.sure
        evidence /= max(self._usual - self.sure, 1e-3)
        np.maximum(evidence, LEAST_EVIDENCE, out=evidence)
        return np.minimum(evidence, 1.0, out=evidence)

    def learn(self, scores: Doubles, continued: NDArray[np.intp]) -> None:
        """Takes the scores (M,) of one frame's boxes, and which of them continued a told track."""
        good = scores[continued]
        good = good[good >= self.sure]
        self._usual_of = min(self._usual_of + len(good), _USUAL_OVER)
        self._usual += float((good - self._usual).sum()) / (self._usual_of + _USUAL_PRIOR)
        # Rows of files may have scores of any size.
        steps = np.minimum(scores * _STEPS, _STEPS).astype(np.intp)
        self._boxes += np.bincount(steps, minlength=_STEPS + 1)
        self._of_use += np.bincount(steps[continued], minlength=_STEPS + 1)
        self._frames += 1
        if self._frames % _THINK == 0:
            fade = np.minimum(_SHARE_OVER / self._boxes, 1.0)
            self._boxes *= fade
            self._of_use *= fade
            self.sure = self._trusted_from()

    def _trusted_from(self) -> float:
        most = self._given + SOUND * (self._usual - self._given)
        top = int(min(most * _STEPS, _STEPS))
        usual = float(self._of_use[top:].sum() / self._boxes[top:].sum())
        poor = (self._of_use < OF_USE * usual * self._boxes).nonzero()[0]
        return max(self._given, min((int(poor[-1]) + 1) / _STEPS, most)) if len(poor) else self._given
