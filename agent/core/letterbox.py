"""Pictures of any size into a network's input."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.model import Fit, ModelSpec
from agent.core.types import Image


def fit_picture(width: int, height: int, spec: ModelSpec) -> Fit:
    """The place of a `width` x `height` picture in the input of `spec`; rounded as the network's framework does."""
    if spec.fit == "stretch":
        return Fit(width, height, 0, 0, spec.width, spec.height)
    if spec.width * height < spec.height * width:
        wide, high = spec.width, max(1, _share(height * spec.width, width, spec))
    else:
        wide, high = max(1, _share(width * spec.height, height, spec)), spec.height
    if spec.place == "corner":
        return Fit(width, height, 0, 0, wide, high)
    return Fit(width, height, (spec.width - wide) // 2, (spec.height - high) // 2, wide, high)


def _share(product: int, side: int, spec: ModelSpec) -> int:
    return product // side if spec.rounding == "down" else round(product / side)


class Letterbox:
    """Turns pictures into input tensors. Holds its buffers, so each thread needs one of its own."""

    def __init__(self, spec: ModelSpec, dtype: str = "float32") -> None:
        """`dtype` of the tensor: float32, float16, or uint8, which takes the bytes as they are."""
        size = (spec.height, spec.width)
        self._spec = spec
        self._small = np.empty((0, 0, 3), np.uint8)
        self._planes: list[Image] = []
        self._tensor: NDArray[Any] = np.empty((1, 3, *size) if spec.layout == "NCHW" else (1, *size, 3), dtype)
        self._order = (2, 1, 0) if spec.colour == "RGB" else (0, 1, 2)
        # (byte * scale - mean) / std as one product and one sum.
        std = np.array(spec.std, np.float64)
        self._factors = (spec.scale / std).astype(np.float32)
        self._terms = (-np.array(spec.mean, np.float64) / std).astype(np.float32)
        self._adds = bool(self._terms.any())
        self._fit = Fit(0, 0, 0, 0, 0, 0)
        self._targets: list[NDArray[Any]] = []

    def tensor(self, image: Image) -> tuple[NDArray[Any], Fit]:
        """(1, 3, height, width), or (1, height, width, 3), and the picture's place in it; good until the next call."""
        fit = fit_picture(image.shape[1], image.shape[0], self._spec)
        if fit != self._fit:
            self._lay_out(fit)
        cv2.resize(image, (fit.width, fit.height), dst=self._small, interpolation=cv2.INTER_LINEAR)
        # No array is made, and no bar written twice: split into kept planes, each written straight into its place.
        planes = cv2.split(self._small, self._planes)
        for number, source in enumerate(self._order):
            self._write(planes[source], self._targets[number], number)
        return self._tensor, fit

    def _lay_out(self, fit: Fit) -> None:
        """Draws the bars for pictures of this fit, and keeps the place between them."""
        size = (fit.height, fit.width)
        self._fit = fit
        self._small = np.empty((*size, 3), np.uint8)
        self._planes = [np.empty(size, np.uint8) for _ in range(3)]
        channels = [self._tensor[0, n] if self._spec.layout == "NCHW" else self._tensor[0, :, :, n] for n in range(3)]
        bar = np.full(channels[0].shape, self._spec.fill, np.uint8)
        for number, channel in enumerate(channels):
            self._write(bar, channel, number)
        rows, columns = slice(fit.top, fit.top + fit.height), slice(fit.left, fit.left + fit.width)
        self._targets = [channel[rows, columns] for channel in channels]

    def _write(self, plane: NDArray[Any], target: NDArray[Any], number: int) -> None:
        if target.dtype == np.uint8:
            np.copyto(target, plane)
            return
        np.multiply(plane, self._factors[number], out=target, dtype=np.float32, casting="same_kind")
        if self._adds:
            np.add(target, self._terms[number], out=target, dtype=np.float32, casting="same_kind")
