from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from herd_numbers import CASES, VIEWS, distance_errors, film, told_figures, true_figures
from herd_scene import fold, herd, result, summaries, tracks

from agent.core.scene import Ground, Line, Scene, Zone
from agent.core.types import Result, Summary, Totals

FPS = 10
LENGTH = 60.0
SCENE = Scene(
    zones=(
        Zone("west", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))),
        Zone("spot", ((0.45, 0.45), (0.55, 0.45), (0.55, 0.55), (0.45, 0.55))),
    ),
    lines=(Line("gate", (0.5, 0.25), (0.5, 0.75), (0.9, 0.5)),),
)
Path = Callable[[float], tuple[float, float]]


def walk(*paths: Path, seconds: float, jitter_px: float = 0.0, ids: Sequence[int] | None = None) -> Iterator[Result]:
    """Animals of 60 x 26 pixels in a picture of 640 x 360."""
    random = np.random.default_rng(1)
    for i in range(round(seconds * FPS)):
        middles = np.array([path(i / FPS) for path in paths], float)
        half = np.array([30, 13])
        boxes = np.concatenate([middles - half, middles + half], 1)
        boxes += random.normal(0, jitter_px, boxes.shape)
        what = result(i / FPS, tracks(boxes, ids))
        yield Result(what.frame, what.detections, what.tracks, SCENE)


def last(results: Iterator[Result]) -> Summary:
    return fold(results, scene=SCENE)[-1]


def crossed(results: Iterator[Result]) -> tuple[int, int]:
    gate = last(results).lines["gate"]
    return gate.total_entered, gate.total_left


def going(x: float, speed: float, y: float = 180.0, *, begin: float = 0.0, end: float = 1e9) -> Path:
    return lambda time: (x + speed * (np.clip(time, begin, end) - begin), y)


def test_a_zone_tells_how_many_how_long_and_how_often() -> None:
    inside, passing = going(100, 0, 60), going(420, -25, 100, begin=2, end=16)
    one, two = fold(walk(inside, passing, seconds=20), scene=SCENE)
    west = (one.zones["west"], two.zones["west"])
    assert (west[0].count, west[1].count) == (1, 2)
    assert west[0].animal_s == pytest.approx(10 + 4, abs=0.8), "at 320 after 6 s, and half a second late"
    assert west[1].animal_s == pytest.approx(20, abs=0.1)
    assert (west[0].visits, west[1].visits, west[1].total_visits) == (1, 0, 1), "who was there has not come"
    assert west[1].total_animal_s == pytest.approx(west[0].animal_s + west[1].animal_s)
    assert [track.zone for track in two.tracks] == ["west", "west"]


def test_a_zone_smaller_than_the_margin_can_be_entered() -> None:
    scene = Scene(zones=(Zone("nipple", ((0.495, 0.49), (0.505, 0.49), (0.505, 0.51), (0.495, 0.51))),))
    results = walk(going(200, 30, end=4), seconds=10)
    told = fold((Result(r.frame, r.detections, r.tracks, scene) for r in results), scene=scene)[-1].zones["nipple"]
    assert told.total_visits == 1
    assert told.total_animal_s == pytest.approx(6, abs=1.2)


@pytest.mark.parametrize("offset", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("jitter_px", [1.0, 3.0])
def test_who_lies_on_a_border_neither_visits_nor_crosses(offset: float, jitter_px: float) -> None:
    told = last(walk(going(320 + offset, 0), seconds=300, jitter_px=jitter_px))
    assert told.zones["west"].total_visits <= (0 if offset else 3)
    assert (told.lines["gate"].total_entered, told.lines["gate"].total_left) == (0, 0)
    if offset:
        wanted = 300 if offset < 0 else 0
        assert told.zones["west"].total_animal_s == pytest.approx(wanted, abs=10)


def test_to_and_fro_within_seconds_is_neither_a_visit_nor_a_crossing() -> None:
    def sway(time: float) -> tuple[float, float]:
        return 320 + 30 * float(np.sin(time * 2 * np.pi / 6)), 180

    told = last(walk(sway, seconds=60))
    assert told.zones["west"].total_visits <= 1
    assert told.lines["gate"].total_entered + told.lines["gate"].total_left <= 1


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (going(200, 30, end=8), (1, 0)),
        (going(440, -30, end=8), (0, 1)),
        (going(200, 30, 40, end=8), (0, 0)),  # past its upper end
        (going(200, 100, end=2.4), (1, 0)),  # at a run
        (going(200, 25, end=4.8), (0, 0)),  # it stops on the line
        (lambda time: (320 + 60 * np.cos(time / 3), 270 + 60 * np.sin(time / 3)), (1, 0)),  # around its lower end
        (lambda time: (200 + 30 * min(time, 8.0, max(24.0 - time, 0.0)), 180), (1, 1)),  # back after a while
    ],
)
def test_who_goes_over_a_line(path: Path, wanted: tuple[int, int]) -> None:
    assert crossed(walk(path, seconds=30, jitter_px=1)) == wanted


def test_who_is_gone_after_the_line_has_crossed_it() -> None:
    results = [r if i < 50 else result(i / FPS) for i, r in enumerate(walk(going(200, 30), seconds=12))]
    shown = (Result(r.frame, r.detections, r.tracks, SCENE) for r in results)
    assert crossed(shown) == (1, 0)
    assert crossed(walk(going(200, 30), seconds=5)) == (1, 0), "or the job ends"


def test_ids_that_are_swapped_while_two_pass_each_other_cross_nothing_more() -> None:
    def results(swapped: bool) -> Iterator[Result]:
        for i, one in enumerate(walk(going(200, 30, 150, end=8), going(440, -30, 200, end=8), seconds=15)):
            if swapped and i // 5 % 2:
                one.tracks.ids[:] = one.tracks.ids[::-1].copy()
            yield one

    assert crossed(results(False)) == crossed(results(True)) == (1, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_numbers_of_places_are_true_with_and_without_swaps(seed: int) -> None:
    moments = film(20, 120, seed)
    true = true_figures(moments)
    kept, swapped = (told_figures(CASES[name](moments, seed)) for name in list(CASES)[:2])
    for told in (kept, swapped):
        assert told.count == true.count
        assert told.animal_s == pytest.approx(true.animal_s)
        assert told.distance_m == pytest.approx(true.distance_m, rel=0.03)
        assert told.dwell_s == pytest.approx(true.dwell_s, rel=0.1, abs=10)
        assert (told.entered, told.left) == pytest.approx((true.entered, true.left), abs=1)
        assert sum(told.visits) == pytest.approx(sum(true.visits), abs=4)
    assert swapped.dwell_s == pytest.approx(kept.dwell_s, rel=0.02, abs=3)
    assert (swapped.entered, swapped.left) == (kept.entered, kept.left)


def test_the_way_of_a_job_gives_the_same_numbers() -> None:
    moments = film(12, 60, 3)
    true, told = true_figures(moments), told_figures(CASES["pictures, found and tracked"](moments, 3))
    assert told.count == pytest.approx(true.count, abs=0.5)
    assert told.dwell_s == pytest.approx(true.dwell_s, rel=0.15, abs=10)
    assert told.distance_m == pytest.approx(true.distance_m, rel=0.06)
    assert (told.entered, told.left) == pytest.approx((true.entered, true.left), abs=1)


def test_totals_go_on_by_name_through_scenes_and_jobs() -> None:
    first = fold(walk(going(100, 0), seconds=20), scene=SCENE, totals=Totals())[-1]
    assert first.zones["west"].total_animal_s == pytest.approx(20)
    totals = Totals(zones={**first.past_zones, **first.zones}, lines={**first.past_lines, **first.lines})
    bare = fold((Result(r.frame, r.detections, r.tracks) for r in walk(going(100, 0), seconds=10)), totals=totals)[-1]
    assert (bare.zones, bare.lines) == ({}, {})
    assert bare.past_zones["west"].total_animal_s == pytest.approx(20)
    later = fold(walk(going(100, 0), seconds=10), scene=SCENE, totals=Totals(zones=bare.past_zones))[-1]
    assert later.zones["west"].total_animal_s == pytest.approx(30)
    assert later.past_zones == {}


def test_a_scene_that_is_set_on_the_way_counts_from_that_frame_on() -> None:
    made = herd(period_s=5.0)
    told = []
    for i, one in enumerate(walk(going(100, 0), seconds=15)):
        scene = SCENE if i >= 70 else Scene()
        told += made.add(Result(one.frame, one.detections, one.tracks, scene))
    got = summaries([*told, *made.finish()])
    assert [set(one.zones) for one in got] == [set(), {"west", "spot"}, {"west", "spot"}]
    assert [one.zones["west"].animal_s for one in got[1:]] == pytest.approx([3, 5], abs=0.15)
    assert all(late.total_animal_s >= early.total_animal_s for early, late in pairwise(got))


def test_metres_are_told_with_their_error() -> None:
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    for ground, wanted in (
        (Ground(corners, 6.4, 3.6), 2.0),
        (Ground(corners, metres=((0.0, 0.0), (12.8, 0.0), (12.8, 7.2), (0.0, 7.2))), 4.0),
        (Ground(corners[::-1], 6.4, 3.6), 2.0),
    ):
        scene = Scene(ground=ground)
        results = walk(going(200, 50, begin=3, end=7), seconds=10)
        (told,) = fold((Result(r.frame, r.detections, r.tracks, scene) for r in results), scene=scene)
        assert told.distance_m == pytest.approx(wanted, rel=0.02)
        assert told.total_distance_m == told.distance_m
        assert told.distance_error_ratio is not None
        assert 0.022 < told.distance_error_ratio < 0.06
    lying = fold(
        (Result(r.frame, r.detections, r.tracks, scene) for r in walk(going(200, 0), seconds=10)), scene=scene
    )[-1]
    assert (lying.distance_m, lying.distance_error_ratio) == (0.0, None)
    assert fold(walk(going(200, 0), seconds=10))[-1].distance_m is None


@pytest.mark.parametrize("view", VIEWS)
def test_the_distances_error_is_told_and_not_made_small(view: str) -> None:
    off, told = distance_errors(view, film(20, 30, 1), 8)
    assert 0.3 * told < off < 1.2 * told
    assert told < 0.04


def test_memory_does_not_grow_with_animals_that_come_and_go() -> None:
    made = herd(scene=SCENE)
    for i in range(3000):
        x = 7.0 * (i % 80)
        one = result(i / FPS, tracks([[x, 100, x + 60, 130]], [i + 1], age=0.0))
        made.add(Result(one.frame, one.detections, one.tracks, SCENE))
    assert len(made._places._trails._slots) < 200
    for i in range(3000):
        one = result(400.0, tracks([[i % 500, 50, 99, 60], [9, 9, 99, 60]], [2 * i + 9000, 2 * i + 9001], age=0.0))
        made.add(Result(one.frame, one.detections, one.tracks, SCENE))
    assert len(made._places._trails._slots) <= 2048
