"""Tracker and herd numbers together hold no more after long than after a while."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from long_day import ANIMALS, day

from agent.core.herd.window import Herd
from agent.core.trackers.herd import make
from agent.core.types import Detections, Frame, Result, Totals

IMAGE = np.zeros((36, 64, 3), np.uint8)


@pytest.mark.parametrize("known_count", [0, ANIMALS])
def test_what_is_kept_of_a_day_is_bounded(known_count: int) -> None:
    """Seven minutes in which animals and false boxes come and go; each leaves something if it is not given back."""
    tracker = make(threshold=0.3, known_count=known_count)
    herd = Herd(labels=("pig",), period_s=60.0, known_count=known_count, totals=Totals(), live=False)
    sizes: list[int] = []
    last_id = 0
    for index, (time, found) in enumerate(day(420.0), 1):
        tracks = tracker.update(found, time)
        last_id = max(last_id, *tracks.ids.tolist())
        herd.add(Result(Frame(index, time, IMAGE), Detections(), tracks))
        if index % 100 == 0:
            sizes.append(len(pickle.dumps((tracker, herd))))
    assert last_id > (ANIMALS // 2 if known_count else ANIMALS)
    quarter = len(sizes) // 4
    assert max(sizes[-quarter:]) < 1.1 * max(sizes[:quarter])
