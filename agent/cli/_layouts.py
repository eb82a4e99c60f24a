"""How long a picture takes with each number of threads, measured in turn."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.types import Image
    from agent.detectors.onnx import OnnxDetector

_ROUNDS = 5
_THRESHOLD = 0.3
ALIKE = 1.05
"""Layouts that differ by less are told apart by what they cost the processor."""


@dataclass(slots=True)
class Layout:
    """One way to spend the cores: so many pictures are with the model at once, a thread each."""

    workers: int
    wall_ms: list[float] = field(default_factory=list)
    """A picture, one figure a round."""
    cpu_ms: list[float] = field(default_factory=list)


def picture() -> Image:
    """A picture of a camera's size with something in it."""
    import cv2
    import numpy as np

    rough = np.random.default_rng(0).integers(0, 256, (18, 32, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


def measure(detector: OnnxDetector, layouts: Sequence[Layout], image: Image, seconds: float) -> None:
    """Rounds in which each layout has its turn, so that a machine that slows down slows them all."""
    share = max(seconds, 0.1) / (_ROUNDS * len(layouts))
    detector.detect([image], _THRESHOLD)
    for _ in range(_ROUNDS):
        for layout in layouts:
            begin, cpu = time.perf_counter(), time.process_time()
            count = _work(detector, layout.workers, image, begin + share)
            layout.wall_ms.append((time.perf_counter() - begin) * 1000 / count)
            layout.cpu_ms.append((time.process_time() - cpu) * 1000 / count)


def _work(detector: OnnxDetector, workers: int, picture: Image, until: float) -> int:
    """Pictures done by all workers."""
    counts = [0] * workers

    def work(number: int) -> None:
        while not counts[number] or time.perf_counter() < until:
            detector.detect([picture], _THRESHOLD)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, workers)]
    for thread in threads:
        thread.start()
    work(0)
    for thread in threads:
        thread.join()
    return sum(counts)


def ratio(one: Layout, base: Layout) -> float:
    """Of the times, round by round."""
    return statistics.median(mine / its for mine, its in zip(one.wall_ms, base.wall_ms, strict=True))


def best(layouts: Sequence[Layout], base: Layout) -> Layout:
    """The fastest, round by round; among those about as fast the one that costs the processor least."""
    fastest = min(ratio(one, base) for one in layouts)
    near = [one for one in layouts if ratio(one, base) <= fastest * ALIKE]
    return min(near, key=lambda one: statistics.median(one.cpu_ms))
