"""herdlink model bench: how long a picture takes on this machine in each layout of threads, and which is best."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
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
    """One way to spend the cores."""

    name: str
    detector: OnnxDetector
    workers: int
    advice: str
    """How a node is told to work so; empty: it never does."""
    wall_ms: list[float] = field(default_factory=list)
    """A picture, one figure a round."""
    cpu_ms: list[float] = field(default_factory=list)


def run(args: argparse.Namespace, store: Store) -> int:
    from agent.cli.model import print_table
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch

    path, spec = find_or_fetch(store, args.name, lambda text: print(text, file=sys.stderr))
    cores = len(os.sched_getaffinity(0))
    layouts = _layouts(cores, lambda threads, spin: open_detector(path, spec, threads=threads, spinning=spin))
    _measure(layouts, _picture(), args.seconds)
    base = layouts[0]
    rows = [
        (
            one.name,
            f"{statistics.median(one.wall_ms):.1f}",
            f"{1000 / statistics.median(one.wall_ms):.1f}",
            f"{statistics.median(one.cpu_ms):.1f}",
            f"{_ratio(one, base):.2f}",
        )
        for one in layouts
    ]
    print(f"{layouts[0].detector.name} on {cores} cores, {layouts[0].detector.provider}, pictures of 1280x720")
    print_table(("LAYOUT", "MS A PICTURE", "PICTURES/S", "CPU MS", "TO 1 THREAD"), rows)
    possible = [one for one in layouts if one.advice]
    alone, shared = _best([one for one in possible if one.workers == 1], base), _best(possible, base)
    print(f"one stream: {alone.advice}")
    if shared.workers > 1:
        print(f"{shared.workers} streams and more: {shared.advice}")
    return 0


def _layouts(cores: int, opened: Callable[[int, bool], OnnxDetector]) -> list[Layout]:
    """1, 2, 4 ... threads on one picture, asleep or awake between pictures; one thread for each of several pictures."""
    single = opened(1, False)
    layouts = [Layout("1 thread", single, 1, "threads = 1 in [model]")]
    counts = [count for count in (2, 4, 8, 16, 32, 64) if count < cores] + ([cores] if cores > 1 else [])
    for threads in counts:
        advice = f"threads = {threads} in [model]"
        layouts.append(Layout(f"{threads} threads", opened(threads, False), 1, advice))
        layouts.append(Layout(f"{threads} threads, spinning", opened(threads, True), 1, ""))
    for workers in counts:
        advice = "threads = 1 in [model]; they share the model, a core each"
        layouts.append(Layout(f"{workers} workers x 1 thread", single, workers, advice))
    return layouts


def _picture() -> Image:
    """A picture of a camera's size with something in it."""
    import cv2
    import numpy as np

    rough = np.random.default_rng(0).integers(0, 256, (18, 32, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


def _measure(layouts: Sequence[Layout], picture: Image, seconds: float) -> None:
    """Rounds in which each layout has its turn, so that a machine that slows down slows them all."""
    share = max(seconds, 0.1) / (_ROUNDS * len(layouts))
    for layout in layouts:
        layout.detector.detect([picture], _THRESHOLD)
    for _ in range(_ROUNDS):
        for layout in layouts:
            begin, cpu = time.perf_counter(), time.process_time()
            count = _work(layout, picture, begin + share)
            layout.wall_ms.append((time.perf_counter() - begin) * 1000 / count)
            layout.cpu_ms.append((time.process_time() - cpu) * 1000 / count)


def _work(layout: Layout, picture: Image, until: float) -> int:
    """Pictures done by all workers."""
    counts = [0] * layout.workers

    def work(number: int) -> None:
        while not counts[number] or time.perf_counter() < until:
            layout.detector.detect([picture], _THRESHOLD)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, layout.workers)]
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
