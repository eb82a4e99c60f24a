"""What tracked bodies look like, and whether that tells them apart here.

A feature extractor made for people says next to nothing about pigs. So how alike a body is to itself and to the others
is measured as it goes, and appearance counts for as much as the two lie apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Floats

Rows = NDArray[np.intp]
MEMORY = 0.9
"""Share of a look that stays when a new feature comes (exponential mean, as in FairMOT, arXiv:2004.01888)."""
APART, FAR_APART = 1.0, 3.0
"""Spreads between same and other below which looks say nothing, and above which they count in full."""
_PAIRS = 2000
"""Pairs over which the means run."""
_AT_ONCE = 64
"""Bodies of a frame that are compared with each other."""


class Looks:
    """Mean appearance of N bodies as unit vectors; row i is body i. Zeros: unknown."""

    def __init__(self) -> None:
        self._looks: Floats = np.zeros((0, 0), np.float32)
        self._same = _Mean()
        self._other = _Mean()

    def begin(self, features: Floats) -> None:
        """Appends a body for each of (M, D) unit vectors; D = 0: appearance unknown."""
        features = self._fit(features)
        self._looks = np.concatenate([self._looks, features])

    def keep(self, rows: Rows) -> None:
        """Forgets all other bodies."""
        self._looks = self._looks[rows]

    def see(self, rows: Rows, features: Floats) -> None:
        """Takes (M, D) unit vectors of `rows`, each at most once."""
        if not features.shape[1] or not len(rows):
            return
        features = self._fit(features)
        looks = self._looks[rows]
        self._compare(looks[:_AT_ONCE], features[:_AT_ONCE])
        looks = np.where(_known(looks)[:, None], MEMORY * looks + (1 - MEMORY) * features, features)
        looks /= np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        self._looks[rows] = looks

    def weight(self) -> float:
        """0..1: how far looks tell bodies apart here."""
        if min(self._same.count, self._other.count) < 50:
            return 0.0
        apart = (self._same.mean - self._other.mean) / max(self._other.spread, 1e-3)
        return min(max((apart - APART) / (FAR_APART - APART), 0.0), 1.0)

    def alike(self, features: Floats) -> Doubles:
        """(N, M) likeness of the bodies and (M, D) features: 0 as among others, 1 as with itself."""
        features = self._fit(features)
        cosine = (self._looks @ features.T).astype(np.float64)
        likeness: Doubles = (cosine - self._other.mean) / max(self._same.mean - self._other.mean, 1e-3)
        return np.clip(likeness, 0, 1)

    def _compare(self, looks: Floats, features: Floats) -> None:
        cosine = (looks @ features.T).astype(np.float64)
        known = _known(looks)
        own = np.eye(len(looks), dtype=np.bool_)
        self._same.take(cosine[own & known[:, None]])
        self._other.take(cosine[~own & known[:, None]])

    def _fit(self, features: Floats) -> Floats:
        """Features of the width of the memory; another width than before is another embedder: all is forgotten."""
        width = features.shape[1]
        if width == 0:
            return np.zeros((len(features), self._looks.shape[1]), np.float32)
        if width != self._looks.shape[1]:
            self._looks = np.zeros((len(self._looks), width), np.float32)
            self._same, self._other = _Mean(), _Mean()
        return features


def _known(looks: Floats) -> NDArray[np.bool_]:
    """(N,) rows that are not zero."""
    known: NDArray[np.bool_] = (looks != 0).any(axis=1)
    return known


class _Mean:
    """Running mean and spread."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._square = 0.0

    @property
    def spread(self) -> float:
        return float(max(self._square - self.mean**2, 0.0) ** 0.5)

    def take(self, values: Doubles) -> None:
        if len(values):
            self.count += len(values)
            weight = len(values) / min(self.count, _PAIRS + len(values))
            self.mean += weight * (float(values.mean()) - self.mean)
            self._square += weight * (float(np.square(values).mean()) - self._square)
