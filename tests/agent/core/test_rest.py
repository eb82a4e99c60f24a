"""When the model looks, and where tracks are meanwhile."""

from __future__ import annotations

import numpy as np

from agent.core.rest import Rest
from agent.core.types import Tracks

GROUND = np.random.default_rng(1).integers(60, 120, (240, 320, 3), np.uint8)


def picture(*boxes: tuple[int, int, int, int], seed: int = 0) -> np.ndarray:
    """The ground with bright boxes (left, top, right, bottom) on it, and a camera's noise."""
    image = GROUND.astype(np.float64) + np.random.default_rng(seed).normal(0, 2, GROUND.shape)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = 220
    return np.clip(image, 0, 255).astype(np.uint8)


def tracks(*boxes: tuple[int, int, int, int]) -> Tracks:
    count = len(boxes)
    return Tracks(
        np.arange(1, count + 1, dtype=np.int32),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.9, np.float32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
    )


BOX = (40, 40, 100, 90)


def lying(rest: Rest, seconds: float) -> int:
    """How many looks one animal that lies still takes, at 10 pictures a second."""
    looks = 0
    for index in range(round(seconds * 10)):
        if rest.looks(index / 10, picture(BOX, seed=index)):
            looks += 1
            rest.saw(index / 10, tracks(BOX))
    return looks


def test_who_lies_still_is_looked_at_as_seldom_as_was_said() -> None:
    assert lying(Rest(2.0), 20) <= 20
    assert lying(Rest(0.1), 5) == 50, "no seldomer than every picture"


def test_a_newcomer_and_who_gets_up_are_seen_at_once() -> None:
    rest = Rest(60.0)
    lying(rest, 5)
    assert not rest.looks(5.0, picture(BOX, seed=98))
    assert rest.looks(5.1, picture(BOX, (200, 150, 240, 190), seed=99))
    rest.saw(5.1, tracks(BOX))
    assert rest.looks(5.2, picture((60, 40, 120, 90), seed=100))


def test_more_light_is_no_news() -> None:
    rest = Rest(60.0)
    lying(rest, 5)
    assert not rest.looks(5.0, np.clip(picture(BOX, seed=97).astype(int) + 12, 0, 255).astype(np.uint8))


def test_a_walker_goes_on_between_looks_and_stays_in_the_picture() -> None:
    rest = Rest(10.0)
    for index in range(11):
        box = (40 + 4 * index, 40, 100 + 4 * index, 90)
        if rest.looks(index / 10, picture(box, seed=index)):
            rest.saw(index / 10, tracks(box))
    told = rest.coast(1.5, (240, 320))
    np.testing.assert_allclose(told.boxes, [[100, 40, 160, 90]], atol=2)
    assert told.ages[0] > 0 and told.ids.tolist() == [1]
    far = rest.coast(60.0, (240, 320)).boxes
    assert far.max() <= 320


def test_an_empty_picture_rests_too() -> None:
    rest = Rest(5.0)
    looks = 0
    for index in range(100):
        if rest.looks(index / 10, picture(seed=index)):
            looks += 1
            rest.saw(index / 10, Tracks())
    assert looks <= 3
    assert len(rest.coast(20.0, (240, 320))) == 0
