"""The trackers alone, against the floor of their parts: overlap, one assignment, one Kalman step."""

from __future__ import annotations

import time
from collections.abc import Callable

import lap
import numpy as np
from table import Figure, interleaved, ratios, show

from agent import plugins
from agent.core.tracking.association import overlap
from agent.core.types import Detections, Floats

OBJECTS = (10, 50, 100, 300)
FRAMES = 60
HALF = np.array([20, 12])


def run(rounds: int) -> None:
    for objects in OBJECTS:
        film = scene(objects)
        names = plugins.names("agent.core.trackers")
        floor = lambda film=film: _floor(film)  # noqa: E731 - one of a list of such
        measures = [floor, *(lambda name=name, film=film: _track(name, film) for name in names)]
        rows = interleaved(rounds, *measures)
        figures = [Figure("floor", [row[0] * 1e6 for row in rows], "us a frame")]
        figures += [Figure(f"{name} / floor", ratios(rows, number, 0)) for number, name in enumerate(names, 1)]
        show(f"{objects} objects", figures)


def scene(objects: int) -> list[Detections]:
    """Boxes that wander about a picture of 1920 x 1080, a tenth of them missed in each frame."""
    random = np.random.default_rng(objects)
    places = random.uniform((0, 0), (1920, 1080), (objects, 2))
    speeds = random.normal(0, 3, (objects, 2))
    film = []
    for _ in range(FRAMES):
        places += speeds
        middles = (places + random.normal(0, 1, places.shape))[random.random(objects) > 0.1]
        boxes = np.concatenate([middles - HALF, middles + HALF], 1).astype(np.float32)
        film.append(Detections(boxes, np.full(len(boxes), 0.9, np.float32), np.zeros(len(boxes), np.int32)))
    return film


def _track(name: str, film: list[Detections]) -> float:
    tracker = plugins.load("agent.core.trackers", name, "tracker").make(threshold=0.3)
    return _seconds_a_frame(lambda index, found: tracker.update(found, index / 10), film)


def _floor(film: list[Detections]) -> float:
    state = np.zeros((5, len(film[0]) + 50, 4))
    last: list[Floats] = [film[0].boxes]

    def step(_index: int, found: Detections) -> None:
        cost = 1 - overlap(last[0], found.boxes)
        lap.lapjv(np.minimum(cost, 0.7).astype(np.float64), extend_cost=True)
        position, velocity, pp, pv, vv = state
        position += velocity * 0.1
        pp += 0.1 * (2 * pv + 0.1 * vv) + 1
        gain = 1 / (pp + 1)
        surprise = 1.0 - position
        position += pp * gain * surprise
        velocity += pv * gain * surprise
        pp -= pp * gain * pp
        last[0] = found.boxes

    return _seconds_a_frame(step, film)


def _seconds_a_frame(step: Callable[[int, Detections], object], film: list[Detections]) -> float:
    begin = time.process_time()
    for index, found in enumerate(film):
        step(index, found)
    return (time.process_time() - begin) / len(film)
