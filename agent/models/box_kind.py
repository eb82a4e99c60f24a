"""How four numbers a cell are meant: told by where the centres lie when the network sees any picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEAR_CELLS = 3.0
"""A decoded centre lies within a few cells of its own, on the whole."""


def cell_count(width: int, height: int, strides: Sequence[int]) -> int:
    """Number of cells over an input."""
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def box_kind(rows: NDArray[Any], width: int, height: int, strides: Sequence[int], anchors: int) -> tuple[str, str]:
    """Order (cxcywh, xyxy) and units (pixels, normalised) of the first four columns of (N, K) rows, N in the order
    stride, anchor, row, column; empty where no order puts the centres near their cells.
    """
    values = np.asarray(rows[:, :4], np.float64)
    centres, steps = _cells(width, height, strides, anchors)
    size = np.array([width, height], np.float64)
    errors = {}
    for units, factor in (("pixels", np.ones(2)), ("normalised", size)):
        for order in ("cxcywh", "xyxy"):
            middles = values[:, :2] if order == "cxcywh" else (values[:, :2] + values[:, 2:]) / 2
            away = np.abs(middles * factor - centres).max(axis=1) / steps
            errors[order, units] = float(np.median(away))
    best = min(errors, key=lambda key: errors[key] if np.isfinite(errors[key]) else np.inf)
    return best if errors[best] < _NEAR_CELLS else ("", "")


def _cells(
    width: int, height: int, strides: Sequence[int], anchors: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 2) centres and (N,) strides of all cells in pixels of the input."""
    centres, steps = [], []
    for stride in strides:
        columns, rows = -(-width // stride), -(-height // stride)
        down, across = np.divmod(np.arange(columns * rows), columns)
        centres += [np.stack([across + 0.5, down + 0.5], axis=1) * stride] * anchors
        steps.append(np.full(columns * rows * anchors, stride, np.float64))
    return np.concatenate(centres), np.concatenate(steps)
