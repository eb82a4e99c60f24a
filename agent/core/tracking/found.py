"""Detections as a tracker works on them: ordered, columns of doubles, nothing that is no box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.pairs import Corners
from agent.core.types import Detections, Doubles, Floats, Ints


@dataclass(slots=True)
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
    order = _from_left(detections)
    scores = detections.scores[order]
    corners = np.empty((5, len(order)))
    corners[:4] = detections.boxes[order].T
    low, high = corners[:2], corners[2:4]
    sides = high - low
    area = np.multiply(sides[0], sides[1], out=corners[4])
    # A side that is no number, endless or not positive makes no box.
    fit = np.minimum(sides[0], sides[1]) > 0
    fit &= area < np.inf
    fit &= scores >= least
    if np.count_nonzero(fit) < len(fit):
        return look(detections[order[fit]], least=least, threshold=threshold)
    middles = low + high
    middles /= 2
    return Found(
        places=np.concatenate([middles, sides]),
        corners=corners,
        scores=scores.astype(np.float64),
        classes=detections.classes[order],
        sure=scores >= threshold,
        features=detections.features[order] if detections.features.shape[1] else np.zeros((len(order), 0), np.float32),
    )


def _from_left(detections: Detections) -> NDArray[np.intp]:
    """The order from left to right; of boxes with one left edge by all else that is told of them."""
    left = detections.boxes[:, 0]
    order = left.argsort()
    left = left[order]
    if np.count_nonzero(left[1:] == left[:-1]):
        left, top, right, bottom = detections.boxes.T
        order = np.lexsort((detections.classes, detections.scores, bottom, right, top, left))
    return order
