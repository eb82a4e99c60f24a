"""Overlapping boxes against greedy suppression as the papers draw it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.core.nms import OVERLAP, pick

WIDTH, HEIGHT = 640, 480


def chosen(boxes: list[list[float]], scores: list[float], classes: list[int]) -> tuple[list[list[float]], list[int]]:
    found = pick(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(classes, np.int32),
        width=WIDTH,
        height=HEIGHT,
    )
    return found.boxes.tolist(), found.classes.tolist()


def test_of_two_boxes_on_one_object_the_better_stays() -> None:
    assert chosen([[10, 10, 50, 50], [12, 10, 52, 50]], [0.6, 0.9], [0, 0]) == ([[12, 10, 52, 50]], [0])


def test_classes_do_not_suppress_each_other() -> None:
    assert chosen([[10, 10, 50, 50], [10, 10, 50, 50]], [0.6, 0.9], [0, 1])[1] == [1, 0]


def test_boxes_are_cut_to_the_picture_after_they_were_compared() -> None:
    # Cut first, the two would be the same box.
    boxes = [[-100, 100, 20, 200], [0, 100, 20, 200]]
    assert chosen(boxes, [0.9, 0.8], [0, 0])[0] == [[0, 100, 20, 200], [0, 100, 20, 200]]


def test_what_no_picture_shows_is_left_out() -> None:
    nan = float("nan")
    boxes = [[-50, 10, -5, 90], [10, 500, 20, 600], [5, 5, 5.5, 50], [nan, 1, 20, 30], [50, 50, 40, 40]]
    assert chosen(boxes, [0.9] * 5, [0] * 5) == ([], [])


def test_nothing_is_nothing() -> None:
    assert chosen([], [], []) == ([], [])


@st.composite
def found(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes of whole pixels, so that IoUs are exact; no two scores are equal."""
    count = draw(st.integers(0, 25))
    corners = [[draw(st.integers(0, 80)), draw(st.integers(0, 80))] for _ in range(count)]
    sizes = [[draw(st.integers(1, 60)), draw(st.integers(1, 60))] for _ in range(count)]
    scores = draw(st.permutations([(i + 1) / 40 for i in range(count)]))
    classes = [draw(st.integers(0, 2)) for _ in range(count)]
    left_top = np.array(corners, np.float32).reshape(-1, 2)
    boxes = np.concatenate([left_top, left_top + np.array(sizes, np.float32).reshape(-1, 2)], axis=1)
    return boxes, np.array(scores, np.float32), np.array(classes, np.int32)


@given(found())
def test_it_equals_greedy_suppression(some: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    boxes, scores, classes = some
    wanted = greedy(boxes, scores, classes)
    got = pick(boxes, scores, classes, width=WIDTH, height=HEIGHT)
    np.testing.assert_array_equal(got.scores, scores[wanted])
    np.testing.assert_array_equal(got.boxes, boxes[wanted])
    np.testing.assert_array_equal(got.classes, classes[wanted])


def greedy(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> list[int]:
    kept: list[int] = []
    for row in np.argsort(-scores):
        if all(classes[row] != classes[other] or iou(boxes[row], boxes[other]) <= OVERLAP for other in kept):
            kept.append(int(row))
    return kept


def iou(one: np.ndarray, other: np.ndarray) -> float:
    wide, high = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = max(wide, 0) * max(high, 0)
    areas = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])
    return float(shared / (areas - shared))
