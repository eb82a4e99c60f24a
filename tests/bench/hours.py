"""Three hours of a pen through tracker and herd numbers: what they keep and what a picture costs, by half hours.

Runs once, whatever the rounds: some 2 minutes of CPU; HERDLINK_BENCH_HOURS for fewer hours.
"""

from __future__ import annotations

import os
import pickle
import time
from array import array
from pathlib import Path

import numpy as np
from long_day import day
from table import Figure, show

from agent import plugins
from agent.core.herd.window import Herd
from agent.core.types import Detections, Frame, Result, Totals

HOURS = float(os.environ.get("HERDLINK_BENCH_HOURS", "3"))
PART_S = 1800.0
IMAGE = np.zeros((360, 640, 3), np.uint8)


def run(_rounds: int) -> None:
    """Once: it is one long run."""
    tracker = plugins.load("agent.core.trackers", "herd", "tracker").make(threshold=0.3)
    herd = Herd(labels=("pig",), period_s=60.0, totals=Totals(), live=False)
    tracking: list[array[float]] = []
    numbers: list[array[float]] = []
    kept: list[array[float]] = []
    resident: list[array[float]] = []
    last_id = index = 0
    for index, (moment, found) in enumerate(day(HOURS * 3600), 1):
        if moment >= len(kept) * PART_S:
            for parts in (tracking, numbers, kept, resident):
                parts.append(array("f"))  # lists of Python floats would be what grows
        begin = time.thread_time()
        tracks = tracker.update(found, moment)
        middle = time.thread_time()
        herd.add(Result(Frame(index, moment, IMAGE), Detections(), tracks))
        tracking[-1].append((middle - begin) * 1e6)
        numbers[-1].append((time.thread_time() - middle) * 1e6)
        last_id = max(last_id, *tracks.ids.tolist())
        if index % 1000 == 0:
            kept[-1].append(len(pickle.dumps((tracker, herd))) / 1000)
            resident[-1].append(_resident_mb())
    print(f"\n{HOURS:g} hours, {index} pictures, {last_id} tracks; each row is half an hour")
    for what, parts, unit in (
        ("the tracker", tracking, "CPU us a picture"),
        ("herd numbers", numbers, "CPU us a picture"),
        ("what both keep", kept, "kB"),
        ("the process", resident, "MB"),
    ):
        show(what, [Figure(str(number), part, unit) for number, part in enumerate(parts, 1)])


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
