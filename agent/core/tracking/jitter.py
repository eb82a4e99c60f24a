"""How much a detector's boxes tremble, learned from the boxes themselves.

Three boxes of one object in equal steps tell it: whatever moves steadily has a second difference of zero, so what is
left of z1 - 2 z2 + z3 is the tremble, with 1 + 4 + 1 times its variance. No other figure of a detector differs as much
(a thousandth of the box to a tenth), and a filter that believes in the wrong one either lags or wobbles.
"""

from __future__ import annotations

import numpy as np

from agent.core.types import Doubles

FIRST = 0.05
"""Share of the box's side, before anything is learned."""
LEAST, MOST = 0.005, 0.15
TRUST = 2.0
"""What is learned counts so many times: errors that last for several frames leave no second difference."""
_PRIOR, _MEMORY = 100, 5000
"""Boxes that FIRST counts as, and over which the mean runs."""
_OUTLIER = 4.0
_NORMAL = 1.2533 / 6**0.5
"""From the mean size of a second difference to a standard deviation, where errors are normal."""


class Jitter:
    """Standard deviation of each of centre x, centre y, width, height, as a share of the box's sides."""

    def __init__(self) -> None:
        self._share: Doubles = np.full((4, 1), FIRST)
        self._boxes = 0

    def variance(self, places: Doubles) -> Doubles:
        """(4, N) pixels squared for (4, N) bodies as centre, width and height."""
        # The centre's share is of width and height as well.
        deviation = self._share.reshape(2, 2, 1) * places[2:]
        deviation *= deviation
        return deviation.reshape(places.shape)

    def learn(self, first: Doubles, second: Doubles, third: Doubles) -> None:
        """Takes three successive boxes (4, M) each of M objects; the third is of positive size."""
        tremble = np.abs(first - 2 * second + third)
        tremble *= TRUST * _NORMAL
        tremble.reshape(2, 2, -1)[...] /= third[2:]
        count = third.shape[1]
        mean = np.minimum(tremble, _OUTLIER * self._share).sum(axis=1, keepdims=True) / count
        weight = count / (min(self._boxes, _MEMORY) + _PRIOR + count)
        self._boxes += count
        self._share = np.clip(self._share + weight * (mean - self._share), LEAST, MOST)
