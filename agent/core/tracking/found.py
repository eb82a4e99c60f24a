"""Detections as a tracker works on them: ordered, columns of doubles, nothing that is no box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.pairs import Corners
from agent.core.types import Detections, Doubles, Floats, Ints


@dataclass(frozen=True, slots=True)
class Found:
    """M detections from left to right."""

    places: Doubles
    """(4, M) centre x, centre y, width, height in pixels."""
    corners: Corners
    scores: Doubles
    classes: Ints
    sure: NDArray[np.bool_]
    """(M,) scores at or above the threshold."""
    features: Floats
    """(M, D) unit vectors; D is 0 where there are none."""

    def __len__(self) -> int:
        return len(self.scores)


def look(detections: Detections, *, least: float, threshold: float) -> Found:
    """The detections of a score >= `least`; ids do not depend on the order in which a detector lists them."""
    boxes = detections.boxes.T.astype(np.float64)
    left, top, right, bottom = boxes
    # A side that is no number, endless or not positive makes an area that is none either.
    area = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    fit = (detections.scores >= least) & (area > 0) & (area < np.inf)
    order = np.lexsort((detections.classes, detections.scores, bottom, right, top, left))
    order = order[fit[order]]
    boxes = boxes[:, order]
    low, high = boxes[:2], boxes[2:]
    scores = detections.scores[order]
    features = detections.features[order] if detections.features.shape[1] else np.zeros((len(order), 0), np.float32)
    return Found(
        places=np.concatenate([(low + high) / 2, high - low]),
        corners=Corners(low, high, area[order]),
        scores=scores.astype(np.float64),
        classes=detections.classes[order],
        sure=scores >= threshold,
        features=features,
    )
