"""Decode, detect, track and count against the model alone: CPU, speed, memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from table import Figure, interleaved, ratios, show

CLIP = Path(__file__).parents[2] / "bridge" / "demo" / "pedestrians.mp4"
FRAMES = 300
RAW = f"""
import sys, time
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
put = session.get_inputs()[0]
tensor = {{put.name: np.random.default_rng(1).random(put.shape, np.float32)}}
session.run(None, tensor)
begin, cpu = time.perf_counter(), time.process_time()
for _ in range({FRAMES}):
    session.run(None, tensor)
print({FRAMES} / (time.perf_counter() - begin), (time.process_time() - cpu) / {FRAMES})
"""


def run(rounds: int) -> None:
    from agent.models.shipped import find_or_fetch
    from agent.models.store import Store, default_folder

    model, _ = find_or_fetch(Store(default_folder()), "yolov4-tiny", print)
    raw: list[tuple[float, float]] = []
    ours: list[tuple[float, float, float]] = []
    bare: list[tuple[float, float, float]] = []

    def measure_raw() -> float:
        done = subprocess.run([sys.executable, "-c", RAW, str(model)], capture_output=True, text=True, check=True)
        fps, cpu = map(float, done.stdout.split())
        raw.append((fps, cpu))
        return cpu

    def measure(into: list[tuple[float, float, float]], *more: str) -> float:
        into.append(analyze(*more))
        return into[-1][1]

    rows = interleaved(rounds, measure_raw, lambda: measure(ours), lambda: measure(bare, "--no-video"))
    speeds = [our[0] / one[0] for our, one in zip(bare, raw, strict=True)]
    show(
        f"yolov4-tiny 416 on {CLIP.name}, {FRAMES} frames of 768x576 (whole processes, start-up taken off)",
        [
            Figure("CPU of raw inference / CPU of analyze, no video", ratios(rows, 0, 2)),
            Figure("CPU of raw inference / CPU of analyze, with result.mp4", ratios(rows, 0, 1)),
            Figure("frames/s of analyze, no video / raw inference on one thread", speeds),
            Figure("result video adds", [(row[1] - row[2]) * 1000 for row in rows], "CPU ms a frame"),
            Figure("RSS of analyze", [one[2] for one in ours], "MB"),
        ],
    )


def analyze(*more: str) -> tuple[float, float, float]:
    """(frames/s, CPU seconds a frame, peak MB): a whole run, less what a run of one frame takes."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "agent.cli.main", "analyze", "--labels", "person", *more]
        short = _cpu_s(
            [*words, "--output", f"{folder}/short", "synthetic:herd?animals=1&seconds=0.1", "--labels", "pig"]
        )
        whole = _cpu_s([*words, "--output", f"{folder}/whole", str(CLIP)])
        told = json.loads((Path(folder) / "whole" / "run.json").read_text())
    return told["fps"], (whole - short) / FRAMES, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def _cpu_s(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
