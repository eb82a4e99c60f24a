"""Which detection belongs to which track: overlap of boxes, and the cheapest set of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.pairs import best
from agent.core.types import Floats, Ints

Rows = NDArray[np.intp]
Pairs = tuple[Rows, Rows]
"""Indices of the tracks, growing, and of the detections that belong to them."""


def overlap(first: Floats, second: Floats) -> Floats:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes left, top, right, bottom; 0 for boxes without area.

    A column at a time into the same three matrices: 5 to 15 times faster than one expression over N x M x 4.
    """
    left, top, right, bottom = (column[:, None] for column in np.ascontiguousarray(first.T, np.float32))
    left2, top2, right2, bottom2 = np.ascontiguousarray(second.T, np.float32)
    shared, side, edge = (np.empty((len(first), len(second)), np.float32) for _ in range(3))
    np.minimum(right, right2, out=shared)
    shared -= np.maximum(left, left2, out=edge)
    np.maximum(shared, 0, out=shared)
    np.minimum(bottom, bottom2, out=side)
    side -= np.maximum(top, top2, out=edge)
    np.maximum(side, 0, out=side)
    shared *= side
    union = np.add((right - left) * (bottom - top), (right2 - left2) * (bottom2 - top2), out=edge)
    union -= shared
    # The smallest normal number instead of 0: nothing shared of nothing is 0, not NaN.
    shared /= np.maximum(union, np.finfo(np.float32).tiny, out=union)
    return shared


def forbid_other_classes(cost: Floats, tracks: Ints, detections: Ints) -> None:
    """Makes pairs of different classes infinite in `cost` (N, M); tracks (N,), detections (M,) are class numbers."""
    if cost.size and ((tracks != tracks[0]).any() or (detections != tracks[0]).any()):
        cost[tracks[:, None] != detections] = np.inf


def assign(cost: Floats, limit: float) -> Pairs:
    """The pairs of a (N, M) cost matrix with the smallest sum of `cost - limit`, all of them below `limit`.

    So a pair is worth what it lies below the limit, and leaving two apart costs nothing (the objective of DeepSORT's
    own code). The result does not depend on the order of rows or columns where sums are distinct. NaN and infinity
    are never paired.
    """
    rows, columns = np.nonzero(cost < limit)
    chosen = best(rows, columns, limit - cost[rows, columns].astype(np.float64))
    rows, columns = rows[chosen], columns[chosen]
    order = np.argsort(rows)
    return rows[order], columns[order]


def others(count: int, taken: Rows) -> Rows:
    """The indices below `count` that are not in `taken`."""
    free = np.ones(count, np.bool_)
    free[taken] = False
    return np.flatnonzero(free)
