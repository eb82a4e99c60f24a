"""What the pictures are worth: a look at two small ones a second."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

import cv2
import numpy as np

from agent.core.herd.aim import Aim
from agent.core.types import Floats, Image, View

_EVERY_S: Final = 0.5
_WIDTH: Final = 320
_AIM_WIDTH: Final = 160
_WORST_FIRST: Final = (View.FROZEN, View.DARK, View.BLURRED, View.MOVED)
"""An old picture tells nothing of the present, a dark one nothing at all, the others less than they could."""
_DARK: Final = 32
"""Of 255."""
_MOSTLY: Final = 0.9
"""Of the picture lies below: a lamp or a clock in a corner does not make it bright."""
_SAME: Final = 2
"""Two pictures of a camera differ by more than this in some pixel, because of the sensor's noise, also at night."""
_FROZEN_S: Final = 10.0
"""Some encoders repeat a picture in which little happens, but send a whole new one every few seconds."""
_COMPARED: Final = 640
"""Pixels of a row that are compared at most."""
_BLURRED: Final = 0.15
"""Of the usual sharpness. Animals move it by a tenth, the light by up to three quarters (gamma 2); a blur of a 400th
of the picture's width (1 sigma) or a haze over half the contrast brings it below."""
_SHARPEN_S: Final = 30.0
_UNSHARPEN_S: Final = 86_400.0
"""The usual sharpness rises within a minute, and falls within days, so that dirt is not soon taken for usual."""


class Watch:
    """Judges the pictures of one job."""

    def __init__(self) -> None:
        self._aim = Aim()
        self._next = -math.inf
        self._last = 0.0
        self._size = (0, 0)
        self._view = View.OK
        self._held: Counter[View] = Counter()
        self._looks = 0
        self._still: Image | None = None
        self._still_since = 0.0
        self._still_looks = 0
        self._usual_sharpness = 0.0

    def add(self, time: float, image: Image) -> None:
        """One picture, of which there are enough twice a second."""
        if time < self._next or not image.size:
            return
        elapsed_s = time - self._last
        self._last, self._next = time, time + _EVERY_S - 1e-6
        self._looks += 1
        frozen = self._is_frozen(time, image)
        small = self._small(image)
        dark = np.count_nonzero(small < _DARK) >= _MOSTLY * small.size
        # What cannot be seen is neither sharp nor recognised.
        blurred = not dark and self._is_blurred(elapsed_s, small)
        moved = not dark and not blurred and self._aim.moved(time, _thumbnail(small))
        holds = dict(zip(_WORST_FIRST, (frozen, dark, blurred, moved), strict=True))
        self._view = next((view for view in _WORST_FIRST if holds[view]), View.OK)
        self._held.update({view: 1 for view in (View.DARK, View.BLURRED, View.MOVED) if holds[view]})

    @property
    def view(self) -> View:
        """What the last look has shown."""
        return self._view

    def take(self) -> View:
        """The worst that held for at least half of the looks since the last call; the last one's, were there none."""
        worst = (view for view in _WORST_FIRST if self._looks and 2 * self._held[view] >= self._looks)
        view = next(worst, View.OK) if self._looks else self._view
        self._held.clear()
        self._looks = self._still_looks = 0
        return view

    def _small(self, image: Image) -> Image:
        """(height, 320) gray; all of one size, whatever a camera does."""
        if not self._size[0]:
            self._size = (_WIDTH, min(max(16, _WIDTH * image.shape[0] // image.shape[1]), 2 * _WIDTH))
        # Halved as long as it goes: four pixels to one is many times faster than any other share.
        while image.shape[1] >= 2 * self._size[0] and image.shape[0] >= 2 * self._size[1]:
            image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.resize(gray, self._size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _is_frozen(self, time: float, image: Image) -> bool:
        """Whether single pixels, in which the noise is not averaged away, have been the same for a while."""
        step = max(1, -(-image.shape[1] // _COMPARED))
        size = (-(-image.shape[1] // step), -(-image.shape[0] // step))
        pixels = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        old = self._still
        if old is None or old.shape != pixels.shape or cv2.norm(old, pixels, cv2.NORM_INF) > _SAME:
            self._still, self._still_since, self._still_looks = pixels, time, 1
            return False
        self._still_looks += 1
        frozen = time - self._still_since >= _FROZEN_S
        if frozen:
            # It has been so since it began: the looks that waited for the verdict count as well.
            self._held[View.FROZEN] += self._still_looks
            self._still_looks = 0
        return frozen

    def _is_blurred(self, elapsed_s: float, small: Image) -> bool:
        """Whether outlines are much fainter than usual, to the brightness: less light is no blur, haze is one."""
        spread = float(cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_16S))[1][0, 0])
        sharpness = (spread / max(cv2.mean(small)[0], 16.0)) ** 2
        if not self._usual_sharpness:
            self._usual_sharpness = sharpness
        inertia_s = _SHARPEN_S if sharpness > self._usual_sharpness else _UNSHARPEN_S
        self._usual_sharpness += (sharpness - self._usual_sharpness) * min(1.0, elapsed_s / inertia_s)
        return sharpness < _BLURRED * self._usual_sharpness


def _thumbnail(small: Image) -> Floats:
    size = (_AIM_WIDTH, max(8, small.shape[0] // 2))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.float32)
