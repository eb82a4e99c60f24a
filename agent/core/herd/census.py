"""How many animals there are, and how close together: what each single frame of a window tells."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

import numpy as np

from agent.core.types import Doubles, Tracks

_SPACING_EVERY_S: Final = 0.2
"""Animals change places slowly; a window of a day stays small."""


class Census:
    """The counts of one window; histograms, so that its length does not matter."""

    def __init__(self) -> None:
        self.frames = 0
        self._totals: Counter[int] = Counter()
        self._by_label: dict[int, Counter[int]] = {}
        self._score_sum = 0.0
        self._scored = 0
        self._spacings: list[float] = []
        self._next_spacing = -math.inf

    def add(self, time: float, tracks: Tracks, lengths: Doubles) -> None:
        """The tracks of one frame; `lengths` (N,) pixels of a body length of each."""
        self.frames += 1
        self._totals[len(tracks)] += 1
        for label, count in Counter(tracks.classes.tolist()).items():
            self._by_label.setdefault(label, Counter())[count] += 1
        self._score_sum += float(tracks.scores.sum())
        self._scored += int(np.count_nonzero(tracks.scores))
        if len(tracks) > 1 and time >= self._next_spacing:
            self._next_spacing = time + _SPACING_EVERY_S - 1e-6
            self._spacings.append(spacing_bl(tracks, lengths))

    @property
    def count(self) -> int:
        """Median over the frames."""
        return median(self._totals, self.frames)

    @property
    def count_mean(self) -> float:
        return sum(count * times for count, times in self._totals.items()) / self.frames if self.frames else 0.0

    @property
    def count_error(self) -> float:
        """Standard deviation over the frames."""
        if not self.frames:
            return 0.0
        mean = self.count_mean
        squares = sum((count - mean) ** 2 * times for count, times in self._totals.items())
        return math.sqrt(squares / self.frames)

    @property
    def counts(self) -> dict[int, int]:
        """Median over the frames of each label that was seen."""
        return {label: median(seen, self.frames) for label, seen in self._by_label.items()}

    @property
    def score_mean(self) -> float | None:
        """Of the tracks that were seen: one that is told where it must be, hidden, has a score of 0."""
        return self._score_sum / self._scored if self._scored else None

    @property
    def spacing_bl(self) -> float | None:
        return float(np.median(self._spacings)) if self._spacings else None


def spacing_bl(tracks: Tracks, lengths: Doubles) -> float:
    """Median over two or more animals of the way to the nearest neighbour, middle to middle, in body lengths."""
    middles = (tracks.boxes[:, :2] + tracks.boxes[:, 2:]).astype(np.float64) / 2
    order = np.argsort(middles[:, 0])
    apart = nearest_px(middles[order])
    return float(np.median(apart / lengths[order]))


def nearest_px(places: Doubles) -> Doubles:
    """(N,) pixels from each of two or more (N, 2) places, sorted by x, to the nearest other one.

    Each is compared with its next in the order, then with the one after that, and so on, until for nobody a nearer one
    can come: with 1000 animals some forty times, where all pairs would be a million.
    """
    x = places[:, 0]
    nearest = np.full(len(places), np.inf)
    for step in range(1, len(places)):
        gap = x[step:] - x[:-step]
        if (gap >= np.maximum(nearest[step:], nearest[:-step])).all():
            break
        apart = np.hypot(gap, places[step:, 1] - places[:-step, 1])
        np.minimum(nearest[step:], apart, out=nearest[step:])
        np.minimum(nearest[:-step], apart, out=nearest[:-step])
    return nearest


def median(seen: Counter[int], frames: int) -> int:
    """The median of as many counts, those that are not in the histogram being 0; of two middle ones the greater."""
    passed = 0
    for count in sorted(seen, reverse=True):
        passed += seen[count]
        if 2 * passed >= frames:
            return count
    return 0
