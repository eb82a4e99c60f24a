from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from herd_scene import film, fold, followed, herd, path_bl, result, told, told_truth, tracks

from agent.core.simulation import State
from agent.core.types import Doubles, Result

FPS = 10
LENGTH = 64.0


def boxes_at(places: Doubles) -> Doubles:
    """Animals of one length, lying along the picture."""
    half = np.array([LENGTH, LENGTH * 0.42]) / 2
    return np.concatenate([places - half, places + half], 1)


def walk(seconds: float, speed_bl_s: float, fps: float = FPS, jitter_px: float = 0.0) -> Iterator[Result]:
    """One animal that walks to the right, beside one that lies."""
    random = np.random.default_rng(1)
    for i in range(round(seconds * fps)):
        places = np.array([[60 + speed_bl_s * LENGTH * i / fps, 100], [320, 250]])
        boxes = boxes_at(places)
        yield result(i / fps, tracks(boxes + random.normal(0, jitter_px, boxes.shape)))


@pytest.mark.parametrize("swaps", [0, 20])
@pytest.mark.parametrize("jitter_px", [0, 1, 3])
def test_the_herds_figures_are_true(jitter_px: float, swaps: int) -> None:
    moments = film(20, 120, FPS)
    true, got = told_truth(moments, FPS), told(followed(moments, FPS, jitter_px=jitter_px, swaps=swaps))
    assert got.distance_bl == pytest.approx(true.distance_bl, rel=0.03)
    assert got.distance_bl == pytest.approx(path_bl(moments), rel=0.05)
    assert got.activity == pytest.approx(true.activity, rel=0.03)
    assert got.moving_ratio == pytest.approx(true.moving_ratio, abs=0.01)
    assert got.longest_still_s == pytest.approx(true.longest_still_s, abs=4)
    walking = np.mean([moment.states == State.WALKING for moment in moments])
    assert got.moving_ratio == pytest.approx(walking, abs=0.03), "who walks moves"


@pytest.mark.parametrize("seed", [2, 3])
def test_swapped_ids_move_no_number_of_the_pen(seed: int) -> None:
    moments = film(20, 60, FPS, seed)
    kept, swapped = (told(followed(moments, FPS, jitter_px=1, swaps=swaps, seed=seed)) for swaps in (0, 20))
    assert swapped.distance_bl == pytest.approx(kept.distance_bl, rel=0.02)
    assert swapped.activity == pytest.approx(kept.activity, rel=0.02)
    assert swapped.moving_ratio == pytest.approx(kept.moving_ratio, abs=0.01)
    assert swapped.longest_still_s == pytest.approx(kept.longest_still_s, abs=3)


def test_neighbours_that_swap_ids_all_the_time_lie_still() -> None:
    boxes = boxes_at(np.array([[200, 100], [200, 130], [300, 130]], float))
    for every in (1, 3, 10):
        results = (result(i / FPS, tracks(boxes, [2, 1, 3] if i // every % 2 else [1, 2, 3])) for i in range(60 * FPS))
        got = told(results)
        assert (got.distance_bl, got.moving_ratio) == (0, 0)
        assert got.longest_still_s == pytest.approx(60, abs=0.2)


@pytest.mark.parametrize("fps", [2, 10, 30])
@pytest.mark.parametrize("jitter_px", [1, 2])
def test_a_lying_animal_whose_box_jitters_does_not_move(fps: int, jitter_px: float) -> None:
    got = told(walk(120, 0.0, fps, jitter_px))
    assert got.activity < 0.01
    assert got.moving_ratio < 0.001
    assert got.longest_still_s == pytest.approx(120, abs=1)


def test_unrest_that_lasts_a_second_hardly_counts() -> None:
    random, unrest = np.random.default_rng(1), np.zeros((5, 4))
    boxes = boxes_at(np.stack([np.arange(5) * 100 + 60, np.full(5, 100)], 1).astype(float))
    results = []
    for i in range(120 * FPS):
        unrest = np.exp(-1 / FPS) * unrest + np.sqrt(1 - np.exp(-2 / FPS)) * random.normal(0, 2, unrest.shape)
        results.append(result(i / FPS, tracks(boxes + unrest)))
    assert told(results).activity < 0.1, "a walk is 27"


@pytest.mark.parametrize(("speed", "moving"), [(0.05, 0.0), (0.2, 0.5), (0.8, 0.5)])
def test_a_walk_counts_whole_however_slow(speed: float, moving: float) -> None:
    got = told(walk(10, speed, jitter_px=1))
    # Half of the first second and half of the last lie before and behind an average.
    assert got.distance_bl == pytest.approx(9 * speed, abs=0.11)
    assert got.moving_ratio == pytest.approx(moving)
    assert got.activity == pytest.approx(60 * got.distance_bl / 18)


def test_an_id_that_goes_to_another_animal_is_no_walk() -> None:
    """One animal leaves the picture's middle unseen, its id is given to one far away."""
    here, there = boxes_at(np.array([[100, 100]], float)), boxes_at(np.array([[500, 250]], float))
    results = [result(i / FPS, tracks(here if i < 50 else there, [1])) for i in range(100)]
    assert told(results).distance_bl == 0


def test_an_animal_unseen_for_a_moment_still_lies_under_whatever_id() -> None:
    lying = boxes_at(np.array([[100, 100]], float))
    results = [
        result(i / FPS, tracks(lying, [1 + i // 150]) if i % 150 < 110 else None) for i in range(60 * FPS) if i < 560
    ]
    got = told(results)
    assert got.longest_still_s == pytest.approx(56, abs=0.2)
    assert got.distance_bl == 0


def test_who_gets_up_is_no_longer_still() -> None:
    def results() -> Iterator[Result]:
        for i in range(40 * FPS):
            ahead = np.clip(i - 20 * FPS, 0, 5 * FPS) * 0.5 * LENGTH / FPS
            yield result(i / FPS, tracks(boxes_at(np.array([[100 + ahead, 100]], float))))

    still = [summary.longest_still_s for summary in fold(results(), period_s=5.0)]
    assert still[:4] == pytest.approx([5, 10, 15, 20], abs=0.2)
    assert still[4] < 1.5
    assert still[5:] == pytest.approx([5, 10, 15], abs=1)


def test_a_person_is_not_measured_in_pigs() -> None:
    def results() -> Iterator[Result]:
        for i in range(10 * FPS):
            both = tracks([[100, 100, 200, 140], [300 + 4 * i, 20, 310 + 4 * i, 40]])
            both.classes[1] = 1
            yield result(i / FPS, both)

    (one,) = fold(results())
    assert one.distance_bl == pytest.approx(9 * 40 / 20, rel=0.02)
    assert one.tracks[1].moved_bl == pytest.approx(one.distance_bl)
    assert one.tracks[0].moved_bl == 0


def test_spacing_is_from_middle_to_middle() -> None:
    places = np.array([[100, 100], [100 + LENGTH, 100], [100 + 3 * LENGTH, 100]])
    (one,) = fold(result(i / FPS, tracks(boxes_at(places))) for i in range(20))
    assert one.spacing_bl == pytest.approx(1.0)


def test_only_tracks_that_begin_within_the_picture_and_the_job_count_as_switches() -> None:
    middle, border = [300.0, 150.0, 360.0, 180.0], [0.0, 150.0, 60.0, 180.0]
    begun = [(0.5, middle, 0.0), (3.0, border, 0.1), (4.0, middle, 0.3), (5.0, [400.0, 50.0, 460.0, 80.0], 9.0)]
    made = herd()
    for i in range(60):
        now = [(t, box, age, n) for n, (t, box, age) in enumerate(begun) if t <= i / FPS < t + 0.4]
        made.add(result(i / FPS, tracks([box for _, box, _, _ in now], [n + 1 for *_, n in now], age=0.0)))
        for *_, age, _ in now:
            assert age >= 0
    (one,) = made.finish()
    assert one.id_switches == 2, "the third, and the fourth, whose track is young here"
    back = [result(i / FPS, tracks([middle], [7], age=30.0) if i > 30 else None) for i in range(60)]
    assert fold(back)[0].id_switches == 0, "a track that was away is no new one"
