from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.herd.view import Watch
from agent.core.pen import Painter
from agent.core.simulation import truth
from agent.core.types import Image, View

Change = Callable[[Image], Image]
WIDTH, HEIGHT, FPS, CHANGE_S = 640, 360, 4, 20
_NOISE = np.random.default_rng(1).integers(0, 9, (HEIGHT, WIDTH, 3), np.uint8)
CLIP = Path(__file__).parents[4] / "bridge" / "demo" / "pedestrians.mp4"


def pen(animals: int, seconds: float, seed: int = 1) -> Iterator[Image]:
    painter = Painter(seed, WIDTH, HEIGHT)
    for moment in islice(truth(animals, FPS, seed, WIDTH, HEIGHT), round(seconds * FPS)):
        yield painter.draw(moment)


def views(images: Iterable[Image], change: Change | None = None, fps: float = FPS) -> list[View]:
    """One each ten seconds; from CHANGE_S on every picture is changed."""
    watch, told = Watch(), []
    for i, image in enumerate(images):
        if i and i % round(10 * fps) == 0:
            told.append(watch.take())
        watch.add(i / fps, change(image) if change and i >= CHANGE_S * fps else image)
    return [*told, watch.take()]


def levels(curve: Callable[[Image], np.ndarray]) -> Change:
    return lambda image: np.clip(curve(image), 0, 255).astype(np.uint8)


def looking(*, right: float = 0.0, turn: float = 0.0, zoom: float = 1.0) -> Change:
    """The picture of a camera that looks elsewhere; the parts that were not seen are made up."""

    def change(image: Image) -> Image:
        matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turn, zoom)
        matrix[0, 2] -= right * WIDTH
        moved = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.uint8)

    return change


@pytest.mark.parametrize(("animals", "seed"), [(3, 1), (20, 2), (60, 1), (60, 3)])
def test_a_pen_is_ok_however_many_walk_about(animals: int, seed: int) -> None:
    assert set(views(pen(animals, 60, seed))) == {View.OK}


def test_a_street_is_ok() -> None:
    clip = cv2.VideoCapture(str(CLIP))
    images = [np.asarray(clip.read()[1], np.uint8) for _ in range(300)]
    clip.release()
    assert views(images, fps=10) == [View.OK] * 3


@pytest.mark.parametrize(
    "light",
    [
        levels(lambda image: image * 0.4),
        levels(lambda image: image * 1.6 + 20),
        levels(lambda image: 255 * (image / 255) ** 0.6),
        lambda image: np.asarray(cv2.add(image, _NOISE), np.uint8),
        looking(right=0.01),
    ],
)
def test_light_and_noise_and_wind_are_no_fault(light: Change) -> None:
    assert views(pen(20, 50), light) == [View.OK] * 5


@pytest.mark.parametrize("animals", [6, 60])
@pytest.mark.parametrize(
    "change",
    [
        looking(right=0.05),
        looking(right=-0.2),
        looking(turn=10),
        looking(zoom=1.4),
        levels(lambda image: image[:, ::-1]),
    ],
)
def test_a_camera_that_was_moved_is_told(change: Change, animals: int) -> None:
    told = views(pen(animals, 50), change)
    assert told[:2] == [View.OK] * 2
    assert told[3:] == [View.MOVED] * 2


@pytest.mark.parametrize(
    ("change", "view"),
    [
        (levels(lambda image: image * 0.06), View.DARK),
        (lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 2.5), np.uint8), View.BLURRED),
        (levels(lambda image: image * 0.3 + 140), View.BLURRED),
    ],
)
def test_dark_and_blurred_from_the_next_window_on(change: Change, view: View) -> None:
    assert views(pen(20, 40), change) == [View.OK, View.OK, view, view]


def test_the_same_picture_again_and_again_is_frozen_but_not_under_noise() -> None:
    (image,) = pen(20, 0.25)
    assert views([image] * 160) == [View.OK, View.FROZEN, View.FROZEN, View.FROZEN]
    random = np.random.default_rng(1)
    noisy = levels(lambda still: still + random.normal(0, 0.7, still.shape))
    assert set(views((noisy(image) for _ in range(60)), fps=2)) == {View.OK}


def test_half_a_window_decides_and_the_worst_wins() -> None:
    bright, dark = np.full((2, 90, 160, 3), [[[[200]]], [[[0]]]], np.uint8)
    for darks, view in ((9, View.OK), (10, View.DARK)):
        watch = Watch()
        for i in range(20):
            watch.add(i / 2, (dark if i < darks else bright) + np.uint8(3 * (i % 2)))
        assert watch.take() is view
    assert watch.take() is View.OK, "no picture since: what the last one showed"


def test_pictures_of_one_colour_or_another_size_are_judged_too() -> None:
    watch = Watch()
    for i, (height, width) in enumerate([(360, 640), (360, 640), (1, 1), (2000, 1), (1, 2000), (0, 0), (90, 160)] * 4):
        watch.add(i * 2.0, np.full((height, width, 3), 90 + i % 7, np.uint8))
    assert watch.take() in set(View)
