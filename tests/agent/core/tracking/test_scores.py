"""What is learned of a detector's scores."""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.tracking.scores import Scores


def taught(of_use: dict[float, float], *, threshold: float = 0.3, frames: int = 200) -> Scores:
    """Ten boxes of each score in every frame, of which a share continues told tracks."""
    scores = Scores(threshold)
    every = np.repeat(np.array(list(of_use)), 10)
    rows = [10 * k + i for k, share in enumerate(of_use.values()) for i in range(round(10 * share))]
    for _ in range(frames):
        scores.learn(every, np.array(rows, np.intp))
    return scores


def test_scores_of_no_use_raise_the_threshold_up_to_the_first_of_use() -> None:
    assert taught({0.95: 1, 0.65: 0.9, 0.55: 0.3, 0.35: 0.2}).sure == pytest.approx(0.6)
    assert taught({0.95: 1, 0.55: 0.9, 0.35: 0.8}).sure == pytest.approx(0.3)


def test_what_is_asked_for_is_never_lowered_and_the_usual_boxes_always_count() -> None:
    assert taught({0.95: 1, 0.55: 0.9}, threshold=0.7).sure == pytest.approx(0.7)
    useless = taught({0.9: 0.1, 0.7: 0.0, 0.4: 0.0})
    assert 0.3 < useless.sure < 0.9


def test_where_tracks_are_short_usual_boxes_are_the_measure() -> None:
    """Animals that hurry past are new in every second frame: no score is to blame for that."""
    assert taught({0.9: 0.5, 0.5: 0.5, 0.4: 0.4}).sure == pytest.approx(0.3)


def test_a_few_boxes_teach_nothing() -> None:
    assert taught({0.9: 1, 0.45: 0}, frames=0).sure == pytest.approx(0.3)


def test_evidence_grows_from_the_threshold_to_the_usual_score() -> None:
    scores = taught({0.9: 1})
    assert scores.evidence(np.array([0.3, 0.6, 0.9, 0.99])) == pytest.approx([0.25, 0.5, 1, 1], abs=0.02)


def test_scores_beyond_one_are_scores() -> None:
    """The MOT Challenge's files have scores of 20 and 90."""
    scores = taught({90.0: 1, 20.0: 0.1, 0.5: 0.1})
    assert 0.5 < scores.sure < 20 and np.isfinite(scores.fixture)
