from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.core.picture import annotate, colour_of, to_jpeg


def grey(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def test_annotate_draws_in_the_colour_of_the_id_and_leaves_the_original() -> None:
    image = grey()
    before = image.copy()
    drawn = annotate(image, np.array([[100, 80, 200, 160]], np.float32), [7], ["pig 7"])
    assert (image == before).all()
    assert tuple(drawn[160, 150]) == colour_of(7)
    assert tuple(drawn[120, 200]) == colour_of(7)
    assert (drawn[100:140, 120:180] == 90).all(), "the inside of a box stays free"


def test_annotate_of_nothing_is_a_copy() -> None:
    image = grey()
    drawn = annotate(image, np.zeros((0, 4), np.float32), [], [])
    assert (drawn == image).all()
    assert drawn is not image


def test_a_text_at_the_edge_is_wholly_in_the_picture() -> None:
    middle = annotate(grey(), np.array([[100, 100, 140, 140]], np.float32), [1], ["pig 1"])
    for box in ([-20, -20, 30, 30], [300, -10, 400, 20], [310, 230, 330, 250]):
        edge = annotate(grey(), np.array([box], np.float32), [1], ["pig 1"])
        text = np.all(edge == 0, axis=2) | np.all(edge == 255, axis=2)
        wanted = np.all(middle == 0, axis=2) | np.all(middle == 255, axis=2)
        assert text.sum() == pytest.approx(wanted.sum(), abs=2)


def test_boxes_that_are_no_boxes_do_no_harm() -> None:
    boxes = np.array([[np.nan, 0, 10, 10], [-1e9, -1e9, 1e9, 1e9], [50, 50, 40, 40]], np.float32)
    assert annotate(grey(), boxes, [1, 2, 3], ["a", "", "쥐 3"]).shape == (240, 320, 3)


def test_lines_and_letters_grow_with_the_picture() -> None:
    def painted(scale: int) -> float:
        image = grey(320 * scale, 240 * scale)
        boxes = np.array([[100, 80, 200, 160]], np.float32) * scale
        return float((annotate(image, boxes, [7], ["pig 7"]) != 90).any(2).mean())

    assert painted(6) > 0.8 * painted(3)


def test_colours_of_neighbours_are_far_apart() -> None:
    colours = np.array([colour_of(track) for track in range(1, 41)], int)
    steps = np.abs(np.diff(colours, axis=0)).sum(1)
    assert steps.min() > 100
    assert len({tuple(colour) for colour in colours.tolist()}) == 40
    assert (colours.max(1) > 150).all(), "no colour is dark"


def noisy(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def test_to_jpeg_narrows_but_never_widens() -> None:
    assert decoded(to_jpeg(grey(), width=160)).shape == (120, 160, 3)
    assert decoded(to_jpeg(grey(), width=1000)).shape == (240, 320, 3)
    assert decoded(to_jpeg(grey())).shape == (240, 320, 3)


@pytest.mark.parametrize("max_bytes", [100_000, 20_000, 4_000])
def test_to_jpeg_fits_even_noise(max_bytes: int) -> None:
    data = to_jpeg(noisy(640, 360), max_bytes=max_bytes)
    assert len(data) <= max_bytes
    assert decoded(data).shape[0] > 10


def test_to_jpeg_lowers_quality_before_size() -> None:
    full = len(to_jpeg(noisy(320, 240)))
    assert decoded(to_jpeg(noisy(320, 240), max_bytes=full // 2)).shape == (240, 320, 3)


def test_to_jpeg_refuses_the_impossible() -> None:
    with pytest.raises(ValueError, match="10 bytes"):
        to_jpeg(noisy(320, 240), max_bytes=10)
