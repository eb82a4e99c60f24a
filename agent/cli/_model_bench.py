"""herdlink model bench: how long a picture takes on this machine with each number of threads, and which is best."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.types import Image
    from agent.detectors.onnx import OnnxDetector
    from agent.models.store import Store

_ROUNDS = 5
_THRESHOLD = 0.3
_ALIKE = 1.05
"""Layouts that differ by less are told apart by what they cost the processor."""


@dataclass(slots=True)
class Layout:
    """One way to spend the cores: so many pictures are with the model at once, a thread each."""

    workers: int
    wall_ms: list[float] = field(default_factory=list)
    """A picture, one figure a round."""
    cpu_ms: list[float] = field(default_factory=list)


def run(args: argparse.Namespace, store: Store) -> int:
    from agent.cli._table import print_table
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch

    path, spec = find_or_fetch(store, args.name, lambda text: print(text, file=sys.stderr))
    # As a node opens it.
    detector = open_detector(path, spec, threads=1)
    cores = len(os.sched_getaffinity(0))
    layouts = [Layout(workers) for workers in _counts(cores, detector.batch)]
    _measure(detector, layouts, _picture(), args.seconds)
    base = layouts[0]
    rows = [
        (
            str(one.workers),
            f"{statistics.median(one.wall_ms):.1f}",
            f"{1000 / statistics.median(one.wall_ms):.1f}",
            f"{statistics.median(one.cpu_ms):.1f}",
            f"{_ratio(one, base):.2f}",
        )
        for one in layouts
    ]
    at_once = f", in batches of {detector.batch}" if detector.batch > 1 else ""
    print(f"{detector.name}{at_once} on {cores} cores, {detector.provider}, pictures of 1280x720")
    print_table(("THREADS", "MS A PICTURE", "PICTURES/S", "CPU MS", "TO 1 THREAD"), rows)
    print(f"best: threads = {_best(layouts, base).workers} in [model]")
    if detector.batch > 1:
        print("a thread brings one picture, as on a node; compare with the network taken over with --batch 1")
    return 0


def _counts(cores: int, batch: int) -> list[int]:
    """1, 2, 4 ... up to the cores, a batch, and as many as fill one while another runs."""
    powers = [2**power for power in range(cores.bit_length()) if 2**power < cores]
    return sorted({1, *powers, cores, batch, 2 * batch if batch > 1 else 1})


def _picture() -> Image:
    """A picture of a camera's size with something in it."""
    import cv2
    import numpy as np

    rough = np.random.default_rng(0).integers(0, 256, (18, 32, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


def _measure(detector: OnnxDetector, layouts: Sequence[Layout], picture: Image, seconds: float) -> None:
    """Rounds in which each layout has its turn, so that a machine that slows down slows them all."""
    share = max(seconds, 0.1) / (_ROUNDS * len(layouts))
    detector.detect([picture], _THRESHOLD)
    for _ in range(_ROUNDS):
        for layout in layouts:
            begin, cpu = time.perf_counter(), time.process_time()
            count = _work(detector, layout.workers, picture, begin + share)
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


def _ratio(one: Layout, base: Layout) -> float:
    """Of the times, round by round."""
    return statistics.median(mine / its for mine, its in zip(one.wall_ms, base.wall_ms, strict=True))


def _best(layouts: Sequence[Layout], base: Layout) -> Layout:
    """The fastest, round by round; among those about as fast the one that costs the processor least."""
    fastest = min(_ratio(one, base) for one in layouts)
    near = [one for one in layouts if _ratio(one, base) <= fastest * _ALIKE]
    return min(near, key=lambda one: statistics.median(one.cpu_ms))
