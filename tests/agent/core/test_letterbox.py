"""The input tensor against plain numpy, and boxes on their way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.letterbox import Letterbox, fit_picture
from agent.core.model import Fit, ModelSpec

SPEC = ModelSpec(name="toy", format="darknet", labels=("cow",), width=96, height=64)
sides = st.integers(1, 300)


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def plain(image: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """The same by the book: grey ground, picture in its place, planes first, bytes times scale."""
    fit = fit_picture(image.shape[1], image.shape[0], spec)
    ground = np.full((spec.height, spec.width, 3), spec.fill, np.uint8)
    ground[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = cv2.resize(image, (fit.width, fit.height))
    planes = ground[:, :, ::-1] if spec.colour == "RGB" else ground
    return planes.transpose(2, 0, 1)[None].astype(np.float32) * np.float32(spec.scale)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=4), st.sampled_from(["stretch", "letterbox"]))
def test_one_letterbox_takes_pictures_of_any_size_in_any_order(sizes: list[tuple[int, int]], fit: str) -> None:
    spec = replace(SPEC, fit=fit)
    kept = Letterbox(spec)
    for seed, (width, height) in enumerate(sizes):
        image = picture(width, height, seed)
        tensor, place = kept.tensor(image)
        assert tensor.dtype == np.float32 and tensor.flags.c_contiguous
        np.testing.assert_array_equal(tensor, plain(image, spec))
        assert (place.picture_width, place.picture_height) == (width, height)


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_planes_and_scale(colour: str) -> None:
    spec = replace(SPEC, colour=colour, scale=1.0)
    blue = np.zeros((64, 96, 3), np.uint8)
    blue[:, :, 0] = 200
    tensor, _ = Letterbox(spec).tensor(blue)
    assert tensor.shape == (1, 3, 64, 96)
    assert tensor[0].max(axis=(1, 2)).tolist() == ([0, 0, 200] if colour == "RGB" else [200, 0, 0])


def test_stretching_equals_opencvs_blob() -> None:
    image = picture(317, 211)
    blob = cv2.dnn.blobFromImage(image, 1 / 255, (96, 64), swapRB=True)
    np.testing.assert_allclose(Letterbox(SPEC).tensor(image)[0], blob, atol=1e-6)


@pytest.mark.parametrize(
    ("width", "height", "place"),
    [
        (960, 640, (0, 0, 96, 64)),
        (100, 100, (16, 0, 64, 64)),
        (1280, 720, (0, 5, 96, 54)),
        (3, 4000, (47, 0, 1, 64)),
        (4000, 3, (0, 31, 96, 1)),
    ],
)
def test_letterbox_keeps_the_pictures_shape_in_the_middle(
    width: int, height: int, place: tuple[int, int, int, int]
) -> None:
    fit = fit_picture(width, height, replace(SPEC, fit="letterbox"))
    assert (fit.left, fit.top, fit.width, fit.height) == place


def test_a_picture_may_be_a_view_into_another() -> None:
    whole = picture(400, 300)
    part = whole[20:200, 50:350]
    np.testing.assert_array_equal(Letterbox(SPEC).tensor(part)[0], plain(part.copy(), SPEC))


@given(sides, sides, st.sampled_from(["stretch", "letterbox"]))
def test_the_pictures_corners_come_back(width: int, height: int, fit: str) -> None:
    place = fit_picture(width, height, replace(SPEC, fit=fit))
    assert 0 <= place.left <= place.left + place.width <= SPEC.width
    assert 0 <= place.top <= place.top + place.height <= SPEC.height
    corners = [[place.left, place.top, place.left + place.width, place.top + place.height]]
    back = place.to_picture(np.array(corners, np.float32))
    np.testing.assert_allclose(back, [[0, 0, width, height]], atol=1e-3)


def test_boxes_are_scaled_by_the_place_they_were_found_in() -> None:
    fit = Fit(picture_width=200, picture_height=100, left=0, top=10, width=100, height=50)
    assert fit.to_picture(np.array([[10, 20, 30, 40]], np.float32)).tolist() == [[20, 20, 60, 60]]


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("changes", [{}, IMAGENET, {"scale": 1.0}, {"scale": 1.0, "std": (57.4, 57.1, 58.4)}])
def test_layouts_and_normalisation_by_the_book(layout: str, colour: str, changes: dict[str, Any]) -> None:
    spec = replace(SPEC, layout=layout, colour=colour, fit="letterbox", **changes)
    image = picture(50, 90)
    planes = plain(image, replace(spec, scale=1.0)).astype(np.float64)[0] * spec.scale
    wanted = (planes - np.reshape(spec.mean, (3, 1, 1))) / np.reshape(spec.std, (3, 1, 1))
    wanted = wanted if layout == "NCHW" else wanted.transpose(1, 2, 0)
    for dtype, error in (("float32", 1e-5), ("float16", 2e-3)):
        tensor, _ = Letterbox(spec, dtype).tensor(image)
        assert tensor.dtype == dtype and tensor.shape == (1, *wanted.shape) and tensor.flags.c_contiguous
        np.testing.assert_allclose(tensor[0], wanted, rtol=error, atol=error)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_bytes_go_in_as_they_are(layout: str) -> None:
    spec = replace(SPEC, layout=layout, colour="BGR", scale=1.0)
    image = picture(96, 64)
    tensor, _ = Letterbox(spec, "uint8").tensor(image)
    assert tensor.dtype == np.uint8
    np.testing.assert_array_equal(tensor[0] if layout == "NHWC" else tensor[0].transpose(1, 2, 0), image)


def test_a_picture_in_the_corner_lies_top_left() -> None:
    spec = replace(SPEC, fit="letterbox", place="corner", fill=114, scale=1.0)
    tensor, fit = Letterbox(spec).tensor(np.zeros((100, 100, 3), np.uint8))
    assert (fit.left, fit.top, fit.width, fit.height) == (0, 0, 64, 64)
    assert tensor[0, :, :, :64].max() == 0 and (tensor[0, :, :, 64:] == 114).all()


@pytest.mark.parametrize(("rounding", "height"), [("down", 54), ("nearest", 55)])
def test_the_size_between_the_bars_is_rounded_as_told(rounding: str, height: int) -> None:
    assert fit_picture(1000, 570, replace(SPEC, fit="letterbox", rounding=rounding)).height == height
