"""What every file of agent/core/trackers must hold."""

from __future__ import annotations

import pickle
import time as clock
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from walkers import FPS, detections, noise, same, units, walk

from agent import plugins
from agent.core.ports import Tracker
from agent.core.types import Detections, Tracks

PACKAGE = "agent.core.trackers"
NAMES = plugins.names(PACKAGE)
pytestmark = pytest.mark.parametrize("name", NAMES)


def make(name: str, **values: Any) -> Tracker:
    tracker: Tracker = plugins.load(PACKAGE, name, "tracker").make(**{"threshold": 0.3, **values})
    return tracker


def follow(tracker: Tracker, frames: list[Detections], fps: float = FPS) -> list[Tracks]:
    return [tracker.update(found, index / fps) for index, found in enumerate(frames)]


def check(tracks: Tracks) -> None:
    """Shapes, dtypes, finite figures, each id once and in order."""
    n = len(tracks)
    for array, dtype, shape in (
        (tracks.ids, np.int32, (n,)),
        (tracks.boxes, np.float32, (n, 4)),
        (tracks.scores, np.float32, (n,)),
        (tracks.classes, np.int32, (n,)),
        (tracks.ages, np.float32, (n,)),
    ):
        assert array.dtype == dtype and array.shape == shape
        assert np.isfinite(array).all()
    assert (np.diff(tracks.ids) > 0).all()
    assert (tracks.ages >= 0).all()


def test_there_are_trackers(name: str) -> None:
    assert {"sort", "deepsort"} <= set(NAMES)


@pytest.mark.parametrize("width", [0, 16])
def test_tracks_are_well_formed_and_most_objects_keep_their_id(name: str, width: int) -> None:
    told = follow(make(name, first_id=7), walk(1, width=width))
    for tracks in told:
        check(tracks)
    ids = set(np.concatenate([tracks.ids for tracks in told]).tolist())
    assert ids == set(range(7, 7 + len(ids))), "ids count up from first_id without holes"
    assert 8 <= len(ids) <= 12
    assert np.mean([len(tracks) for tracks in told]) > 6.3


def test_known_count_and_the_smallest_call(name: str) -> None:
    assert len(plugins.load(PACKAGE, name, "tracker").make(threshold=0.3).update(Detections(), 0.0)) == 0
    for tracks in follow(make(name, known_count=8), walk(2)):
        check(tracks)


def test_a_clip_of_one_frame_counts(name: str) -> None:
    tracks = make(name).update(walk(3)[0], 5.0)
    check(tracks)
    assert len(tracks) == len(walk(3)[0]) and (tracks.ages == 0).all()


def test_ages_are_seconds_since_first_seen(name: str) -> None:
    still = detections([[100, 100, 200, 150], [400, 400, 480, 500]])
    told = follow(make(name), [still] * 31, fps=10)
    assert told[-1].ages == pytest.approx([3.0, 3.0], abs=1e-4)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), width=st.sampled_from([0, 8]))
def test_the_order_of_detections_changes_nothing(name: str, seed: int, width: int) -> None:
    frames = walk(seed, frames=25, width=width)
    random = np.random.default_rng(seed)
    shuffled = [found[random.permutation(len(found))] for found in frames]
    assert all(map(same, follow(make(name), frames), follow(make(name), shuffled)))


def test_the_same_twice_is_the_same(name: str) -> None:
    assert all(map(same, follow(make(name), walk(4)), follow(make(name), walk(4))))


def test_arguments_are_left_as_they_are(name: str) -> None:
    frames = walk(4, width=8)
    before = pickle.dumps(frames)
    follow(make(name), frames)
    assert pickle.dumps(frames) == before


def test_what_was_told_does_not_change_later(name: str) -> None:
    tracker = make(name)
    told = follow(tracker, walk(5)[:30])
    before = pickle.dumps(told)
    for index, found in enumerate(walk(5)[30:], 30):
        tracker.update(found, index / FPS)
    assert pickle.dumps(told) == before


def test_empty_frames_and_a_long_gap(name: str) -> None:
    tracker, moments = make(name), count()
    seen: list[Tracks] = []
    for found in [*walk(6), *[Detections()] * 100, *walk(7)]:
        seen.append(tracker.update(found, next(moments) / FPS))
        assert (seen[-1].scores > 0).sum() <= len(found)
    before = set(np.concatenate([tracks.ids for tracks in seen]).tolist())
    later = [tracker.update(found, 3600 + index / FPS) for index, found in enumerate(walk(8))]
    for tracks in [*seen, *later]:
        check(tracks)
    assert len(later[-1]) > 0 and max(later[-1].ids) > max(before)


def test_ids_are_not_used_again(name: str) -> None:
    tracker = make(name)
    first = follow(tracker, [detections([[100, 100, 200, 200]])] * 20)
    for index in range(20, 400):
        tracker.update(Detections(), index / FPS)
    elsewhere = detections([[3000, 3000, 3100, 3100]])
    second = [tracker.update(elsewhere, index / FPS) for index in range(400, 420)]
    assert first[-1].ids.tolist() == [1] and second[-1].ids.tolist() == [2]


@pytest.mark.parametrize("times", [[5.0] * 60, [5.0 - k for k in range(60)], [k % 7 / 10 for k in range(60)]])
def test_time_that_does_not_grow_is_survived(name: str, times: list[float]) -> None:
    tracker = make(name)
    told = [tracker.update(found, time) for found, time in zip(walk(9), times, strict=True)]
    for tracks in told:
        check(tracks)
    assert len(told[-1]) > 4


def test_scores_below_the_threshold_start_nothing(name: str) -> None:
    low = detections([[100, 100, 200, 200]], scores=0.4)
    assert all(len(tracks) == 0 for tracks in follow(make(name, threshold=0.5), [low] * 30))
    high = detections([[100, 100, 200, 200]], scores=0.5)
    assert len(follow(make(name, threshold=0.5), [high] * 30)[-1]) == 1


def test_classes_do_not_mix(name: str) -> None:
    """A person walks through a lying cow: two tracks, each of its class."""
    told = follow(
        make(name),
        [detections([[300, 300, 400, 380], [4 * k, 302, 4 * k + 96, 382]], classes=[3, 0]) for k in range(150)],
    )
    pairs = {(int(i), int(c)) for tracks in told for i, c in zip(tracks.ids, tracks.classes, strict=True)}
    assert len(pairs) == 2 and {number for _, number in pairs} == {0, 3}


def test_two_that_cross_keep_their_ids(name: str) -> None:
    told = follow(
        make(name),
        [detections([[5 * k, 100, 5 * k + 60, 140], [600 - 5 * k, 112, 660 - 5 * k, 152]]) for k in range(120)],
    )
    for track in (1, 2):
        tops = {float(tracks.boxes[tracks.ids == track][0, 1]) for tracks in told}
        assert len(tops) == 1
    assert set(np.concatenate([tracks.ids for tracks in told]).tolist()) == {1, 2}


@pytest.mark.parametrize("fps", [2.0, 5.0, 30.0])
def test_one_missed_frame_is_forgiven_at_any_rate(name: str, fps: float) -> None:
    frames = [detections([[100 + 2 * k, 100, 200 + 2 * k, 180]]) for k in range(30)]
    frames[15] = Detections()
    told = follow(make(name), frames, fps=fps)
    assert set(np.concatenate([tracks.ids for tracks in told]).tolist()) == {1}


def test_boxes_that_are_no_numbers_or_have_no_area_do_no_harm(name: str) -> None:
    good = [100.0, 100, 200, 200]
    bad = [[np.nan, 0, 10, 10], [0, 0, np.inf, 10], [50, 50, 50, 50], [900, 900, 800, 950]]
    for tracks in follow(make(name), [detections([good, *bad])] * 10 + [detections([good])] * 50):
        check(tracks)
    assert good in tracks.boxes.tolist()


def test_features_that_come_and_go_do_no_harm(name: str) -> None:
    tracker, plain, rich = make(name), walk(10), walk(10, width=8)
    assert all(len(a) >= 0 for a in plain)
    for index in range(60):
        check(tracker.update(rich[index] if index // 10 % 2 else plain[index], index / FPS))


@pytest.mark.parametrize("clock_stands", [False, True])
def test_memory_and_cost_stay_bounded_under_noise(name: str, clock_stands: bool) -> None:
    """10^4 frames of detections that never come again."""
    tracker, random = make(name), np.random.default_rng(0)
    sizes, costs = [], []
    for block in range(10):
        begun = clock.process_time()
        for index in range(1000):
            tracker.update(noise(random, 5), 0.0 if clock_stands else (1000 * block + index) / FPS)
        costs.append(clock.process_time() - begun)
        sizes.append(len(pickle.dumps(tracker)))
    assert max(sizes) < 1.5 * sizes[1] + 20_000
    # A machine under load stutters: the fastest late blocks against the slowest early one.
    assert min(costs[5:]) < 2 * max(costs[:3])


def test_memory_of_looks_is_bounded(name: str) -> None:
    tracker = make(name)
    looks = units(np.eye(4, 16))
    still = detections([[200 * k, 100, 200 * k + 100, 200] for k in range(4)], features=looks)
    sizes = []
    for index in range(900):
        tracker.update(still, index / FPS)
        if index % 300 == 299:
            sizes.append(len(pickle.dumps(tracker)))
    assert sizes[2] <= 1.1 * sizes[0]
