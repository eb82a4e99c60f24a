from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.tracking.gallery import Gallery
from agent.core.types import Floats


def units(random: np.random.Generator, count: int, width: int = 5) -> Floats:
    vectors = random.normal(size=(count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), limit=st.integers(1, 9), rounds=st.integers(0, 30))
def test_it_equals_a_list_a_track(seed: int, limit: int, rounds: int) -> None:
    """Tracks begin, are seen, end; the distance is the smallest to the last `limit` looks."""
    random = np.random.default_rng(seed)
    gallery, memory = Gallery(limit), list[deque[Floats]]()
    for _ in range(rounds):
        fresh = units(random, int(random.integers(0, 3)))
        gallery.begin(fresh)
        memory += [deque([one], maxlen=limit) for one in fresh]
        rows = np.flatnonzero(random.random(len(memory)) < 0.7)
        seen = units(random, len(rows))
        gallery.add(rows, seen)
        for row, one in zip(rows, seen, strict=True):
            memory[row].append(one)
        kept = random.random(len(memory)) < 0.9
        gallery.keep(kept)
        memory = [looks for looks, keep in zip(memory, kept, strict=True) if keep]
    asked = units(random, 4)
    expected = [[min(1 - float(look @ one) for look in looks) for one in asked] for looks in memory]
    assert len(gallery) == len(memory)
    assert gallery.distances(np.arange(len(memory)), asked) == pytest.approx(
        np.array(expected).reshape(-1, 4), abs=1e-5
    )


def test_only_the_rows_asked_for() -> None:
    gallery = Gallery()
    gallery.begin(np.eye(3, dtype=np.float32))
    assert gallery.distances(np.array([2, 0]), np.eye(3, dtype=np.float32)).tolist() == [[1, 1, 0], [0, 1, 1]]
    assert gallery.distances(np.zeros(0, np.intp), np.eye(3, dtype=np.float32)).shape == (0, 3)


def test_unknown_looks_are_at_distance_one() -> None:
    gallery = Gallery()
    gallery.begin(np.zeros((2, 0), np.float32))
    gallery.add(np.array([0]), np.zeros((1, 0), np.float32))
    looks = np.eye(2, dtype=np.float32)
    assert gallery.distances(np.arange(2), looks).tolist() == [[1, 1], [1, 1]]
    gallery.add(np.array([1]), looks[:1])
    assert gallery.distances(np.arange(2), looks).tolist() == [[1, 1], [0, 1]]
    gallery.begin(np.zeros((1, 0), np.float32))
    assert gallery.distances(np.arange(3), looks).tolist() == [[1, 1], [0, 1], [1, 1]]


def test_another_width_forgets() -> None:
    gallery = Gallery()
    gallery.begin(np.eye(2, dtype=np.float32))
    assert gallery.distances(np.arange(2), np.eye(3, dtype=np.float32)).tolist() == [[1, 1, 1]] * 2
