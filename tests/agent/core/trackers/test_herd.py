"""The ideas of herdlink's own tracker: each of these fails without its own."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from walkers import detections, units

from agent.core.trackers.herd import LEAST_SCORE, lowest_score, make
from agent.core.types import Detections, Tracks

FPS = 10.0
BOX = [100.0, 100, 180, 140]


def follow(frames: list[Detections], *, threshold: float = 0.5, known_count: int = 0) -> list[Tracks]:
    tracker = make(threshold=threshold, known_count=known_count)
    return [tracker.update(found, index / FPS) for index, found in enumerate(frames)]


def ids(told: list[Tracks]) -> set[int]:
    return set(np.concatenate([tracks.ids for tracks in told]).tolist())


def moved(box: list[float], x: float, y: float = 0) -> list[float]:
    return [box[0] + x, box[1] + y, box[2] + x, box[3] + y]


def test_poor_boxes_continue_a_track_and_begin_none() -> None:
    poor = detections([BOX], scores=0.15)
    told = follow([*[detections([BOX])] * 5, *[poor] * 20])
    assert len(told[-1]) == 1 and ids(told) == {1}
    assert ids(follow([poor] * 20)) == set()
    assert lowest_score(0.5) == LEAST_SCORE and lowest_score(0.05) == 0.05


def test_a_second_box_of_a_body_is_no_lost_one() -> None:
    """One of two neighbours is hidden; a poor second box of the other lies between them."""
    other = moved(BOX, 50)
    frames = [detections([BOX, other])] * 20
    frames += [detections([BOX, moved(BOX, 18)], scores=[0.9, 0.3])] * 5
    assert all(tracks.ids[tracks.scores > 0].tolist() == [1] for tracks in follow(frames)[20:])


def test_an_animal_that_turns_keeps_its_track() -> None:
    def turned(angle: float) -> list[float]:
        half = np.array([[60, 25], [25, 60]]) @ np.abs([np.cos(angle), np.sin(angle)])
        return [300 - half[0], 300 - half[1], 300 + half[0], 300 + half[1]]

    assert ids(follow([detections([turned(0.15 * k)]) for k in range(60)])) == {1}


def test_a_dropped_frame_is_a_longer_step() -> None:
    frames = [(k, detections([moved(BOX, 12 * k)])) for k in range(40) if k < 20 or k % 5 == 0]
    tracker = make(threshold=0.5)
    assert ids([tracker.update(found, k / FPS) for k, found in frames]) == {1}


def test_a_lost_body_is_found_by_distance() -> None:
    """It strayed farther than its own width, and comes back where nothing overlaps."""
    away = [*[detections([BOX])] * 20, *[Detections()] * 15, *[detections([moved(BOX, 0, 55)])] * 5]
    assert ids(follow(away)) == {1}
    too_far = [*[detections([BOX])] * 20, *[Detections()] * 15, *[detections([moved(BOX, 0, 300)])] * 5]
    assert ids(follow(too_far)) == {1, 2}


@pytest.mark.parametrize("before", [20, 30, 140, 299])
def test_three_seconds_are_thirty_frames_of_a_tenth(before: int) -> None:
    """Whenever they begin: no rounding of the clock decides."""
    for empty, who in ((30, {1}), (31, {1, 2})):
        assert ids(follow([*[detections([BOX])] * before, *[Detections()] * empty, *[detections([BOX])] * 5])) == who


@pytest.mark.parametrize("before", [20, 31])
def test_one_second_is_ten_frames_of_a_tenth(before: int) -> None:
    """So long a poor box goes on with a track."""
    told = follow([*[detections([BOX])] * before, *[Detections()] * 10, detections([BOX], scores=0.15)])
    assert told[-1].scores.tolist() == pytest.approx([0.15])


def test_what_the_detector_is_less_sure_of_is_told_later() -> None:
    usual = [detections([BOX], scores=0.95)] * 30
    first = {}
    for score in (0.95, 0.6):
        new = [detections([BOX, moved(BOX, 400)], scores=[0.95, score])] * 10
        first[score] = [len(tracks) for tracks in follow(usual + new)[30:]].index(2)
    assert first[0.95] == 1 and 3 <= first[0.6] <= 6


def test_a_box_upon_another_begins_a_track_late() -> None:
    alone, both = detections([BOX]), detections([BOX, moved(BOX, 30)])
    assert [len(tracks) for tracks in follow([alone] * 30 + [both] * 10)[30:]].index(2) >= 3


@pytest.mark.parametrize("tell_apart", [True, False])
def test_looks_refuse_a_stranger_where_they_tell_bodies_apart(tell_apart: bool) -> None:
    random = np.random.default_rng(0)
    looks = np.eye(6, 32) if tell_apart else np.ones((6, 32))
    boxes = [moved(BOX, 200 * k) for k in range(5)]

    def seen(who: list[int]) -> Detections:
        features = units(looks[who] + random.normal(0, 0.05, (len(who), 32)))
        return detections(boxes[: len(who)], features=features)

    told = follow([seen([*range(5)][: 4 if 30 <= k < 38 else 5] if k < 38 else [0, 1, 2, 3, 5]) for k in range(46)])
    assert ids(told) == ({1, 2, 3, 4, 5, 6} if tell_apart else {1, 2, 3, 4, 5})


def test_a_body_missed_for_a_moment_is_told_where_it_should_be() -> None:
    walk = [detections([moved(BOX, 5 * k)]) for k in range(20)]
    told = follow([*walk, *[Detections()] * 4])
    assert [tracks.scores.tolist() for tracks in told[20:]] == [[0.0], [0.0], [], []]
    assert told[21].boxes[0] == pytest.approx(moved(BOX, 105), abs=2)
    assert all(len(tracks) == 0 for tracks in follow([*walk[:5], Detections()])[5:]), "too young"


@pytest.mark.parametrize("others", [0, 6])
def test_a_knocked_camera_moves_all_bodies_at_once(others: int) -> None:
    """Two neighbours: one lies afterwards where the other one was. Those around them tell that the camera moved."""
    pen = [BOX, moved(BOX, 40), *[moved(BOX, 200 * k, 200) for k in range(others)]]
    told = follow([*[detections(pen)] * 20, *[detections([moved(box, 45) for box in pen])] * 5])
    assert told[19].ids.tolist() == told[20].ids.tolist()
    assert np.allclose(told[20].boxes - told[19].boxes, [45, 0, 45, 0], atol=5) == (others > 0)


def test_one_that_runs_past_others_is_no_knock() -> None:
    row = [moved(BOX, 0, 90 * k) for k in range(8)]
    told = follow([detections([moved(row[0], 30 * k), *row[1:]]) for k in range(12)])
    assert ids(told) == {*range(1, 9)}


def test_a_detector_whose_low_scores_are_of_no_use_begins_no_tracks_with_them() -> None:
    """Boxes of a middling score come and go anywhere; of another detector they lie on the animals, and count."""
    random = np.random.default_rng(3)

    def frame(k: int, *, wrong: bool, late: bool = False) -> Detections:
        walkers = [moved(BOX, 150 * i, 8 * k) for i in range(4)]
        stray = [moved(BOX, *random.uniform(0, 900, 2)) for _ in range(4)] if wrong else []
        new = [moved(BOX, 150 * 5, 500)] if late else []
        boxes = [*walkers, *stray, *new]
        return detections(boxes, scores=[0.9, 0.9, 0.9, 0.9 if wrong else 0.45, *[0.45] * (len(boxes) - 4)])

    for wrong in (False, True):
        frames = [frame(k, wrong=wrong) for k in range(60)] + [frame(k, wrong=False, late=True) for k in range(60, 72)]
        told = follow(frames, threshold=0.3)[-1]
        assert len(told) == (4 if wrong else 5)


def standing(scores: list[float], *, x: float = 0.0) -> list[int]:
    """How many are told, frame by frame, where another animal walks and something stands (and goes x a frame)."""
    frames = [
        detections([moved(BOX, 3 * k % 400, 300), moved(BOX, x * k)], scores=[0.9, score])
        for k, score in enumerate(scores)
    ]
    return [len(tracks) for tracks in follow(frames, threshold=0.3)]


def test_what_stands_and_never_scores_well_is_a_fixture() -> None:
    assert standing([0.5] * 100)[-1] == 1
    assert standing([0.5] * 100, x=2)[-1] == 2, "it walks"
    assert standing([0.85] * 20 + [0.5] * 200)[-1] == 2, "asleep: it was surely seen once"
    assert standing([0.62] * 100)[-1] == 2, "a dark back: the detector is less sure of it for as long as it lies"


def test_a_walker_that_passes_a_fixture_does_not_stay_there() -> None:
    stone = moved(BOX, 300)
    frames = [detections([stone], scores=[0.4])] * 60
    for k in range(60):
        walker = moved(BOX, 10 * k, 5)
        hidden = abs(10 * k - 300) < 60
        boxes, scores = ([walker], [0.9]) if hidden else ([walker, stone], [0.9, 0.4])
        frames.append(detections(boxes, scores=scores))
    frames += [detections([moved(BOX, 0, 400), stone], scores=[0.9, 0.4])] * 30
    told = follow(frames, threshold=0.3)
    assert told[-1].boxes[:, 1] == pytest.approx([500], abs=2)


def test_a_known_animal_is_told_while_it_is_hidden() -> None:
    frames = [*[detections([BOX, moved(BOX, 300)])] * 20, *[detections([BOX])] * 20, *[Detections()] * 100]
    told = follow(frames, known_count=2)
    assert told[30].ids.tolist() == [1, 2] and told[30].scores[1] == 0
    assert told[30].boxes[1] == pytest.approx(moved(BOX, 300), abs=2)
    assert len(told[-1]) == 0
    assert follow(frames)[30].ids.tolist() == [1]


def test_three_hours_fill_no_memory() -> None:
    """A picture every 2 seconds: animals that stay, misses, and boxes that come and go."""
    random, tracker = np.random.default_rng(0), make(threshold=0.5, known_count=8)
    places = random.uniform(0, 2000, (8, 2))
    sizes = []
    for frame in range(3 * 1800):
        places += random.normal(0, 2, places.shape)
        corners = np.concatenate([places, places + np.array([80, 40])], axis=1)[random.random(8) > 0.1]
        ghost = np.tile(random.uniform(0, 2000, (1, 2)), 2) + np.array([0, 0, 60, 60])
        tracker.update(detections(np.concatenate([corners, ghost])), 2.0 * frame)
        if frame % 900 == 899:
            sizes.append(len(pickle.dumps(tracker)))
    assert max(sizes) < 1.3 * sizes[0]
