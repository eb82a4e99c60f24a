from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.core.herd.linking import _nearest, link, rows_of

LENGTH = 50.0


def linked(
    places: list[list[float]], ids: list[int], old: list[list[float]], old_ids: list[int], gap_s: float
) -> list[int]:
    """Places in body lengths."""
    new_places, old_places = (np.array(them, float).reshape(-1, 2) * LENGTH for them in (places, old))
    new_ids, known_ids = np.array(ids, np.int32), np.array(old_ids, np.int64)
    lengths, gaps_s = np.full(len(ids), LENGTH), np.full(len(old_ids), gap_s)
    found = link(new_places, lengths, rows_of(new_ids, known_ids), old_places, gaps_s)
    same = (new_ids[:, None] == known_ids) & (known_ids >= 0)
    np.testing.assert_array_equal(found, _nearest(new_places, lengths, same, old_places, gaps_s), "no shortcut is one")
    return [int(row) for row in found]


def test_nobody_and_newcomers() -> None:
    assert linked([], [], [[0, 0]], [1], 0.1) == []
    assert linked([[0, 0]], [1], [], [], 0.1) == [-1]
    assert linked([[9, 9]], [2], [[0, 0]], [1], 0.1) == [-1]


def test_animals_keep_their_places_when_their_ids_are_swapped() -> None:
    assert linked([[0, 0], [5, 0]], [2, 1], [[0, 0], [5, 0]], [1, 2], 0.1) == [0, 1]
    assert linked([[0, 0], [0.45, 0]], [2, 1], [[0, 0], [0.45, 0]], [1, 2], 0.1) == [0, 1], "side by side"


def test_an_id_is_believed_between_two_that_are_about_as_near() -> None:
    assert linked([[0.12, 0], [0.0, 0]], [1, 2], [[0, 0], [0.12, 0]], [1, 2], 0.1) == [0, 1]


def test_an_id_is_not_believed_where_nobody_can_have_walked() -> None:
    assert linked([[3, 0]], [1], [[0, 0]], [1], 0.1) == [-1]
    assert linked([[3, 0]], [1], [[0, 0]], [1], 1.5) == [0]


def test_a_new_id_at_the_same_place_is_the_same_animal() -> None:
    assert linked([[0.3, 0]], [8], [[0, 0], [4, 0]], [1, 2], 1.0) == [0]


@given(
    places=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=12),
    old=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=12),
    gap_s=st.floats(0, 20),
)
def test_nobody_is_two(places: list[tuple[float, float]], old: list[tuple[float, float]], gap_s: float) -> None:
    found = linked(
        [list(place) for place in places],
        list(range(len(places))),
        [list(place) for place in old],
        list(range(len(old))),
        gap_s,
    )
    taken = [row for row in found if row >= 0]
    assert len(taken) == len(set(taken))
    assert all(row < len(old) for row in taken)
