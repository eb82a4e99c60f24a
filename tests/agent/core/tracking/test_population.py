"""Who is who in a pen of a known number of animals."""

from __future__ import annotations

import numpy as np

from agent.core.tracking.population import GHOST_S, GONE_S, WAIT_S, Population
from agent.core.types import Tracks

STEP_S = 0.1


def tracks(places: dict[int, float], age: float = 10.0) -> Tracks:
    """Tracks by the tracker's id, each a box of 40 x 40 at x."""
    n = len(places)
    boxes = np.array([[x, 0, x + 40, 40] for x in places.values()], np.float32).reshape(n, 4)
    ids, zeros = np.array(list(places), np.int32), np.zeros(n, np.int32)
    return Tracks(ids, boxes, np.full(n, 0.9, np.float32), zeros, np.full(n, age, np.float32))


def watch(pen: Population, places: dict[int, float], seconds: float, age: float = 10.0) -> list[list[int]]:
    return [pen.name(tracks(places, age + k * STEP_S), STEP_S).ids.tolist() for k in range(round(seconds / STEP_S))]


def test_a_newcomer_is_the_one_that_was_lost() -> None:
    pen = Population(count=2, first_id=5)
    assert watch(pen, {1: 0, 2: 300}, 5)[-1] == [5, 6]
    watch(pen, {1: 0}, 4)
    told = watch(pen, {1: 0, 3: 320}, 1.5, age=0)
    assert told[0] == [5] and told[-1] == [5, 6]


def test_more_than_there_can_be_are_not_told() -> None:
    pen = Population(count=2, first_id=1)
    watch(pen, {1: 0, 2: 300}, 5)
    assert watch(pen, {1: 0, 2: 300, 3: 600}, 5, age=0)[-1] == [1, 2]


def test_those_that_wait_are_dealt_out_together() -> None:
    """Nearest first would give the lost one in the middle to the first newcomer and leave the other a long way."""
    pen = Population(count=2, first_id=1)
    watch(pen, {1: 0, 2: 100}, 5)
    watch(pen, {}, 2)
    told = watch(pen, {7: 60, 8: 160}, WAIT_S + 0.5, age=0)
    assert told[0] == [] and told[-1] == [1, 2]
    where = pen.name(tracks({7: 60, 8: 160}, 9), STEP_S)
    assert where.ids[where.boxes[:, 0] == 60] == 1


def test_an_animal_is_not_lost_at_once() -> None:
    pen = Population(count=2, first_id=1)
    watch(pen, {1: 0, 2: 300}, 5)
    assert all(ids == [1] for ids in watch(pen, {1: 0, 9: 310}, GONE_S - 0.1))


def test_a_ghost_gives_its_place_back() -> None:
    pen = Population(count=2, first_id=1)
    watch(pen, {1: 0, 2: 900}, 1)
    watch(pen, {1: 0}, GHOST_S + 1)
    assert watch(pen, {1: 0, 3: 300}, 2, age=0)[-1] == [1, 3]


def test_ages_are_the_animals_and_ids_grow() -> None:
    pen = Population(count=2, first_id=1)
    watch(pen, {1: 0, 2: 300}, 5, age=0)
    watch(pen, {1: 0}, 4)
    told = [pen.name(tracks({4: 300, 1: 0}, 2.0), STEP_S) for _ in range(5)][-1]
    assert told.ids.tolist() == [1, 2] and told.ages.min() > 9
