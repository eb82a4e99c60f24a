from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.tracking.association import assign, forbid_other_classes, others, overlap
from agent.core.types import Floats

SEEDS = st.integers(0, 10**6)


def some_boxes(random: np.random.Generator, count: int) -> Floats:
    corners = random.uniform(0, 300, (count, 2))
    return np.concatenate([corners, corners + random.uniform(1, 150, (count, 2))], axis=1).astype(np.float32)


def plain_overlap(a: Floats, b: Floats) -> float:
    width = max(0.0, float(min(a[2], b[2]) - max(a[0], b[0])))
    height = max(0.0, float(min(a[3], b[3]) - max(a[1], b[1])))
    shared = width * height
    return shared / (float((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])) - shared)


@given(seed=SEEDS, n=st.integers(0, 6), m=st.integers(0, 6))
def test_overlap_is_intersection_over_union(seed: int, n: int, m: int) -> None:
    random = np.random.default_rng(seed)
    first, second = some_boxes(random, n), some_boxes(random, m)
    matrix = overlap(first, second)
    assert matrix.shape == (n, m) and matrix.dtype == np.float32
    assert matrix == pytest.approx(
        np.array([[plain_overlap(a, b) for b in second] for a in first]).reshape(n, m), abs=1e-5
    )
    assert np.array_equal(matrix, overlap(second, first).T)
    assert ((matrix >= 0) & (matrix <= 1.00001)).all()
    assert np.diag(overlap(first, first)) == pytest.approx(np.ones(n))


def test_overlap_of_nothing_is_nothing() -> None:
    flat = np.array([[5, 5, 5, 9], [5, 5, 5, 5], [0, 0, 10, 10]], np.float32)
    assert overlap(flat, flat).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


def brute_force(cost: Floats, limit: float) -> float:
    """The smallest sum of cost - limit over any set of pairs."""
    gains = np.minimum(cost.astype(np.float64) - limit, 0)
    if gains.shape[0] > gains.shape[1]:
        gains = gains.T
    rows, columns = gains.shape
    return min((sum(gains[i, j] for i, j in enumerate(p)) for p in permutations(range(columns), rows)), default=0.0)


@settings(deadline=None)
@given(seed=SEEDS, n=st.integers(0, 5), m=st.integers(0, 5), limit=st.floats(0.05, 1))
def test_the_cheapest_pairs_are_taken(seed: int, n: int, m: int, limit: float) -> None:
    cost = np.random.default_rng(seed).random((n, m)).astype(np.float32)
    rows, columns = assign(cost, limit)
    assert (np.diff(rows) > 0).all() and len(set(columns.tolist())) == len(columns)
    assert (cost[rows, columns] < limit).all()
    assert float((cost[rows, columns].astype(np.float64) - limit).sum()) == pytest.approx(
        brute_force(cost, limit), abs=1e-6
    )


@settings(deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), m=st.integers(1, 40), limit=st.floats(0.02, 1))
def test_the_order_does_not_matter(seed: int, n: int, m: int, limit: float) -> None:
    random = np.random.default_rng(seed)
    cost = random.random((n, m)).astype(np.float32)
    by_row, by_column = random.permutation(n), random.permutation(m)
    rows, columns = assign(cost[np.ix_(by_row, by_column)], limit)
    mixed = set(zip(by_row[rows].tolist(), by_column[columns].tolist(), strict=True))
    assert mixed == set(zip(*(side.tolist() for side in assign(cost, limit)), strict=True))


def test_what_is_forbidden_stays_apart() -> None:
    cost = np.array([[np.inf, 0.1, np.nan], [0.2, 0.1, np.inf], [np.nan, np.inf, np.nan]], np.float32)
    assert [side.tolist() for side in assign(cost, 0.5)] == [[0, 1], [1, 0]]
    assert [side.tolist() for side in assign(cost, 0.15)] in ([[0], [1]], [[1], [1]])
    assert [len(side) for side in assign(np.full((3, 2), np.inf, np.float32), 0.5)] == [0, 0]
    assert [len(side) for side in assign(np.zeros((0, 2), np.float32), 0.5)] == [0, 0]


def test_other_classes_are_forbidden() -> None:
    cost = np.zeros((2, 3), np.float32)
    forbid_other_classes(cost, np.array([1, 2], np.int32), np.array([2, 1, 1], np.int32))
    assert np.isinf(cost).tolist() == [[True, False, False], [False, True, True]]
    same = np.zeros((2, 1), np.float32)
    forbid_other_classes(same, np.array([1, 1], np.int32), np.array([1], np.int32))
    assert not same.any()
    forbid_other_classes(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), np.zeros(3, np.int32))


def test_others_are_those_not_taken() -> None:
    assert others(5, np.array([3, 0])).tolist() == [1, 2, 4]
    assert others(0, np.zeros(0, np.intp)).tolist() == []
