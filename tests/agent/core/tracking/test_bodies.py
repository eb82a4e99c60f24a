"""The filter over all bodies, and the jitter that it learns."""

from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.tracking.bodies import FADE_S, STEADY, Bodies
from agent.core.tracking.jitter import TRUST, Jitter
from agent.core.types import Doubles

ONE = np.ones(1, np.bool_)
SURE = np.ones(1)


def walking(steps: int, step_s: float = 0.1) -> Bodies:
    """A body of 40 x 20 that went 50 pixels a second to the right."""
    bodies = Bodies()
    bodies.begin(place(0))
    for k in range(1, steps):
        bodies.predict(step_s)
        bodies.correct(ONE, place(50 * k * step_s), SURE, learn=None)
    return bodies


def place(x: float, width: float = 40, height: float = 20) -> Doubles:
    return np.array([[x], [100.0], [width], [height]])


@given(first=st.floats(0.01, 1), second=st.floats(0.01, 1))
@settings(deadline=None)
def test_two_steps_are_one_long_step(first: float, second: float) -> None:
    """The places exactly; what is known of them as well as long as the body keeps its size."""
    parts, whole = walking(20), walking(20)
    parts.predict(first)
    parts.predict(second)
    whole.predict(first + second)
    assert parts.places == pytest.approx(whole.places, rel=1e-9)
    assert parts.speeds == pytest.approx(whole.speeds, rel=1e-9)
    for bodies in (parts, whole):
        bodies.correct(ONE, place(300), SURE, learn=None)
    assert parts.places == pytest.approx(whole.places, rel=0.02)


def test_a_walk_goes_on_and_a_growing_box_stops_growing() -> None:
    bodies = Bodies()
    bodies.begin(place(0))
    for k in range(1, 15):
        bodies.predict(0.1)
        bodies.correct(ONE, place(5 * k, width=40 + 2 * k), SURE, learn=None)
    growth = bodies.speeds[2, 0]
    bodies.predict(3.0)
    assert bodies.speeds[0, 0] == pytest.approx(50, rel=0.1)
    assert bodies.places[2, 0] < 68 + growth * FADE_S * 1.01


def test_a_poor_box_moves_a_body_less() -> None:
    moved = []
    for score in (1.0, 0.1):
        bodies = walking(20)
        bodies.predict(0.1)
        bodies.correct(ONE, place(120), np.array([score]), learn=None)
        moved.append(bodies.places[0, 0])
    assert moved[1] < moved[0] - 1


def test_a_body_never_gets_a_negative_size() -> None:
    bodies = Bodies()
    bodies.begin(place(0))
    for width in (40, 20, 8, 3, 1):
        bodies.predict(0.1)
        bodies.correct(ONE, place(0, width=width, height=width), SURE, learn=None)
    for _ in range(50):
        bodies.predict(0.5)
    assert (bodies.places[2:] >= 1).all()


def test_a_body_that_is_not_seen_goes_on_as_if_nobody_were() -> None:
    """Whatever stands in its column."""
    both, alone = Bodies(), Bodies()
    both.begin(np.concatenate([place(0), place(500)], axis=1))
    alone.begin(place(0))
    for k in range(1, 30):
        seen = np.array([k % 3 > 0, True])
        both.predict(0.1)
        alone.predict(0.1)
        measured = np.concatenate([place(5 * k if seen[0] else 9e9), place(500)], axis=1)
        both.correct(seen, measured, np.array([0.9 if seen[0] else 0.0, 1.0]), learn=None)
        if seen[0]:
            alone.correct(ONE, place(5 * k), np.array([0.9]), learn=None)
    for one, other in ((both.places, alone.places), (both.speeds, alone.speeds)):
        assert one[:, :1] == pytest.approx(other, rel=1e-9, abs=1e-9)


@given(seed=st.integers(0, 10**6), step_s=st.floats(0.02, 1))
@settings(deadline=None, max_examples=25)
def test_it_is_the_kalman_filter(seed: int, step_s: float) -> None:
    """filterpy's, one body at a time, given the same noise: of a centre, whose model is position and speed."""
    random, bodies = np.random.default_rng(seed), Bodies()
    boxes = np.abs(random.normal(0, 30, (4, 5))) + 60
    bodies.begin(boxes)
    filters = [kalman(bodies, coordinate, body) for coordinate in (0, 1) for body in range(5)]
    for _ in range(15):
        area, freedom = bodies.places[2] * bodies.places[3], bodies._freedom()
        bodies.predict(step_s)
        boxes = boxes + random.normal(0, 5, boxes.shape) * [[1], [1], [0.1], [0.1]]
        noise = bodies._jitter.variance(bodies.places)
        bodies.correct(np.ones(5, np.bool_), boxes, np.ones(5), learn=None)
        for number, one in enumerate(filters):
            coordinate, body = divmod(number, 5)
            pp, pv, vv = bodies._step[coordinate, 2:5, -1] * area[body] * freedom[body]
            one.predict(F=np.array([[1, step_s], [0, 1]]), Q=np.array([[pp, pv], [pv, vv]]))
            one.update(boxes[coordinate, body], R=noise[coordinate, body])
            known = bodies._state[:5, coordinate, body]
            assert [*one.x[:, 0], one.P[0, 0], one.P[0, 1], one.P[1, 1]] == pytest.approx(known, rel=1e-6, abs=1e-9)


def kalman(bodies: Bodies, coordinate: int, body: int) -> KalmanFilter:
    place, speed, pp, pv, vv = bodies._state[:5, coordinate, body]
    one = KalmanFilter(dim_x=2, dim_z=1)
    one.x, one.P, one.H = np.array([[place], [speed]]), np.array([[pp, pv], [pv, vv]]), np.array([[1.0, 0.0]])
    return one


def test_a_body_that_turns_is_followed_more_freely_than_one_that_goes_on() -> None:
    steady, turning = walking(30), walking(30)
    for k in range(4):
        for bodies, x in ((steady, 150 + 5 * k), (turning, 150 - 5 * k)):
            bodies.predict(0.1)
            bodies.correct(ONE, place(x), SURE, learn=None)
    assert steady._freedom()[0] == pytest.approx(STEADY, rel=0.2)
    assert turning._freedom()[0] > 2 * STEADY


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_the_jitter_is_learned_and_steady_motion_is_none(share: float) -> None:
    random, jitter, size = np.random.default_rng(0), Jitter(), np.array([[0.0], [0.0], [80.0], [40.0]])
    start, speed = random.uniform(0, 500, (4, 30)) * [[1], [1], [0], [0]] + size, random.normal(0, 9, (2, 30))
    boxes = []
    for k in range(300):
        box = start.copy()
        box[:2] += k * speed
        boxes.append(box + share * size[[2, 3, 2, 3]] * random.normal(0, 1, box.shape))
    for three in zip(boxes, boxes[1:], boxes[2:], strict=False):
        jitter.learn(*three)
    learned = np.sqrt(jitter.variance(size)) / size[[2, 3, 2, 3]]
    assert learned == pytest.approx(TRUST * share, rel=0.15)
