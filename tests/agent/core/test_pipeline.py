"""What the detector is asked for, what the tracker gets, and what is told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.core.pipeline import Pipeline
from agent.core.trackers.herd import LEAST_SCORE, lowest_score, make
from agent.core.types import Detections, Floats, Frame, Image


class OneCow:
    """A detector that finds one cow, whatever the picture."""

    labels: Sequence[str] = ("cow",)
    name = "one-cow@00000000"
    provider = "none"

    def __init__(self) -> None:
        self.score = 0.9
        self.asked: list[float] = []

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        self.asked.append(threshold)
        cow = Detections(
            np.array([[10, 10, 60, 40]], np.float32), np.array([self.score], np.float32), np.zeros(1, np.int32)
        )
        return [cow[cow.scores >= threshold]]


class NoLooks:
    def embed(self, image: Image, boxes: Floats) -> Floats:
        return np.zeros((len(boxes), 0), np.float32)


def test_poor_boxes_reach_the_tracker_and_nobody_else() -> None:
    cow = OneCow()
    pipeline = Pipeline(
        detector=cow, embedder=NoLooks(), tracker=make(threshold=0.5), threshold=0.5, lowest=lowest_score(0.5)
    )
    told = []
    for index, score in enumerate([0.9, 0.9, 0.2, 0.2, 0.9]):
        cow.score = score
        frame = Frame(index, index / 10, np.zeros((8, 8, 3), np.uint8))
        told.append(pipeline.track(frame, pipeline.detect([frame])[0]))
    assert set(cow.asked) == {LEAST_SCORE}
    assert [len(result.detections) for result in told] == [1, 1, 0, 0, 1]
    assert all(result.tracks.ids.tolist() == [1] for result in told)


@pytest.mark.parametrize("lowest", [None, 0.5])
def test_without_use_for_them_they_are_not_asked_for(lowest: float | None) -> None:
    cow = OneCow()
    pipeline = Pipeline(detector=cow, embedder=NoLooks(), tracker=make(threshold=0.5), threshold=0.5, lowest=lowest)
    pipeline.detect([Frame(1, 0.0, np.zeros((8, 8, 3), np.uint8))])
    assert cow.asked == [0.5]
