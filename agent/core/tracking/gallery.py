"""What each track looked like: a bounded memory of appearance (DeepSORT, arXiv:1703.07402, section 2.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Floats

Rows = NDArray[np.intp]
LIMIT = 100
"""Features a track, the paper's own figure (L_k)."""
_CELLS_AT_ONCE = 4_000_000
"""Similarities held at one time: 16 MB."""


class Gallery:
    """The last `limit` features of N tracks; row i is track i. A track of unknown appearance is at distance 1."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        # (N, slots, D). Slots not yet in use repeat the first feature, which changes no minimum and needs no mask.
        self._features: Floats = np.zeros((0, 1, 0), np.float32)
        self._count: Rows = np.zeros(0, np.intp)

    def __len__(self) -> int:
        return len(self._count)

    def begin(self, features: Floats) -> None:
        """Appends a track for each of (M, D) unit vectors; D = 0: appearance unknown."""
        features = self._fit(features)
        slots = self._features.shape[1]
        self._features = np.concatenate([self._features, np.repeat(features[:, None], slots, axis=1)])
        self._count = np.concatenate([self._count, np.ones(len(features), np.intp)])

    def add(self, rows: Rows, features: Floats) -> None:
        """Remembers (M, D) unit vectors of the tracks `rows` (M,), each at most once; the oldest make room."""
        if not len(rows) or not features.shape[1]:
            return
        features = self._fit(features)
        slot = self._count[rows] % self._limit
        self._grow(int(slot.max()) + 1)
        self._features[rows, slot] = features
        self._count[rows] += 1

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forgets the tracks outside an (N,) mask."""
        self._features = self._features[mask]
        self._count = self._count[mask]

    def distances(self, rows: Rows, features: Floats) -> Floats:
        """(len(rows), M) smallest cosine distance of a track's memory from each of (M, D) unit vectors, 0..2."""
        features = self._fit(features)
        _, slots, width = self._features.shape
        similar = np.zeros((len(rows), len(features)), np.float32)
        step = max(1, _CELLS_AT_ONCE // max(1, slots * len(features)))
        for start in range(0, len(rows), step):
            known = self._features[rows[start : start + step]]
            products = known.reshape(-1, width) @ features.T
            similar[start : start + step] = products.reshape(len(known), slots, len(features)).max(axis=1)
        return 1 - similar

    def _fit(self, features: Floats) -> Floats:
        """Features of the width of the memory; another width than before is another embedder: all is forgotten."""
        width = features.shape[1]
        if width == 0:
            return np.zeros((len(features), self._features.shape[2]), np.float32)
        if width != self._features.shape[2]:
            self._features = np.zeros((len(self), 1, width), np.float32)
            self._count = np.ones(len(self), np.intp)
        return features

    def _grow(self, slots: int) -> None:
        """Doubles the slots until `slots` fit: a herd of short tracks must not pay for the whole limit."""
        have = self._features.shape[1]
        if slots > have:
            more = min(max(slots, 2 * have), self._limit) - have
            self._features = np.concatenate([self._features, np.repeat(self._features[:, :1], more, axis=1)], axis=1)
