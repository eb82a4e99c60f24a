"""What an object looks like, told by its colours alone: cheap, and enough to tell clothes or spotted cows apart.

A histogram in CIE L*a*b* of the upper and one of the lower half of the box. The square root has length one, and the
cosine of two is then their Bhattacharyya coefficient; without the root, one large even patch would say it all.
"""

from __future__ import annotations

import cv2
import numpy as np

from agent.core.crops import Crops
from agent.core.types import Floats

WIDTH, HEIGHT = 16, 32
"""Pixels that a box is brought to."""
INNER = 0.8
"""Share of the box's sides that is looked at: its corners show the ground."""
HALVES = 2
_LIGHT, _TINT = 6, 6
"""Bins of L* and of each of a* and b*."""
_LIGHT_STEP, _TINT_STEP, _LEAST_TINT = 43, 10, 98
"""Of OpenCV's 0..255, where grey is 128: real objects lie near it, what lies farther goes into the last bin."""
WIDTH_OF_FEATURE = HALVES * _LIGHT * _TINT * _TINT


def histograms(crops: Crops) -> Floats:
    """(N, D) unit vectors of (N, H, W, 3) pixels in the order blue, green, red."""
    count, height, width, _ = crops.shape
    if not count:
        return np.zeros((0, WIDTH_OF_FEATURE), np.float32)
    lab = cv2.cvtColor(crops.reshape(count * height, width, 3), cv2.COLOR_BGR2LAB).reshape(crops.shape)
    bins = _LIGHT_BIN[lab[..., 0]] + _A_BIN[lab[..., 1]] + _B_BIN[lab[..., 2]]
    halves = np.arange(height) * HALVES // height
    bins += ((np.arange(count)[:, None] * HALVES + halves) * (_LIGHT * _TINT * _TINT))[:, :, None]
    sums = np.bincount(bins.ravel(), minlength=count * WIDTH_OF_FEATURE).reshape(count, WIDTH_OF_FEATURE)
    features: Floats = np.sqrt(sums / (height * width)).astype(np.float32)
    return features


_TINTS = np.clip((np.arange(256) - _LEAST_TINT) // _TINT_STEP, 0, _TINT - 1)
_LIGHT_BIN = np.arange(256) // _LIGHT_STEP * (_TINT * _TINT)
_A_BIN = _TINTS * _TINT
_B_BIN = _TINTS
