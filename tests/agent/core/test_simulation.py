from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from agent.core.pen import Painter, ink_table, inks, numbers
from agent.core.simulation import MAX_ANIMALS, Simulation, State, Truth, body_length, truth


def film(animals: int = 20, frames: int = 300, seed: int = 1) -> list[Truth]:
    return list(islice(truth(animals, 10, seed, 640, 360), frames))


def test_the_same_seed_gives_the_same_herd_and_picture() -> None:
    for one, other in zip(film(frames=50), film(frames=50), strict=True):
        assert (one.boxes == other.boxes).all()
    last = film(frames=3)[-1]
    assert (Painter(1, 640, 360).draw(last) == Painter(1, 640, 360).draw(last)).all()
    assert not np.array_equal(film(frames=1, seed=1)[0].boxes, film(frames=1, seed=2)[0].boxes)


@pytest.mark.parametrize("animals", [1, 2, 20, MAX_ANIMALS])
def test_everyone_stays_in_the_pen_and_nobody_jumps(animals: int) -> None:
    moments = film(animals)
    boxes = np.array([moment.boxes for moment in moments])
    places = np.array([moment.poses[:, :2] for moment in moments])
    assert np.isfinite(boxes).all()
    assert (boxes[..., :2] >= 0).all()
    assert (boxes[..., 2] <= 640).all()
    assert (boxes[..., 3] <= 360).all()
    steps = np.linalg.norm(np.diff(places, axis=0), axis=2)
    assert steps.max() < 0.15 * body_length(animals, 640, 360)


def test_the_herd_lies_stands_and_walks() -> None:
    moments = film(frames=600)
    states = np.array([moment.states for moment in moments])
    assert set(np.unique(states)) == set(State)
    places = np.array([moment.poses[:, :2] for moment in moments])
    walked = np.linalg.norm(np.diff(places, axis=0), axis=2)
    walking = states[1:] == State.WALKING
    assert walked[walking].mean() > 5 * walked[states[1:] == State.LYING].mean()


def test_bodies_hardly_overlap() -> None:
    painter, table = Painter(1, 640, 360), ink_table()
    seen = np.array(
        [np.bincount(numbers(painter.draw(moment), table).ravel(), minlength=21)[1:21] for moment in film()[::10]]
    )
    whole = np.array([moment.sizes.prod(1) for moment in film()[::10]])
    shares = seen / whole
    assert np.median(shares) > 0.97 * shares.max(), "most are seen whole"
    assert shares.min() > 0.5 * shares.max(), "nobody is hidden by half"


def test_inks_differ_in_every_channel() -> None:
    for channel in inks().T:
        assert len(set(channel.tolist())) == MAX_ANIMALS


def test_nothing_but_animals_has_an_ink() -> None:
    moment = film(frames=1)[0]
    found = numbers(Painter(5, 640, 360).draw(moment), ink_table())
    assert set(np.unique(found)) == set(range(21))
    for number in range(1, 21):
        ys, xs = np.nonzero(found == number)
        left, top, right, bottom = moment.boxes[number - 1]
        assert xs.min() >= left - 1.5
        assert xs.max() <= right + 1.5
        assert ys.min() >= top - 1.5
        assert ys.max() <= bottom + 1.5


def test_truth_is_what_the_simulation_does() -> None:
    simulation = Simulation(5, 10, 3, 320, 240)
    for expected in islice(truth(5, 10, 3, 320, 240), 20):
        assert (simulation.step().poses == expected.poses).all()
