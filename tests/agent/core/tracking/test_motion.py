"""The batched filter against filterpy's, one object a track."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.trackers import deepsort, sort
from agent.core.tracking.motion import Motion, MotionModel, Spread, from_area, from_height, to_area, to_height
from agent.core.types import Doubles, Floats

MODELS = [pytest.param(sort.MODEL, id="sort"), pytest.param(deepsort.MODEL, id="deepsort")]
STEPS = st.lists(st.floats(0, 0.5), min_size=1, max_size=12)


def boxes(random: np.random.Generator, count: int) -> Floats:
    corners = random.uniform(0, 1000, (count, 2))
    return np.concatenate([corners, corners + random.uniform(20, 200, (count, 2))], axis=1).astype(np.float32)


def variance(spread: Spread, position: Doubles, model: MotionModel) -> Doubles:
    squared: Doubles = (np.array(spread.fixed) + np.array(spread.share) * position[list(model.size)]) ** 2
    return squared


def oracle(model: MotionModel, box: Floats) -> Any:
    with warnings.catch_warnings():
        # filterpy 1.4.5, which the pin allows, has docstrings whose escapes Python warns of when it compiles them.
        warnings.simplefilter("ignore")
        from filterpy.kalman import KalmanFilter
    one = KalmanFilter(dim_x=8, dim_z=4)
    position = model.measure(box[None])[0]
    one.x = np.concatenate([position, np.zeros(4)])
    one.P = np.diag(
        np.concatenate(
            [variance(model.first_position, position, model), variance(model.first_velocity, position, model)]
        )
    )
    one.H = np.eye(4, 8)
    return one


def predict(one: Any, model: MotionModel, step: float) -> None:
    drift = variance(model.position_drift, one.x[:4], model)
    turn = variance(model.velocity_drift, one.x[:4], model)
    one.F = np.eye(8) + step * np.eye(8, k=4)
    noise = np.diag(np.concatenate([drift * step + turn * step**3 / 3, turn * step]))
    noise += np.diag(turn * step**2 / 2, 4) + np.diag(turn * step**2 / 2, -4)
    one.Q = noise
    shrunk = np.flatnonzero(one.x[2:4] + one.x[6:8] * step <= 0)
    one.x[6 + shrunk] = 0
    one.predict()


def covariance(one: Any) -> Doubles:
    p = one.P
    return np.stack([np.diag(p)[:4], np.diag(p, 4), np.diag(p)[4:]])


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 6), steps=STEPS)
def test_it_equals_filterpy(model: MotionModel, seed: int, count: int, steps: list[float]) -> None:
    random = np.random.default_rng(seed)
    first = boxes(random, count)
    motion = Motion(model)
    motion.begin(first)
    ones = [oracle(model, box) for box in first]
    for step in steps:
        motion.predict(step)
        for one in ones:
            predict(one, model, step)
        rows = np.flatnonzero(random.random(count) < 0.7)
        seen = (first + random.normal(0, 10, first.shape)).astype(np.float32)[rows]
        assert motion.distances(rows, seen) == pytest.approx(
            np.array([[far(ones[row], model, box) for box in seen] for row in rows]).reshape(len(rows), len(rows)),
            rel=1e-3,
        )
        motion.correct(rows, seen)
        for row, box in zip(rows, seen, strict=True):
            ones[row].update(model.measure(box[None])[0], R=np.diag(variance(model.measured, ones[row].x[:4], model)))
    states = np.array([one.x for one in ones])
    assert np.concatenate([motion.position, motion.velocity], axis=1) == pytest.approx(states, rel=1e-6, abs=1e-6)
    assert motion.covariance == pytest.approx(np.stack([covariance(one) for one in ones], 1), rel=1e-6, abs=1e-9)


def far(one: Any, model: MotionModel, box: Floats) -> float:
    surprise = model.measure(box[None])[0] - one.x[:4]
    total = one.P[:4, :4] + np.diag(variance(model.measured, one.x[:4], model))
    return float(surprise @ np.linalg.solve(total, surprise))


@settings(deadline=None)
@given(first=st.floats(0, 2), second=st.floats(0, 2))
def test_two_steps_are_one(first: float, second: float) -> None:
    """Where the noise does not depend on the size, a dropped frame is a longer step and nothing else."""
    once, twice = Motion(sort.MODEL), Motion(sort.MODEL)
    for motion in (once, twice):
        motion.begin(np.array([[0, 0, 100, 100]], np.float32))
        motion.predict(0.1)
        motion.correct(np.array([0]), np.array([[5, 3, 107, 104]], np.float32))
    twice.predict(first)
    twice.predict(second)
    once.predict(first + second)
    assert twice.position == pytest.approx(once.position)
    assert twice.covariance == pytest.approx(once.covariance)


@pytest.mark.parametrize("model", MODELS)
def test_a_shrinking_object_keeps_a_size(model: MotionModel) -> None:
    motion = Motion(model)
    motion.begin(np.array([[0, 0, 200, 200]], np.float32))
    for side in (150, 100, 60, 30, 10):
        motion.predict(1 / 30)
        motion.correct(np.array([0]), np.array([[0, 0, side, side]], np.float32))
    for _ in range(100):
        motion.predict(0.1)
        left, top, right, bottom = motion.boxes()[0]
        assert right > left and bottom > top


@pytest.mark.parametrize("model", MODELS)
def test_a_steady_walk_is_predicted(model: MotionModel) -> None:
    motion = Motion(model)
    motion.begin(np.array([[0, 100, 50, 200]], np.float32))
    for k in range(1, 60):
        motion.predict(1 / 30)
        motion.correct(np.array([0]), np.array([[2 * k, 100, 2 * k + 50, 200]], np.float32))
    motion.predict(1.0)
    assert motion.boxes()[0] == pytest.approx([2 * 59 + 60, 100, 2 * 59 + 110, 200], abs=6)
    assert motion.velocity[0, 0] == pytest.approx(60, abs=5)


@pytest.mark.parametrize(("there", "back"), [(to_area, from_area), (to_height, from_height)])
def test_coordinates_go_there_and_back(there: Any, back: Any) -> None:
    some = boxes(np.random.default_rng(0), 50)
    assert back(there(some)) == pytest.approx(some, rel=1e-5, abs=1e-3)
    assert np.isfinite(there(np.array([[5, 5, 5, 5], [9, 9, 3, 3]], np.float32))).all()


def test_tracks_outside_the_mask_are_forgotten() -> None:
    motion = Motion(sort.MODEL)
    motion.begin(boxes(np.random.default_rng(1), 4))
    second = motion.position[[1, 3]]
    motion.keep(np.array([False, True, False, True]))
    assert len(motion) == 2 and np.array_equal(motion.position, second)
