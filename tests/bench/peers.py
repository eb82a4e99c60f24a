"""Beside other programs on the same file and the same model: what a picture costs the processor, and the memory.

ultralytics' `track`, and a loop of supervision, onnxruntime and roboflow's ByteTrack; each as it comes, and with the
thread settings that herdlink has. The first time they are installed into .venv-peers, which takes minutes and some GB.
A round takes some 5 minutes on two cores.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import onnx
from pipeline import CLIP, FRAMES, Analysis, added, analyze, boxed_picture
from process import Cost, measured
from shapes import CLASSES, SIDE, yolov8n
from table import Figure, interleaved, show

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "peers"
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
PEERS = (
    ("ultralytics", "ultralytics_track.py", "usual"),
    ("ultralytics, tuned", "ultralytics_track.py", "tuned"),
    ("supervision", "supervision_loop.py", "usual"),
    ("supervision, tuned", "supervision_loop.py", "tuned"),
)


def run(rounds: int) -> None:
    subprocess.run(["make", "--silent", ".venv-peers/.ready"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "yolov8n-shaped.onnx"
        yolov8n(model, boxed_picture())
        _describe(model)
        ours = added(model, folder)
        measures: list[Callable[[], Analysis]] = [lambda: analyze(ours, "--no-video", labels="")]
        measures += [lambda peer=peer: _peer(folder, model, *peer[1:]) for peer in PEERS]
        rows = interleaved(rounds, *measures)
    figures = []
    for column, (peer, _, _) in enumerate(PEERS, 1):
        figures += [
            Figure(f"CPU a frame: herdlink / {peer}", [row[0].cpu_s / row[column].cpu_s for row in rows]),
            Figure(f"memory: herdlink / {peer}", [row[0].rss_mb / row[column].rss_mb for row in rows]),
            Figure(f"frames/s: herdlink / {peer}", [row[0].fps / row[column].fps for row in rows]),
        ]
    for column, peer in enumerate(("herdlink", *(peer[0] for peer in PEERS))):
        figures += [
            Figure(f"{peer}: CPU", [row[column].cpu_s * 1000 for row in rows], "ms a frame"),
            Figure(f"{peer}: memory", [row[column].rss_mb for row in rows], "MB"),
        ]
    show(f"YOLOv8n's shape, 640, on {CLIP.name}, {FRAMES} frames of 768x576, no result video", figures)


def _describe(path: Path) -> None:
    """What ultralytics reads of a model: without names it takes other ways."""
    model = onnx.load(path)
    names = {number: f"thing{number}" for number in range(CLASSES)}
    words = {"task": "detect", "stride": "32", "batch": "1", "imgsz": str([SIDE, SIDE]), "names": str(names)}
    onnx.helper.set_model_props(model, words)
    onnx.save(model, path)


def _peer(folder: Path, model: Path, program: str, how: str) -> Analysis:
    """A whole run, less what a run over one frame takes."""
    short, whole = (_run(folder, model, program, frames, how) for frames in (1, FRAMES))
    seen = int(whole.output.split()[-2])
    assert seen == FRAMES, whole.output
    return Analysis((FRAMES - 1) / (whole.wall_s - short.wall_s), (whole.cpu_s - short.cpu_s) / FRAMES, whole.rss_mb)


def _run(folder: Path, model: Path, program: str, frames: int, how: str) -> Cost:
    # Our folder has a module `trackers` of its own. Theirs install what they miss and tell their makers of each run.
    env = {"PYTHONPATH": "", "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(folder)}
    words = [str(PYTHON), str(PROGRAMS / program), str(model), str(CLIP), str(frames), how]
    return measured(words, {**env, "OMP_NUM_THREADS": "1"} if how == "tuned" else env)
