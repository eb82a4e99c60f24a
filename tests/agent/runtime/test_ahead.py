from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from agent.core.types import Detections, Frame
from agent.runtime.ahead import Ahead, Group


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def frame(index: int) -> Frame:
    return Frame(index, index / 10, np.zeros((2, 2, 3), np.uint8))


def test_pictures_come_back_in_order_whichever_is_done_first(pool: ThreadPoolExecutor) -> None:
    second_is_done = threading.Event()

    def detect(group: Group) -> list[Detections]:
        if group[0].index == 1:
            assert second_is_done.wait(10), "both are looked at, at the same time"
        else:
            second_is_done.set()
        return [Detections() for _ in group]

    ahead = Ahead(pool, detect, depth=2, on_ready=lambda: None)
    ahead.add([frame(1)])
    assert not ahead.full
    ahead.add([frame(2), frame(3)])
    assert ahead.full
    assert [[seen[0].index for seen in ahead.take()] for _ in range(2)] == [[1], [2, 3]]
    assert len(ahead) == 0


def test_who_waits_is_told_when_the_oldest_is_ready(pool: ThreadPoolExecutor) -> None:
    told = threading.Event()
    ahead = Ahead(pool, lambda group: [Detections()], depth=2, on_ready=told.set)
    assert not ahead.is_ready()
    ahead.add([frame(1)])
    assert told.wait(10)
    assert ahead.is_ready()
    assert ahead.take()[0][2] >= 0


def test_what_the_model_raises_comes_with_its_picture(pool: ThreadPoolExecutor) -> None:
    def detect(group: Group) -> list[Detections]:
        if group[0].index == 2:
            raise ValueError("broken")
        return [Detections()]

    ahead = Ahead(pool, detect, depth=3, on_ready=lambda: None)
    for index in (1, 2):
        ahead.add([frame(index)])
    ahead.take()
    with pytest.raises(ValueError, match="broken"):
        ahead.take()


def test_dropped_pictures_do_not_hold_up_others(pool: ThreadPoolExecutor) -> None:
    go_on = threading.Event()

    def wait(group: Group) -> list[Detections]:
        go_on.wait(10)
        return [Detections()]

    slow = Ahead(pool, wait, depth=9, on_ready=lambda: None)
    for index in range(9):
        slow.add([frame(index)])
    slow.drop()
    go_on.set()
    quick = Ahead(pool, lambda group: [Detections()], depth=1, on_ready=lambda: None)
    begun = time.monotonic()
    quick.add([frame(1)])
    quick.take()
    assert time.monotonic() - begun < 5
