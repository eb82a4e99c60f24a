"""Rest while nothing happens: which pictures the model has to look at, and where the tracks are in the others.

A picture is looked at where something has changed since the last look: small gray pictures are compared cell by cell,
against the noise of this camera and free of a change of the light as a whole. What happens within the way that a
known track is expected to go is no news: its speed says how long its box stays good without a look. A track that has
just begun or just gone is looked after for a while. And so many seconds after the last look there is one anyway.

Between two looks a track keeps its speed of the last second (what hardly moved stands), its score and its number. So
the counts, zones and distances of a picture that was not looked at are those of tracks moved on in a straight line.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Floats, Image, Tracks

_SHRINK: Final = 8
"""Pixels of the picture along each side of a cell."""
_LEAST: Final = 5.0
"""Of 255: what a cell must change by at least. Compression makes still cells flicker by 2 or 3."""
_SIGMAS: Final = 6.0
_FEWEST_CELLS: Final = 2
_BREATH: Final = 4.0
"""Within a track that stands a cell must change by so much more: flanks rise and fall, ears turn."""
_NOISE_S: Final = 30.0
"""How fast the estimate of the noise follows."""
_MAD_TO_SIGMA: Final = 1.4826
_GOOD_FOR: Final = 0.1
"""A box is as good as a new one while its middle goes by no more than this share of its shorter side."""
_AROUND: Final = 0.25
"""How far around the box of a moving track cells are its own, in shares of its longer side."""
_STANDS: Final = 0.1
"""Shares of the shorter side that a box which only jitters goes in the time that speeds are measured over."""
_MEASURE_S: Final = 1.0
_SETTLE_S: Final = 0.5


class Rest:
    """The looks of one job. `longest_s`: between two looks, while nothing moves."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._reference: Floats = np.zeros((0, 0), np.float32)
        self._noise = 0.0
        self._tracks = Tracks()
        self._speeds: Doubles = np.zeros((0, 2))
        """(N, 2) pixels a second of the tracks; 0 of those that stand."""
        self._places: deque[tuple[float, dict[int, tuple[float, float]]]] = deque()
        """Where each track was at the looks of the last second, and at one before."""
        self._looked = -math.inf
        self._awake_until = -math.inf

    def looks(self, time: float, image: Image) -> bool:
        """Whether the model has to look at this picture; if so, `saw` is called before the next one is asked about."""
        small = _small(image)
        since_s = time - self._looked
        due = since_s >= min(self._longest_s, self._good_for_s()) - 1e-6 or since_s < 0 or time <= self._awake_until
        if due or small.shape != self._reference.shape or self._has_news(small, time):
            self._keep(small, since_s)
            return True
        return False

    def saw(self, time: float, tracks: Tracks) -> None:
        """The tracks of a picture that was looked at."""
        if set(tracks.ids.tolist()) != set(self._tracks.ids.tolist()):
            self._awake_until = time + _SETTLE_S
        middles = _middles(tracks.boxes)
        self._places.append((time, dict(zip(tracks.ids.tolist(), map(tuple, middles.tolist()), strict=True))))
        while len(self._places) > 2 and time - self._places[1][0] >= _MEASURE_S:
            self._places.popleft()
        self._tracks, self._speeds = tracks, self._measured(time, tracks, middles)
        self._looked = time

    def _measured(self, time: float, tracks: Tracks, middles: Doubles) -> Doubles:
        """(N, 2) pixels a second, from the oldest place that is known of each."""
        speeds = np.zeros((len(tracks), 2))
        for row, number in enumerate(tracks.ids.tolist()):
            began, place = next((then, places[number]) for then, places in self._places if number in places)
            if time > began:
                speeds[row] = (middles[row] - place) / (time - began)
        gone = np.hypot(speeds[:, 0], speeds[:, 1]) * min(_MEASURE_S, max(time - self._places[0][0], 0.0))
        return np.where((gone > _STANDS * _shorter(tracks.boxes))[:, None], speeds, 0.0)

    def coast(self, time: float, size: tuple[int, int]) -> Tracks:
        """The tracks in a picture of (height, width) pixels that was not looked at."""
        since_s = max(0.0, time - self._looked)
        moved = self._speeds * since_s
        edges = np.array([size[1], size[0], size[1], size[0]], np.float64)
        boxes = np.clip(self._tracks.boxes + np.concatenate([moved, moved], 1), 0, edges).astype(np.float32)
        ages = np.asarray(self._tracks.ages + since_s, np.float32)
        return Tracks(self._tracks.ids, boxes, self._tracks.scores, self._tracks.classes, ages)

    def _good_for_s(self) -> float:
        """How long the fastest track stays in its box, to what it is now."""
        moving = ~self._stand()
        if not moving.any():
            return math.inf
        speeds = np.hypot(self._speeds[:, 0], self._speeds[:, 1])[moving]
        return float((_GOOD_FOR * _shorter(self._tracks.boxes)[moving] / speeds).min())

    def _stand(self) -> NDArray[np.bool_]:
        return np.asarray(~self._speeds.any(1), np.bool_)

    def _has_news(self, small: Floats, time: float) -> bool:
        change = small - self._reference
        change = np.abs(change - np.median(change))
        least = max(_LEAST, _SIGMAS * self._noise)
        changed = change > least
        if np.count_nonzero(changed) < _FEWEST_CELLS:
            return False
        for (left, top, right, bottom), stands in zip(self._ways(time), self._stand(), strict=True):
            place = slice(top, bottom), slice(left, right)
            changed[place] = change[place] > _BREATH * least if stands else False
        return bool(np.count_nonzero(changed) >= _FEWEST_CELLS)

    def _ways(self, time: float) -> list[tuple[int, int, int, int]]:
        """Cells that each track covers on its way from the last look to now."""
        height, width = self._reference.shape
        old = self._tracks.boxes
        new = self.coast(time, (height * _SHRINK, width * _SHRINK)).boxes
        around = _AROUND * np.maximum(old[:, 2] - old[:, 0], old[:, 3] - old[:, 1])[:, None]
        first = np.floor((np.minimum(old[:, :2], new[:, :2]) - around) / _SHRINK).clip(0).astype(int)
        last = np.ceil((np.maximum(old[:, 2:], new[:, 2:]) + around) / _SHRINK).clip(0).astype(int)
        return [(left, top, right, bottom) for (left, top), (right, bottom) in zip(first, last, strict=True)]

    def _keep(self, small: Floats, since_s: float) -> None:
        """The picture that later ones are compared with. What most cells differ by is noise: most are ground."""
        if small.shape == self._reference.shape:
            change = small - self._reference
            noise = _MAD_TO_SIGMA * float(np.median(np.abs(change - np.median(change))))
            share = min(1.0, max(since_s, 0.0) / _NOISE_S) if self._noise else 1.0
            self._noise += share * (noise - self._noise)
        self._reference = small


def _small(image: Image) -> Floats:
    """(height / 8, width / 8) gray."""
    size = (max(1, image.shape[1] // _SHRINK), max(1, image.shape[0] // _SHRINK))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)


def _middles(boxes: Floats) -> Doubles:
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float64)


def _shorter(boxes: Floats) -> Doubles:
    """(N,) pixels, at least 1."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(np.maximum(sides.min(1, initial=1e9), 1.0), np.float64)
