"""One box an object: non-maximum suppression within each class."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from agent.core.types import Detections, Floats, Ints

OVERLAP = 0.45
"""IoU from which two boxes of one class are the same object; Darknet's own figure."""
_SMALLEST_PX = 1.0


def pick(
    boxes: Floats, scores: Floats, classes: Ints, *, width: int, height: int, overlap: float = OVERLAP
) -> Detections:
    """The best of overlapping boxes, best score first, cut to the picture; with an overlap of 1 all of them.

    boxes (N, 4) left, top, right, bottom in pixels of a `width` x `height` picture. What is less than a pixel wide or
    high inside the picture, or not a number, is left out.
    """
    if not len(scores):
        return Detections()
    inside = np.minimum(np.maximum(boxes, 0), np.array([width, height, width, height], np.float32))
    sides = inside[:, 2:] - inside[:, :2]
    seen = (sides[:, 0] >= _SMALLEST_PX) & (sides[:, 1] >= _SMALLEST_PX)
    if not seen.all():
        boxes, inside, scores, classes = boxes[seen], inside[seen], scores[seen], classes[seen]
        if not len(scores):
            return Detections()
    rows = np.arange(len(scores)) if overlap >= 1 else _suppress(boxes, scores, classes, overlap)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    return Detections(inside[rows], scores[rows], classes[rows])


def _suppress(boxes: Floats, scores: Floats, classes: Ints, overlap: float) -> np.ndarray[Any, np.dtype[np.intp]]:
    # Whole boxes are compared, as Darknet does: two animals that leave the picture side by side stay two.
    rectangles = boxes.astype(np.float64)
    rectangles[:, 2:] -= rectangles[:, :2]
    # OpenCV's stubs ask for lists, OpenCV itself reads arrays, without a copy an item.
    suppress: Any = cv2.dnn.NMSBoxesBatched
    return np.asarray(suppress(rectangles, scores, classes, 0.0, overlap), np.intp).reshape(-1)
