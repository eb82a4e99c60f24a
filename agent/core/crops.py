"""The objects of a picture, cut out and brought to one size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Floats, Image

Crops = NDArray[np.uint8]


def cut(image: Image, boxes: Floats, *, width: int, height: int, inner: float = 1.0) -> Crops:
    """(N, height, width, 3) pixels of (N, 4) boxes left, top, right, bottom: of each the `inner` share of its sides.

    A box that lies outside of the picture is black.
    """
    found = np.zeros((len(boxes), height, width, 3), np.uint8)
    low, high = boxes[:, :2], boxes[:, 2:]
    middle, half = (low + high) / 2, (high - low) * (inner / 2)
    edges = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
    corners = np.clip(np.concatenate([np.floor(middle - half), np.ceil(middle + half)], axis=1), 0, edges)
    resize: Any = cv2.resize
    for crop, (left, top, right, bottom) in zip(found, np.nan_to_num(corners).astype(int).tolist(), strict=True):
        if left < right and top < bottom:
            # Averages where it shrinks; where it grows that is the nearest pixel.
            resize(image[top:bottom, left:right], (width, height), dst=crop, interpolation=cv2.INTER_AREA)
    return found
