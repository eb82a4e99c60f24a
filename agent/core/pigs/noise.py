"""Rough fields that everything with a surface is made of; made once, taken in pieces."""

from __future__ import annotations

import cv2
import numpy as np

from agent.core.types import Floats

_SIDE = 512


class Noise:
    """Smooth and rough fields of one seed, each value about 0 with a spread of 1."""

    def __init__(self, random: np.random.Generator, fields: int = 6) -> None:
        self._cloud = [_octaves(random, (4, 8, 16, 32, 64)) for _ in range(fields)]
        self._grain = [random.standard_normal((_SIDE, _SIDE)).astype(np.float32) for _ in range(fields)]

    def cloud(self, random: np.random.Generator, height: int, width: int, zoom: float = 1.0) -> Floats:
        """(height, width) like clouds, `zoom` pixels to one of its own."""
        return _piece(random, self._cloud, height, width, zoom)

    def grain(self, random: np.random.Generator, height: int, width: int, zoom: float = 1.0) -> Floats:
        """(height, width) every pixel for itself, `zoom` pixels to one of its own."""
        return _piece(random, self._grain, height, width, zoom)


def _octaves(random: np.random.Generator, cells: tuple[int, ...]) -> Floats:
    field = np.zeros((_SIDE, _SIDE), np.float32)
    for number in cells:
        rough = random.standard_normal((number + 1, number + 1)).astype(np.float32)
        field += cv2.resize(rough, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC) * (4 / number) ** 0.7
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _piece(random: np.random.Generator, fields: list[Floats], height: int, width: int, zoom: float) -> Floats:
    field = fields[int(random.integers(len(fields)))]
    rows, columns = min(_SIDE, max(2, round(height / zoom))), min(_SIDE, max(2, round(width / zoom)))
    top, left = int(random.integers(_SIDE - rows + 1)), int(random.integers(_SIDE - columns + 1))
    cut = field[top : top + rows, left : left + columns]
    if random.random() < 0.5:
        cut = cut[:, ::-1]
    how = cv2.INTER_LINEAR if zoom >= 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(cut, (width, height), interpolation=how), np.float32)
