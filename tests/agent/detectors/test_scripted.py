from __future__ import annotations

import time
from itertools import islice

import cv2
import numpy as np
import pytest

from agent.core.pen import Painter, ink_table, numbers
from agent.core.simulation import MAX_ANIMALS, truth
from agent.detectors.scripted import open_detector


def overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) intersection over union, row by row."""
    low, high = np.maximum(boxes[:, :2], others[:, :2]), np.minimum(boxes[:, 2:], others[:, 2:])
    both = np.clip(high - low, 0, None).prod(1)
    return both / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (others[:, 2:] - others[:, :2]).prod(1) - both)


@pytest.mark.parametrize(("animals", "width", "height"), [(20, 640, 360), (MAX_ANIMALS, 1280, 720), (1, 160, 120)])
def test_boxes_are_the_truth_where_nothing_is_hidden(animals: int, width: int, height: int) -> None:
    detector, painter = open_detector(), Painter(4, width, height)
    for moment in islice(truth(animals, 10, 4, width, height), 0, 200, 20):
        found = detector.detect([painter.draw(moment)], 0.25)[0]
        assert len(found) == animals
        whole = found.scores > 0.85
        assert whole.mean() > 0.4
        assert overlap(found.boxes, moment.boxes)[whole].min() > 0.8
        assert found.scores.max() == pytest.approx(0.9)
        assert (found.classes == 0).all()


def test_what_is_half_hidden_scores_half() -> None:
    moment = next(truth(20, 10, 1, 640, 360))
    image = Painter(1, 640, 360).draw(moment)
    ys, xs = np.nonzero(numbers(image, ink_table()) == 8)
    order = np.argsort(xs)
    image[ys[order[: len(xs) // 2]], xs[order[: len(xs) // 2]]] = 0
    before = open_detector().detect([Painter(1, 640, 360).draw(moment)], 0)[0]
    after = open_detector().detect([image], 0)[0]
    assert after.scores[7] == pytest.approx(before.scores[7] / 2, rel=0.15)
    assert after.boxes[7, 0] > before.boxes[7, 0] + 5
    assert len(open_detector().detect([image], float(after.scores[7]) + 0.01)[0]) == 19


def test_other_pictures_hold_nothing() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    soft = cv2.resize(random.integers(0, 256, (18, 32, 3), dtype=np.uint8), (1280, 720), interpolation=cv2.INTER_CUBIC)
    flat = np.full((100, 100, 3), 128, np.uint8)
    assert [len(found) for found in open_detector().detect([noise, np.asarray(soft, np.uint8), flat], 0)] == [0, 0, 0]


def test_it_is_named_and_quick() -> None:
    detector = open_detector()
    assert (detector.name, detector.provider, list(detector.labels)) == ("scripted@00000000", "none", ["pig"])
    image = Painter(1, 640, 360).draw(next(truth(20, 10, 1, 640, 360)))
    times = []
    for _ in range(20):
        begin = time.thread_time()
        detector.detect([image], 0.25)
        times.append(time.thread_time() - begin)
    assert min(times) < 0.006, "3 ms and some room for a slow machine"
