"""Finds the animals of the simulated pen by their inks (core/pen.py): a detector without a model, to try out the rest.

It sees the picture alone; in any other picture it finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.pen import ink_table, numbers
from agent.core.ports import Detector
from agent.core.simulation import MAX_ANIMALS, builds
from agent.core.types import Detections, Image

LABELS = ("pig",)
_TOP_SCORE = 0.9
_LEANEST = 0.92
"""A walking animal to a lying one, which is broader."""
_FEWEST_PIXELS = 30
_THINNEST = 0.12
"""Part of its box that an animal's ink fills at least; pixels that have an ink by chance lie wide apart."""


class Scripted:
    """Boxes of what is visible; the score is 0.9 for the whole animal, less for what is hidden."""

    def __init__(self) -> None:
        self._table = ink_table()
        self._builds = builds(MAX_ANIMALS)

    @property
    def labels(self) -> Sequence[str]:
        return LABELS

    @property
    def name(self) -> str:
        return f"scripted@{self.sha256[:8]}"

    @property
    def sha256(self) -> str:
        """There is no file."""
        return "0" * 64

    @property
    def provider(self) -> str:
        return "none"

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """One Detections an image, in the order of the inks."""
        return [self._detect(image, threshold) for image in images]

    def _detect(self, image: Image, threshold: float) -> Detections:
        found = numbers(image, self._table)
        if not cv2.countNonZero(found):
            return Detections()
        xs, ys = np.asarray(cv2.findNonZero(found), np.int32)[:, 0].T
        owners = found[ys, xs]
        pixels = np.bincount(owners, minlength=MAX_ANIMALS + 1)
        low, high = zip(_ends(owners, xs, image.shape[1]), _ends(owners, ys, image.shape[0]), strict=True)
        sides = (high[0] - low[0]) * (high[1] - low[1])
        which = np.nonzero((pixels >= _FEWEST_PIXELS) & (pixels >= _THINNEST * sides))[0]
        # All animals are of one kind: who is hidden least shows how large a whole one is.
        sizes = pixels[which] / self._builds[which - 1] ** 2
        shares = np.minimum(1.0, sizes / (_LEANEST * sizes.max(initial=1.0)))
        scores = (_TOP_SCORE * shares).astype(np.float32)
        boxes = np.stack([*low, *high], 1)[which].astype(np.float32)
        whole = Detections(boxes, scores, np.zeros(len(which), np.int32))
        return whole[scores >= threshold]


def open_detector() -> Detector:
    """Ready at once."""
    return Scripted()


def _ends(owners: NDArray[np.uint8], places: NDArray[np.int32], room: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(MAX_ANIMALS + 1,) first place, and one behind the last, of each owner's pixels along one side of the picture."""
    taken = np.zeros((MAX_ANIMALS + 1, room), np.bool_)
    taken[owners, places] = True
    return taken.argmax(1), room - taken[:, ::-1].argmax(1)
