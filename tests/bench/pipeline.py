"""Decode, detect, track and count against the model alone: CPU, speed, memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from process import Cost, measured
from shapes import SIDE, yolov8n
from table import Figure, interleaved, show

CLIP = Path(__file__).parents[2] / "bridge" / "demo" / "pedestrians.mp4"
FRAMES = 300
RAW = """
import sys, threading, time
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
put = session.get_inputs()[0]
threads, frames = int(sys.argv[2]), 100
def work():
    tensor = {put.name: np.random.default_rng(1).random(put.shape, np.float32)}
    session.run(None, tensor)
    gate.wait()
    for _ in range(frames):
        session.run(None, tensor)
gate = threading.Barrier(threads + 1)
workers = [threading.Thread(target=work) for _ in range(threads)]
for one in workers:
    one.start()
gate.wait()
begin, cpu = time.perf_counter(), time.process_time()
for one in workers:
    one.join()
frames *= threads
print(frames / (time.perf_counter() - begin), (time.process_time() - cpu) / frames)
"""
DECODE = """
import sys, time
import cv2
cv2.setNumThreads(1)
film = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
cpu, frames = time.process_time(), 0
while film.read()[0]:
    frames += 1
print(0.0, (time.process_time() - cpu) / frames)
"""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One run of `herdlink analyze` over the clip."""

    fps: float
    cpu_s: float
    """A frame, start-up taken off."""
    rss_mb: float


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models(Path(folder)):
            _compare(name, model, rounds)


def models(folder: Path) -> Iterator[tuple[str, Path]]:
    """Those of the targets, made or found; yolox_nano.onnx lies where HERDLINK_TEST_MODELS says."""
    from agent.models.shipped import find_or_fetch
    from agent.models.store import Store, default_folder

    shaped = folder / "yolov8n-shaped.onnx"
    yolov8n(shaped, boxed_picture())
    yield "yolov8n-shaped 640", added(shaped, folder)
    nano = Path(os.environ.get("HERDLINK_TEST_MODELS", "not-set")) / "yolox-nano" / "yolox_nano.onnx"
    if nano.is_file():
        yield "yolox_nano 416", added(nano, folder)
    else:
        print("yolox_nano is left out: HERDLINK_TEST_MODELS names no folder that holds yolox-nano/yolox_nano.onnx")
    yield "yolov4-tiny 416", find_or_fetch(Store(default_folder()), "yolov4-tiny", print)[0]


def added(model: Path, folder: Path) -> Path:
    """The model in a store of the folder's own, with its description beside it."""
    store = folder / "store"
    words = [sys.executable, "-m", "agent.cli.main", "model", "add", str(model), "--store", str(store)]
    measured([*words, "--name", model.stem])
    return store / f"{model.stem}.onnx"


def first_picture() -> np.ndarray:
    return cv2.VideoCapture(str(CLIP)).read()[1]


def boxed_picture() -> np.ndarray:
    """(1, 3, 640, 640): the clip's first picture as the network is fed with it."""
    whole = np.full((SIDE, SIDE, 3), 114, np.uint8)
    whole[80:560] = cv2.resize(first_picture(), (640, 480))
    return np.ascontiguousarray(whole[:, :, ::-1].transpose(2, 0, 1)[None] / 255, np.float32)


def _compare(name: str, model: Path, rounds: int) -> None:
    raw, pair, decode = _told(RAW, model, 1), _told(RAW, model, 2), _told(DECODE, CLIP)
    plain, film = _analyses(model, "--no-video"), _analyses(model)
    rows = interleaved(rounds, *(lambda source=source: next(source) for source in (raw, pair, decode, plain, film)))
    show(
        f"{name} on {CLIP.name}, {FRAMES} frames of 768x576",
        [
            Figure("CPU of raw inference / CPU of analyze, no video", [r[1] / ours.cpu_s for r, _, _, ours, _ in rows]),
            Figure("the same, raw inference twice at once", [p[1] / ours.cpu_s for _, p, _, ours, _ in rows]),
            Figure(
                "limit: raw inference / (raw inference + decoding)", [r[1] / (r[1] + d[1]) for r, _, d, _, _ in rows]
            ),
            Figure(
                "CPU of raw inference / CPU of analyze, with result.mp4", [r[1] / o.cpu_s for r, _, _, _, o in rows]
            ),
            Figure("frames/s of analyze / of raw inference on one thread", [o.fps / r[0] for r, _, _, o, _ in rows]),
            Figure("limit: raw inference twice at once / on one thread", [p[0] / r[0] for r, p, _, _, _ in rows]),
            Figure("result video adds", [(o.cpu_s - p.cpu_s) * 1000 for _, _, _, p, o in rows], "CPU ms a frame"),
            Figure("raw inference", [r[1] * 1000 for r, _, _, _, _ in rows], "CPU ms a frame"),
            Figure("decoding alone", [d[1] * 1000 for _, _, d, _, _ in rows], "CPU ms a frame"),
            Figure("RSS of analyze, no video", [o.rss_mb for _, _, _, o, _ in rows], "MB"),
            Figure("RSS of analyze, with result.mp4", [o.rss_mb for _, _, _, _, o in rows], "MB"),
        ],
    )


def _told(program: str, *words: object) -> Iterator[tuple[float, float]]:
    """(frames/s, CPU seconds a frame) as the program prints them, again and again."""
    while True:
        fps, cpu_s = measured([sys.executable, "-c", program, *map(str, words)]).output.split()
        yield float(fps), float(cpu_s)


def _analyses(model: Path, *more: str) -> Iterator[Analysis]:
    while True:
        yield analyze(model, *more)


def analyze(model: Path, *more: str, labels: str = "person") -> Analysis:
    """A whole run, less what a run over one picture takes. No `labels`: all that the model finds."""
    more = (*more, *(("--labels", labels) if labels else ()))
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "one"
        pictures.mkdir()
        cv2.imwrite(str(pictures / "1.png"), first_picture())
        short = _run(model, f"images:{pictures}", f"{folder}/short", *more)
        whole = _run(model, str(CLIP), f"{folder}/whole", *more)
        told = json.loads((Path(folder) / "whole" / "run.json").read_text())
    return Analysis(told["fps"], (whole.cpu_s - short.cpu_s) / FRAMES, whole.rss_mb)


def _run(model: Path, source: str, output: str, *more: str) -> Cost:
    words = [sys.executable, "-m", "agent.cli.main", "analyze", "--model", str(model), *more]
    return measured([*words, "--output", output, source])
