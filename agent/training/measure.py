"""How good a detector is on labelled pictures: AP50, recall at a precision, false alarms. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.core.types import Detections, Doubles, Floats

OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Curve:
    """What a detector finds on some pictures as its threshold falls."""

    scores: Doubles
    """(K,) of every detection, falling."""
    right: np.ndarray
    """(K,) whether it is an animal not found before."""
    animals: int

    @property
    def precision(self) -> Doubles:
        """(K,) share of what is right among the first ones."""
        return np.asarray(np.cumsum(self.right) / np.arange(1, len(self.right) + 1), np.float64)

    @property
    def recall(self) -> Doubles:
        """(K,) share of the animals that the first ones find."""
        return np.asarray(np.cumsum(self.right) / max(1, self.animals), np.float64)

    def average_precision(self) -> float:
        """Area below the curve of precision over recall, at every recall the best precision from there on."""
        if not len(self.scores):
            return 0.0
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(np.concatenate([[0.0], self.recall])) * best))

    def recall_at(self, precision: float) -> float:
        """The largest recall with at least this precision; 0 where there is none."""
        good = np.nonzero(self.precision >= precision)[0]
        return float(self.recall[good[-1]]) if len(good) else 0.0

    def at(self, threshold: float) -> tuple[float, float]:
        """(precision, recall) of what scores at least so much."""
        count = int((self.scores >= threshold).sum())
        return (float(self.precision[count - 1]), float(self.recall[count - 1])) if count else (1.0, 0.0)


def curve(found: Sequence[Detections], truths: Sequence[Floats], ignored: Sequence[Floats] = ()) -> Curve:
    """Of each picture what was found, the (N, 4) boxes of its animals, and of what does not matter.

    Each animal is found once, by the detection of the best score that overlaps it by half.
    """
    scores, right = [], []
    for number, (detections, truth) in enumerate(zip(found, truths, strict=True)):
        free = ignored[number] if len(ignored) else np.zeros((0, 4), np.float32)
        taken = np.zeros(len(truth), bool)
        for box, score in zip(detections.boxes, detections.scores, strict=True):
            overlaps = np.where(taken, 0, _iou(box, truth))
            best = int(overlaps.argmax()) if len(truth) else -1
            hit = best >= 0 and overlaps[best] >= OVERLAP
            if hit:
                taken[best] = True
            elif len(free) and _iou(box, free).max() >= OVERLAP:
                continue
            scores.append(float(score))
            right.append(hit)
    order = np.argsort(-np.array(scores), kind="stable") if scores else np.zeros(0, np.intp)
    return Curve(np.array(scores)[order], np.array(right, bool)[order], sum(map(len, truths)))


def _iou(box: Floats, others: Floats) -> Floats:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    area = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - shared
    return np.asarray(shared / np.maximum(area, 1e-9), np.float32)
