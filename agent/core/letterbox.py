"""Pictures of any size into a network's input."""

from __future__ import annotations

import cv2
import numpy as np

from agent.core.model import Fit, ModelSpec
from agent.core.types import Floats, Image


def fit_picture(width: int, height: int, spec: ModelSpec) -> Fit:
    """The place of a `width` x `height` picture in the input of `spec`; letterbox rounds as Darknet does."""
    if spec.fit == "stretch":
        return Fit(width, height, 0, 0, spec.width, spec.height)
    if spec.width * height < spec.height * width:
        wide, high = spec.width, max(1, height * spec.width // width)
    else:
        wide, high = max(1, width * spec.height // height), spec.height
    return Fit(width, height, (spec.width - wide) // 2, (spec.height - high) // 2, wide, high)


class Letterbox:
    """Turns pictures into input tensors. Holds its buffers, so each thread needs one of its own."""

    def __init__(self, spec: ModelSpec) -> None:
        size = (spec.height, spec.width)
        self._spec = spec
        self._scale = np.float32(spec.scale)
        self._small = np.full((*size, 3), spec.fill, np.uint8)
        self._planes = [np.empty(size, np.uint8) for _ in range(3)]
        self._tensor = np.empty((1, 3, *size), np.float32)
        self._order = (2, 1, 0) if spec.colour == "RGB" else (0, 1, 2)
        self._fit = Fit(0, 0, 0, 0, 0, 0)

    def tensor(self, image: Image) -> tuple[Floats, Fit]:
        """(1, 3, height, width) float32 and the place of the picture in it; good until the next call."""
        fit = fit_picture(image.shape[1], image.shape[0], self._spec)
        if fit != self._fit:
            self._small[:] = self._spec.fill
            self._fit = fit
        place = self._small[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width]
        cv2.resize(image, (fit.width, fit.height), dst=place, interpolation=cv2.INTER_LINEAR)
        # No array is made: split into kept planes, each written straight into the tensor.
        planes = cv2.split(self._small, self._planes)
        for plane, source in enumerate(self._order):
            np.multiply(planes[source], self._scale, out=self._tensor[0, plane], dtype=np.float32)
        return self._tensor, fit
