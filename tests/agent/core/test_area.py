from __future__ import annotations

import numpy as np
import pytest

from agent.core.area import Area
from agent.core.types import Detections

SIZE = (100, 200)
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def at(*xs: float) -> Detections:
    """Boxes of 20 x 10 around (x, 50)."""
    boxes = np.array([[x - 10, 45, x + 10, 55] for x in xs], np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(xs), 0.9, np.float32), np.arange(len(xs), dtype=np.int32))


def kept(area: Area, time: float, *xs: float) -> list[int]:
    return area.keep(at(*xs), time, SIZE).classes.tolist()


def test_without_an_area_all_counts() -> None:
    assert kept(Area(()), 0.0, 50, 150) == [0, 1]


def test_what_lies_outside_is_dropped_by_the_middle_of_its_box() -> None:
    assert kept(Area(LEFT), 0.0, 50, 99, 101, 150) == [0, 1]
    assert kept(Area(LEFT), 0.0) == []


def test_who_is_in_stays_until_it_is_clearly_out() -> None:
    area = Area(LEFT)
    assert kept(area, 0.0, 102) == [], "it comes from outside"
    assert kept(area, 0.1, 98) == [0]
    for i in range(2, 30):
        assert kept(area, i / 10, 100 + 2 * (-1) ** i) == [0]
    assert kept(area, 3.0, 104) == []
    assert kept(area, 3.1, 102, 98) == [0, 1], "a moment later it is still known"
    assert kept(area, 9.0, 102) == [], "not after some seconds"


@pytest.mark.parametrize("time", [0.0, 1.0])
def test_memory_is_bounded_where_the_time_stands(time: float) -> None:
    area = Area(LEFT)
    for _ in range(3000):
        area.keep(at(20, 50, 70), time, SIZE)
    assert len(area._kept) < 5000
