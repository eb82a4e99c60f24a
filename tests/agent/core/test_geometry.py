from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import geometry

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]])
ELL = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 4.0], [2.0, 2.0], [0.0, 2.0]])


def test_inside_also_in_a_dent() -> None:
    points = np.array([[1.0, 1.0], [3.0, 3.0], [1.0, 3.0], [-1.0, 1.0], [5.0, 1.0], [2.0, -0.1]])
    assert geometry.inside(points, ELL).tolist() == [True, True, False, False, False, False]
    assert geometry.inside(points, ELL[::-1]).tolist() == [True, True, False, False, False, False]


def test_depth_is_the_way_to_the_outline() -> None:
    points = np.array([[2.0, 1.0], [0.5, 1.0], [-3.0, 1.0], [7.0, 6.0]])
    assert geometry.depth(points, SQUARE) == pytest.approx([1.0, 0.5, -3.0, -5.0])
    assert geometry.depth(np.zeros((0, 2)), SQUARE).shape == (0,)


def test_the_side_of_a_line_is_its_right_in_a_picture() -> None:
    away = geometry.side(np.array([[1.0, 3.0], [1.0, -3.0], [9.0, 0.0]]), np.array([0.0, 0.0]), np.array([2.0, 0.0]))
    assert away == pytest.approx([3.0, -3.0, 0.0])


def test_where_a_way_meets_a_line() -> None:
    start, end = np.array([0.0, 0.0]), np.array([4.0, 0.0])
    old = np.array([[1.0, 1.0], [6.0, 1.0], [0.0, 1.0]])
    new = np.array([[1.0, -1.0], [6.0, -3.0], [5.0, 1.0]])
    found = geometry.passage(old, new, start, end)
    assert found[:2] == pytest.approx([0.25, 1.5])
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("polygon", "bad"),
    [
        (SQUARE, False),
        (ELL, False),
        (SQUARE[[0, 2, 1, 3]], True),
        (SQUARE[[0, 1, 2]], False),
        (np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 0.0], [2.0, 3.0]]), True),
        (np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 0.0], [0.0, 4.0]]), True),
    ],
)
def test_a_polygon_that_crosses_or_touches_itself(polygon: np.ndarray, bad: bool) -> None:
    for turn in range(len(polygon)):
        assert geometry.crosses_itself(np.roll(polygon, turn, axis=0)) is bad
        assert geometry.crosses_itself(np.roll(polygon, turn, axis=0)[::-1]) is bad


def test_area_and_perimeter() -> None:
    assert (geometry.area(ELL), geometry.perimeter(ELL)) == (12.0, 16.0)
    assert geometry.area(ELL[::-1]) == 12.0


def test_convex_corners() -> None:
    assert geometry.is_convex(SQUARE)
    assert geometry.is_convex(SQUARE[::-1])
    dented = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 0.5], [0.0, 4.0]])
    flat = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [0.0, 2.0]])
    for bad in (dented, flat, SQUARE[[0, 2, 1, 3]], SQUARE[[0, 0, 1, 2]], np.full((4, 2), np.nan)):
        assert not geometry.is_convex(bad)


offsets = st.lists(st.tuples(st.floats(-60, 60), st.floats(-60, 60)), min_size=4, max_size=4)


@given(offsets=offsets, shares=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5))
def test_a_plane_is_mapped_and_mapped_back(
    offsets: list[tuple[float, float]], shares: list[tuple[float, float]]
) -> None:
    image = np.array([[100.0, 100.0], [500.0, 100.0], [500.0, 300.0], [100.0, 300.0]]) + np.array(offsets)
    plane = np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 4.0], [0.0, 4.0]])
    there, back = geometry.homography(image, plane), geometry.homography(plane, image)
    assert geometry.project(there, image) == pytest.approx(plane, abs=1e-3)
    points = np.array(shares) * [6.0, 4.0]
    pixels = geometry.project(back, points)
    assert geometry.project(there, pixels) == pytest.approx(points, abs=1e-2)


def test_there_is_nothing_beyond_the_horizon() -> None:
    image = np.array([[280.0, 100.0], [360.0, 100.0], [640.0, 360.0], [0.0, 360.0]])
    plane = np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 30.0], [0.0, 30.0]])
    found = geometry.project(geometry.homography(image, plane), np.array([[320.0, 200.0], [320.0, 70.0], [320.0, 0.0]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()
