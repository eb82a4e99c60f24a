"""Which boxes lie on which, and the best pairs among them, as lists of pairs: most of N x M is empty."""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles

Rows = NDArray[np.intp]
Corners = Doubles
"""(5, N) left, top, right, bottom and area of boxes of positive size."""
_DENSE = 400
"""Pairs up to which trying all is faster than looking for neighbours first."""
_FEW = 8
"""Pairs up to which they are looked at one by one."""


def corners(places: Doubles) -> Corners:
    """Of (4, N) centre x, centre y, width, height."""
    half = places[2:] / 2
    told = np.empty((5, places.shape[1]))
    np.subtract(places[:2], half, out=told[:2])
    np.add(places[:2], half, out=told[2:4])
    np.multiply(places[2], places[3], out=told[4])
    return told


def shares(first: Corners, second: Corners) -> Doubles:
    """(N, M) intersection over union."""
    return _share(first[:, :, None], second[:, None])


def overlapping(first: Corners, second: Corners, least: float) -> tuple[Rows, Rows, Doubles]:
    """Rows, columns and intersection over union of the pairs above `least` > 0. `second` grows from left to right."""
    if first.shape[1] * second.shape[1] <= _DENSE:
        share = shares(first, second)
        rows, columns = (share > least).nonzero()
        return rows, columns, share[rows, columns]
    rows, columns = _neighbours(first, second)
    share = _share(first.take(rows, axis=1), second.take(columns, axis=1))
    close = (share > least).nonzero()[0]
    return rows[close], columns[close], share[close]


def _share(first: Corners, second: Corners) -> Doubles:
    """Intersection over union of boxes side by side."""
    sides = np.minimum(first[2:4], second[2:4])
    sides -= np.maximum(first[:2], second[:2])
    np.maximum(sides, 0, out=sides)
    shared: Doubles = sides[0]
    shared *= sides[1]
    union = first[4] + second[4]
    union -= shared
    shared /= union
    return shared


def _neighbours(first: Corners, second: Corners) -> tuple[Rows, Rows]:
    """Pairs that may overlap from left to right: of boxes sorted by their left, those near a box are one slice."""
    left = second[0]
    widest = (second[2] - left).max(initial=0)
    begin = left.searchsorted(first[0] - widest)
    count = left.searchsorted(first[2])
    count -= begin
    rows = np.arange(len(count)).repeat(count)
    begin -= count.cumsum()
    begin += count
    columns = begin.repeat(count)
    columns += np.arange(len(rows))
    return rows, columns


def best(rows: Rows, columns: Rows, worth: Doubles) -> Rows:
    """The pairs, as indices, with the largest sum of `worth` > 0; no row and no column twice."""
    if len(rows) < 2:
        return np.arange(len(rows))
    # Most objects stand alone: one candidate each, and that one has no other. Only the knots need more.
    in_row, in_column = np.bincount(rows), np.bincount(columns)
    if np.count_nonzero(in_row) == len(rows) == np.count_nonzero(in_column):
        return np.arange(len(rows))
    knotted = in_row[rows] > 1
    knotted |= in_column[columns] > 1
    knots = knotted.nonzero()[0]
    alone = (~knotted).nonzero()[0]
    if len(knots) <= _FEW:
        chosen = _by_hand(rows[knots].tolist(), columns[knots].tolist(), worth[knots].tolist())
        if chosen is not None:
            return np.concatenate([alone, knots[chosen]])
    return np.concatenate([alone, knots[_solve(rows[knots], columns[knots], worth[knots])]])


def _by_hand(rows: list[int], columns: list[int], worth: list[float]) -> list[int] | None:
    """The same for few pairs: one worth more than the best two that it displaces is right. None: it is not so easy."""
    left = sorted(range(len(worth)), key=worth.__getitem__, reverse=True)
    chosen = []
    while left:
        pair, *left = left
        in_row = [worth[k] for k in left if rows[k] == rows[pair]]
        in_column = [worth[k] for k in left if columns[k] == columns[pair]]
        # In order of worth, so the first is the best.
        if in_row and in_column and in_row[0] + in_column[0] > worth[pair]:
            return None
        chosen.append(pair)
        left = [k for k in left if rows[k] != rows[pair] and columns[k] != columns[pair]]
    return chosen


def _solve(rows: Rows, columns: Rows, worth: Doubles) -> Rows:
    """Jonker-Volgenant on the rows and columns that are named; a pair that is not named is worth nothing."""
    row_count, i = _numbered(rows)
    column_count, j = _numbered(columns)
    cost = np.zeros((row_count, column_count))
    cost[i, j] = -worth
    # From 1: 0 is none.
    pair = np.zeros(cost.shape, np.intp)
    pair[i, j] = np.arange(1, len(rows) + 1)
    _, partners, _ = lap.lapjv(cost, extend_cost=True)
    taken = (partners >= 0).nonzero()[0]
    found: Rows = pair[taken, partners[taken]]
    return found[found > 0] - 1


def _numbered(names: Rows) -> tuple[int, Rows]:
    """How many different names there are, and each one's number from 0."""
    there = np.bincount(names).nonzero()[0]
    return len(there), there.searchsorted(names)
