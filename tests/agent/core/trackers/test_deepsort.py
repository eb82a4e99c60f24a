from __future__ import annotations

import numpy as np
import pytest
from walkers import FPS, detections, units

from agent.core.trackers import deepsort, sort
from agent.core.types import Detections, Floats

LOOKS = units(np.random.default_rng(0).normal(size=(2, 32)))


def hidden_walk(looks: Floats | None) -> list[Detections]:
    """An object walks, stands still while hidden for half a second, and comes out where no prediction overlaps it."""

    def at(k: int) -> Detections:
        return detections([[3 * k, 100, 3 * k + 40, 180]], features=looks)

    return [at(k) for k in range(40)] + [Detections()] * 15 + [at(40)] * 20


def last_ids(frames: list[Detections]) -> list[int]:
    tracker = deepsort.make(threshold=0.3)
    told = [tracker.update(found, index / FPS) for index, found in enumerate(frames)]
    ids: list[int] = told[-1].ids.tolist()
    return ids


def test_looks_find_an_identity_again_that_motion_has_lost() -> None:
    assert last_ids(hidden_walk(LOOKS[:1])) == [1]
    assert last_ids(hidden_walk(None)) == [2]


def test_another_look_in_the_same_place_is_another_object() -> None:
    frames = hidden_walk(LOOKS[:1])
    assert last_ids([*frames[:-20], *hidden_walk(LOOKS[1:])[-20:]]) == [2]


def test_looks_beat_overlap_where_two_change_places() -> None:
    """Two side by side swap between two frames: overlap alone would swap their ids."""
    boxes = np.array([[100, 100, 160, 200], [115, 100, 175, 200]])
    frames = [detections(boxes, features=LOOKS)] * 20 + [detections(boxes[::-1], features=LOOKS)] * 20
    tracker = deepsort.make(threshold=0.3)
    told = [tracker.update(found, index / FPS) for index, found in enumerate(frames)]
    assert told[19].boxes[:, 0].tolist() == [100, 115]
    assert told[-1].ids.tolist() == [1, 2] and told[-1].boxes[:, 0].tolist() == [115, 100]


@pytest.mark.parametrize("module", [sort, deepsort])
def test_later_tracks_are_told_after_three_hits(module: object) -> None:
    tracker = module.make(threshold=0.3)  # type: ignore[attr-defined]
    for index in range(10):
        tracker.update(Detections(), index / FPS)
    late = detections([[100, 100, 200, 200]])
    assert [len(tracker.update(late, index / FPS)) for index in range(10, 15)] == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(("gap_s", "ids"), [(0.8, {1}), (1.4, {1, 2})])
@pytest.mark.parametrize("module", [sort, deepsort])
@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_lost_tracks_are_kept_for_a_second_whatever_the_rate(
    module: object, fps: float, gap_s: float, ids: set[int]
) -> None:
    still = detections([[100, 100, 200, 200]])
    frames = [still] * 10 + [Detections()] * round(gap_s * fps) + [still] * 10
    tracker = module.make(threshold=0.3)  # type: ignore[attr-defined]
    told = [tracker.update(found, index / fps) for index, found in enumerate(frames)]
    assert set(np.concatenate([tracks.ids for tracks in told]).tolist()) == ids
