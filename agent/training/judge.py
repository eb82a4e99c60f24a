"""A finished model judged as it will be used: through herdlink's own detector, on labelled pictures and on photos."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from agent.core.nms import pick
from agent.core.picture import annotate
from agent.core.types import Detections, Image
from agent.training import labels
from agent.training.measure import curve

_LOWEST = 0.02
_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good a model is on one set of labelled pictures."""

    pictures: int
    animals: int
    ap50: float
    recall_at_85: float
    """Where of 100 detections 85 are right."""
    at: Mapping[str, tuple[float, float]]
    """Threshold -> precision, recall."""


def judge(detector: Finder, paths: Sequence[Path]) -> Verdict:
    """On labelled pictures (labels.py)."""
    found, truths, ignored = [], [], []
    for path in paths:
        image = read(path)
        boxes, classes = labels.read(path, image.shape[1], image.shape[0])
        found.append(detector.detect([image], _LOWEST)[0])
        truths.append(boxes[classes >= 0])
        ignored.append(boxes[classes < 0])
    whole = curve(found, truths, ignored)
    at = {f"{t:g}": tuple(round(value, 3) for value in whole.at(t)) for t in _THRESHOLDS}
    return Verdict(
        len(paths),
        whole.animals,
        round(whole.average_precision(), 3),
        round(whole.recall_at(0.85), 3),
        at,  # type: ignore[arg-type]
    )


def false_alarms(detector: Finder, photos: Mapping[str, Image]) -> dict[str, float]:
    """Threshold -> detections a photo, where none shows an animal to be found."""
    scores = [detector.detect([photo], _LOWEST)[0].scores for photo in photos.values()]
    count = max(1, len(scores))
    return {f"{t:g}": round(sum(int((one >= t).sum()) for one in scores) / count, 3) for t in _THRESHOLDS}


def sure_score(detector: Finder, photos: Sequence[Image], a_photo: float = 0.1) -> float:
    """The lowest score at which no more than `a_photo` animals are found a photo, where none shows one; 0.2..0.8."""
    found = [detector.detect([photo], _LOWEST)[0].scores for photo in photos]
    scores = np.sort(np.concatenate([np.zeros(0, np.float32), *found]))[::-1]
    allowed = int(a_photo * len(photos))
    # Just above the first that is one too many.
    score = float(scores[allowed]) + 1e-3 if len(scores) > allowed else _LOWEST
    return float(np.clip(score, 0.2, 0.8))


class Finder(Protocol):
    """What is judged."""

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """As a Detector does."""
        ...


class Objects:
    """A detector of many classes as one that finds things, whatever they are: one box an object over all classes."""

    def __init__(self, detector: Finder) -> None:
        self._detector = detector

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """Of overlapping boxes of any class the best."""
        done = []
        for image, one in zip(images, self._detector.detect(images, threshold), strict=True):
            height, width = image.shape[:2]
            done.append(pick(one.boxes, one.scores, np.zeros(len(one), np.int32), width=width, height=height))
        return done


def read(path: Path) -> Image:
    """A picture file. Raises OSError."""
    image = cv2.imread(str(path))
    if image is None:
        raise OSError(f"{path} is no picture that can be read")
    return np.asarray(image, np.uint8)


def drawn(detector: Finder, images: Sequence[Image], threshold: float, columns: int, side: int) -> Image:
    """A sheet of pictures with what is found in each."""
    cells = []
    for image in images:
        found = detector.detect([image], threshold)[0]
        picture = annotate(image.copy(), found.boxes, found.classes, [f"{score:.2f}" for score in found.scores])
        scale = side / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cell = np.zeros((side, side, 3), np.uint8)
        cell[: small.shape[0], : small.shape[1]] = small[:side, :side]
        cells.append(cell)
    cells += [np.zeros((side, side, 3), np.uint8)] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])


def to_json(values: object) -> str:
    """Figures for the run's own record."""
    return json.dumps(values, indent=1)
