"""Rest while nothing happens: how many looks are left, and what they cost in tracking quality.

The gate was tuned while looking at the herd of seed 1, which is told apart from the others. A round, a herd by night
and one by day, takes some 30 seconds; real films, where HERDLINK_BENCH_CLIPS names a folder of them, as long as a model
takes to look at each picture.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from hota import Frame as Told
from hota import hota

from agent import plugins
from agent.core.pen import Painter
from agent.core.pipeline import Pipeline
from agent.core.ports import Detector
from agent.core.simulation import Simulation, State
from agent.core.types import Detections, Frame, Image

FPS, SECONDS, SIZE = 10, 60, (640, 360)
NOISE = 2.5
RESTS_S = (1.0, 2.0)


def run(rounds: int) -> None:
    """The rounds are herds here, beside the one that the gate was tuned on."""
    print("\n### rest: looks of the model and HOTA, to a look at every picture\n")
    print("| scene | rest_s | looks | HOTA | of every picture's | gate, CPU us a picture |\n|---|---|---|---|---|---|")
    for name, still in (("a pen at night", 30.0), ("a pen by day", 1.0)):
        _tell(f"{name}, seed 1 (tuned on)", [list(_pen(1, still))])
        _tell(f"{name}, seeds 2 to {rounds + 1}", [list(_pen(seed, still)) for seed in range(2, rounds + 2)])
    for clip in _clips():
        _tell(f"{clip.name}, to its own tracks at every picture", [list(_film(clip))])


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture, what a detector finds in it, and the truth where it is known."""

    frame: Frame
    found: Detections
    truth: Told | None = None


class Night(Simulation):
    """Who lies down lies `still` times as long; all lie at first."""

    def __init__(self, still: float, animals: int, seed: int) -> None:
        super().__init__(animals, FPS, seed, *SIZE)
        self._still = still
        if still > 1:
            self._states[:] = State.LYING
            self._left_s = self._random.exponential(25.0 * still, animals)

    def _decide(self) -> None:
        before = self._states.copy()
        super()._decide()
        self._left_s[(self._states == State.LYING) & (before != State.LYING)] *= self._still


def _pen(seed: int, still: float) -> Iterator[Moment]:
    """Twelve animals; the detector sees the picture as it is drawn, the gate one with a camera's noise."""
    herd, painter = Night(still, 12, seed), Painter(seed, *SIZE)
    random = np.random.default_rng(seed)
    detector = plugins.load("agent.detectors", "scripted", "detector").open_detector()
    numbers = np.arange(12)
    for index in range(FPS * SECONDS):
        truth = herd.step()
        clean = painter.draw(truth)
        found = detector.detect([clean], 0.1)[0]
        jittered = (found.boxes + random.normal(0, 1, found.boxes.shape)).astype(np.float32)
        noisy = np.clip(clean + random.normal(0, NOISE, clean.shape), 0, 255).astype(np.uint8)
        found = Detections(jittered, found.scores, found.classes)
        yield Moment(Frame(index + 1, index / FPS, noisy), found, (numbers, truth.boxes))


def _film(clip: Path) -> Iterator[Moment]:
    """A real film, through yolov4-tiny once."""
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch
    from agent.models.store import Store, default_folder

    cv2.setNumThreads(1)
    detector = open_detector(*find_or_fetch(Store(default_folder()), "yolov4-tiny", print), threads=0)
    person = detector.labels.index("person")
    for frame in plugins.load("agent.sources", "file", "input").open_source(str(clip)).frames():
        found = detector.detect([frame.image], 0.1)[0]
        small = cv2.resize(frame.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        found = found[found.classes == person]
        boxes = (found.boxes / 2).astype(np.float32)
        yield Moment(Frame(frame.index, frame.time, small), Detections(boxes, found.scores, found.classes * 0))


def _clips() -> list[Path]:
    folder = Path(os.environ.get("HERDLINK_BENCH_CLIPS", "not-set"))
    return sorted(folder.glob("*.mp4")) + sorted(folder.glob("*.avi"))


def _tell(name: str, films: Sequence[Sequence[Moment]]) -> None:
    usual = [_track(film, 0.0) for film in films]
    best = [hota(_truth(film, told), told) for film, (told, _, _) in zip(films, usual, strict=True)]
    print(f"| {name} | 0 | 1.00 | {np.mean(best):.1f} | | |", flush=True)
    for rest_s in RESTS_S:
        rested = [_track(film, rest_s) for film in films]
        looks = np.mean([one / len(film) for (_, one, _), film in zip(rested, films, strict=True)])
        scores = [hota(_truth(f, u), t) for f, (u, _, _), (t, _, _) in zip(films, usual, rested, strict=True)]
        lost, gate_us = np.mean(scores) - np.mean(best), 1e6 * np.mean([gate_s for _, _, gate_s in rested])
        print(f"| {name} | {rest_s} | {looks:.2f} | {np.mean(scores):.1f} | {lost:+.1f} | {gate_us:.0f} |", flush=True)


def _truth(film: Sequence[Moment], usual: Sequence[Told]) -> Sequence[Told]:
    truths = [moment.truth for moment in film if moment.truth is not None]
    return truths if len(truths) == len(film) else usual


def _track(film: Sequence[Moment], rest_s: float) -> tuple[list[Told], int, float]:
    """The tracks of each picture, how many looks they took, and the gate's CPU seconds a picture."""
    tracker = plugins.load("agent.core.trackers", "herd", "tracker").make(threshold=0.3)
    embedder = plugins.load("agent.embedders", "none", "embedder").open_embedder()
    pipeline = Pipeline(detector=_Known(), embedder=embedder, tracker=tracker, threshold=0.3, lowest=0.1, rest_s=rest_s)
    told, looks, gate_s = [], 0, 0.0
    for moment in film:
        begin = time.thread_time()
        look = pipeline.looks(moment.frame)
        gate_s += time.thread_time() - begin
        if look:
            looks += 1
            result = pipeline.track(moment.frame, moment.found)
        else:
            result = pipeline.coast(moment.frame)
        told.append((result.tracks.ids, result.tracks.boxes))
    return told, looks, gate_s / len(film)


class _Known(Detector):
    """What is found is known beforehand."""

    labels = ("animal",)
    name = sha256 = provider = ""

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        raise NotImplementedError
