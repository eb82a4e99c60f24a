"""Where cost bends: a picture's cost as its objects grow, a record's as the journal grows.

A million rows take some 20 seconds to be written; all in all some 2 minutes, and 15 s a round.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
from table import Figure, show
from trackers import scene

from agent import plugins
from agent.core.herd.window import Herd
from agent.core.types import Detections, Frame, Result, Totals
from agent.journal import Journal
from agent.trimming import Bounds

OBJECTS = (10, 100, 300, 1000)
ROWS = tuple(int(rows) for rows in os.environ.get("HERDLINK_BENCH_ROWS", "0,10000,100000,1000000").split(","))
STREAM, KIND = "pen", "summary"


def run(rounds: int) -> None:
    show("a picture's tracker and herd numbers, by objects", [_objects(count, rounds) for count in OBJECTS])
    for rows in ROWS:
        show(f"the journal with {rows} records", _journal(rows, rounds))


def _objects(count: int, rounds: int) -> Figure:
    """CPU ms a picture of the default tracker and the numbers."""
    took = []
    for _ in range(rounds):
        tracker = plugins.load("agent.core.trackers", "herd", "tracker").make(threshold=0.3)
        herd = Herd(labels=("pig",), period_s=10.0, totals=Totals(), live=False)
        image = np.zeros((1080, 1920, 3), np.uint8)
        film = scene(count)
        begin = time.thread_time()
        for index, found in enumerate(film):
            frame = Frame(index + 1, index / 10, image)
            herd.add(Result(frame, Detections(), tracker.update(found, index / 10)))
        took.append((time.thread_time() - begin) * 1000 / len(film))
    return Figure(f"{count} objects", took, "CPU ms a picture")


def _journal(rows: int, rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        bounds = Bounds(records=max(rows, 1000) + 1_000_000)
        Journal(path, bounds).close()
        _fill(path, rows)
        begin = time.perf_counter()
        journal = Journal(path, bounds)
        opened = (time.perf_counter() - begin) * 1000
        figures = [
            Figure("newest sequence", _each(lambda: journal.newest(STREAM, KIND), rounds), "CPU us"),
            Figure("rows kept", _each(lambda: journal.rows, rounds), "CPU us"),
            Figure("backlog of a consumer", _each(lambda: journal.backlog("farm"), rounds), "CPU us"),
            Figure("next place of a consumer", _each(lambda: journal.place("farm", STREAM, KIND), rounds), "CPU us"),
            Figure("job ids", _each(lambda: journal.jobs(STREAM, 1), rounds), "CPU us"),
            Figure("keep within bounds, every minute", [_trim_ms(journal)], "CPU ms"),
            Figure("open", [opened], "ms"),
        ]
        journal.close()
    return figures


def _fill(path: Path, rows: int) -> None:
    """Records of an ordinary size, written past the journal: it is its reading that is measured."""
    body, now = "{" + " " * 800 + "}", time.time()
    db = sqlite3.connect(path)
    with db:
        db.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?)", ((STREAM, KIND, n, body, now) for n in range(1, rows + 1))
        )
        db.execute("INSERT INTO logs VALUES (?, ?, ?)", (STREAM, KIND, rows))
        place = ("farm", STREAM, KIND, rows // 2, now)
        db.execute("INSERT INTO consumers (consumer, stream, kind, sequence, time) VALUES (?, ?, ?, ?, ?)", place)
    db.close()


def _each(action: object, rounds: int) -> list[float]:
    took = []
    for _ in range(rounds):
        begin = time.thread_time()
        for _ in range(100):
            action()  # type: ignore[operator]
        took.append((time.thread_time() - begin) * 1e4)
    return took


def _trim_ms(journal: Journal) -> float:
    begin = time.thread_time()
    journal.trim(now=time.time(), low=False)
    return (time.thread_time() - begin) * 1000
