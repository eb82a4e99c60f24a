"""Overlap and the best pairs, against the slow and obvious way."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.tracking import pairs
from agent.core.tracking.pairs import best, corners, overlapping, shares

TABLES = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=n, max_size=n)
)


@given(table=TABLES, few=st.booleans())
def test_no_other_pairs_are_worth_more(table: list[list[int]], few: bool) -> None:
    worth = np.array(table, np.float64)
    rows, columns = worth.nonzero()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_FEW", 12 if few else 0)
        chosen = best(rows, columns, worth[rows, columns])
    assert len(set(rows[chosen])) == len(set(columns[chosen])) == len(chosen)
    wide = np.concatenate([worth, np.zeros((max(0, 4 - len(worth)), 4))])
    most = max(
        sum(wide[row, column] for column, row in enumerate(order)) for order in permutations(range(len(wide)), 4)
    )
    assert worth[rows[chosen], columns[chosen]].sum() == most


@given(seed=st.integers(0, 10**6))
def test_looking_at_neighbours_only_finds_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (np.concatenate([random.uniform(0, 300, (2, n)), random.uniform(5, 90, (2, n))]) for n in (20, 30))
    a, b = corners(first), corners(second)
    b = b[:, b[0].argsort()]
    found = []
    for dense in (10**6, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "_DENSE", dense)
            rows, columns, share = overlapping(a, b, 0.1)
        order = np.lexsort((columns, rows))
        found.append((rows[order], columns[order], share[order]))
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other)
    assert shares(a, b)[found[0][0], found[0][1]] == pytest.approx(found[0][2])


def test_overlap_by_hand() -> None:
    boxes = corners(np.array([[5.0, 5.0], [5.0, 5.0], [10.0, 10.0], [10.0, 5.0]]))
    assert shares(boxes, boxes) == pytest.approx(np.array([[1, 0.5], [0.5, 1]]))
