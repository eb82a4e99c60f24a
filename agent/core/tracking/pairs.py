"""Which boxes lie on which, and the best pairs among them, as lists of pairs: most of N x M is empty."""

from __future__ import annotations

from dataclasses import dataclass

import lap
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles

Rows = NDArray[np.intp]
_DENSE = 400
"""Pairs up to which trying all is faster than looking for neighbours first."""
_FEW = 8
"""Pairs up to which they are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Corners:
    """N boxes of positive size."""

    low: Doubles
    """(2, N) left and top."""
    high: Doubles
    """(2, N) right and bottom."""
    area: Doubles
    """(N,)"""

    def __getitem__(self, keep: Rows | NDArray[np.bool_]) -> Corners:
        return Corners(self.low[:, keep], self.high[:, keep], self.area[keep])


def corners(places: Doubles) -> Corners:
    """Of (4, N) centre x, centre y, width, height."""
    half = places[2:] / 2
    return Corners(places[:2] - half, places[:2] + half, places[2] * places[3])


def shares(first: Corners, second: Corners) -> Doubles:
    """(N, M) intersection over union."""
    sides = np.minimum(first.high[:, :, None], second.high[:, None])
    sides -= np.maximum(first.low[:, :, None], second.low[:, None])
    np.maximum(sides, 0, out=sides)
    shared: Doubles = sides[0]
    shared *= sides[1]
    shared /= (first.area[:, None] + second.area) - shared
    return shared


def overlapping(first: Corners, second: Corners, least: float) -> tuple[Rows, Rows, Doubles]:
    """Rows, columns and intersection over union of the pairs above `least` > 0. `second` grows from left to right."""
    if len(first.area) * len(second.area) <= _DENSE:
        share = shares(first, second)
        rows, columns = (share > least).nonzero()
        return rows, columns, share[rows, columns]
    rows, columns = _neighbours(first, second)
    a, b = first[rows], second[columns]
    sides = np.minimum(a.high, b.high)
    sides -= np.maximum(a.low, b.low)
    np.maximum(sides, 0, out=sides)
    shared = sides[0] * sides[1]
    share = shared / (a.area + b.area - shared)
    close = (share > least).nonzero()[0]
    return rows[close], columns[close], share[close]


def _neighbours(first: Corners, second: Corners) -> tuple[Rows, Rows]:
    """Pairs that may overlap from left to right: of boxes sorted by their left, those near a box are one slice."""
    widest = (second.high[0] - second.low[0]).max(initial=0)
    begin = np.searchsorted(second.low[0], first.low[0] - widest)
    count = np.searchsorted(second.low[0], first.high[0]) - begin
    rows = np.repeat(np.arange(len(count)), count)
    columns = np.arange(len(rows)) + np.repeat(begin - np.cumsum(count) + count, count)
    return rows, columns


def best(rows: Rows, columns: Rows, worth: Doubles) -> Rows:
    """The pairs, as indices, with the largest sum of `worth` > 0; no row and no column twice."""
    if len(rows) < 2:
        return np.arange(len(rows))
    # Most objects stand alone: one candidate each, and that one has no other. Only the knots need more.
    knotted = (np.bincount(rows)[rows] > 1) | (np.bincount(columns)[columns] > 1)
    knots = knotted.nonzero()[0]
    alone = (~knotted).nonzero()[0]
    if not len(knots):
        return alone
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
    row_names, i = _numbered(rows)
    column_names, j = _numbered(columns)
    cost = np.zeros((row_names, column_names))
    pair = np.full(cost.shape, -1)
    cost[i, j] = -worth
    pair[i, j] = np.arange(len(rows))
    _, partners, _ = lap.lapjv(cost, extend_cost=True)
    taken = (partners >= 0).nonzero()[0]
    found: Rows = pair[taken, partners[taken]]
    return found[found >= 0]


def _numbered(names: Rows) -> tuple[int, Rows]:
    """How many different names there are, and each one's number from 0."""
    there = np.bincount(names) > 0
    numbers = np.cumsum(there)
    return int(numbers[-1]), numbers[names] - 1
