"""herdlink model bench: how long a picture takes on this machine with each number of threads, and which is best."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from typing import TYPE_CHECKING

from agent.cli._layouts import Layout, best, measure, picture, ratio

if TYPE_CHECKING:
    from agent.models.store import Store


def run(args: argparse.Namespace, store: Store) -> int:
    from agent.cli._table import print_table
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch

    path, spec = find_or_fetch(store, args.name, lambda text: print(text, file=sys.stderr))
    # As a node opens it.
    detector = open_detector(path, spec, threads=1)
    cores = len(os.sched_getaffinity(0))
    layouts = [Layout(workers) for workers in _counts(cores, detector.batch)]
    measure(detector, layouts, picture(), args.seconds)
    base = layouts[0]
    rows = [
        (
            str(one.workers),
            f"{statistics.median(one.wall_ms):.1f}",
            f"{1000 / statistics.median(one.wall_ms):.1f}",
            f"{statistics.median(one.cpu_ms):.1f}",
            f"{ratio(one, base):.2f}",
        )
        for one in layouts
    ]
    at_once = f", in batches of {detector.batch}" if detector.batch > 1 else ""
    print(f"{detector.name}{at_once} on {cores} cores, {detector.provider}, pictures of 1280x720")
    print_table(("THREADS", "MS A PICTURE", "PICTURES/S", "CPU MS", "TO 1 THREAD"), rows)
    print(f"best: threads = {best(layouts, base).workers} in [model]")
    if detector.batch > 1:
        print("a thread brings one picture, as on a node; compare with the network taken over with --batch 1")
    return 0


def _counts(cores: int, batch: int) -> list[int]:
    """1, 2, 4 ... up to the cores, a batch, and as many as fill one while another runs."""
    powers = [2**power for power in range(cores.bit_length()) if 2**power < cores]
    return sorted({1, *powers, cores, batch, 2 * batch if batch > 1 else 1})
