"""What the formats share: from the values of a network to boxes, the strongest ones first filtered, then decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.errors import InvalidArgument
from agent.core.model import ModelSpec
from agent.core.types import Floats

MAX_CANDIDATES = 1000
"""The best so many are decoded: bounds what a very low threshold costs."""
_FARTHEST_PX = 1e5
# Beyond it the logistic function and a softmax are flat.
_LARGEST = 1e3
Indices = NDArray[np.intp]


def strongest(scores: Floats, threshold: float) -> Indices:
    """Rows of the (N,) scores that reach the threshold, at most MAX_CANDIDATES; what is no number never does."""
    keep = np.nonzero(scores >= threshold)[0]
    if len(keep) > MAX_CANDIDATES:
        keep = keep[np.argpartition(-scores[keep], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    return keep


@dataclass(frozen=True, slots=True)
class Boxes:
    """How four numbers of a network make a box."""

    order: str
    """cxcywh, xyxy or xywh."""
    factors: Floats
    """(4,) from the network's unit to pixels of the input."""

    def corners(self, values: Floats) -> Floats:
        """(K, 4) as the network says them -> left, top, right, bottom in pixels of the input."""
        scaled = np.clip(values, -_FARTHEST_PX, _FARTHEST_PX) * self.factors
        if self.order == "xyxy":
            return np.asarray(scaled, np.float32)
        first, sizes = scaled[:, :2], scaled[:, 2:]
        begin = first if self.order == "xywh" else first - sizes / 2
        return np.asarray(np.concatenate([begin, begin + sizes], axis=1), np.float32)


def boxes_of(spec: ModelSpec, order: str, units: str) -> Boxes:
    """`units`: pixels of the input, or normalised to 0..1."""
    size = (spec.width, spec.height) if units == "normalised" else (1, 1)
    return Boxes(order, np.array([*size, *size], np.float32))


def around(points: Floats, distances: Floats) -> Floats:
    """(K, 2) points and (K, 4) distances to left, top, right and bottom edge -> corners."""
    sides = np.concatenate([points - distances[:, :2], points + distances[:, 2:]], axis=1)
    return np.asarray(np.clip(sides, -_FARTHEST_PX, _FARTHEST_PX), np.float32)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of all strides of a network, one after the other, each stride row by row."""

    cells: Floats
    """(N, 2) column, row."""
    steps: Floats
    """(N, 1) pixels of the input."""


def grid(width: int, height: int, strides: Sequence[int]) -> Grid:
    """The grid over an input; a last cell that is cut counts."""
    cells, steps = [], []
    for stride in strides:
        columns, rows = -(-width // stride), -(-height // stride)
        down, across = np.divmod(np.arange(columns * rows), columns)
        cells.append(np.stack([across, down], axis=1))
        steps.append(np.full((columns * rows, 1), stride))
    return Grid(np.concatenate(cells).astype(np.float32), np.concatenate(steps).astype(np.float32))


def cell_rows(output: Floats, channels: int) -> Floats:
    """(1, N, channels), (1, channels, N) or (1, channels, rows, columns) as (N, channels)."""
    if output.ndim == 4:
        return np.asarray(output.reshape(channels, -1).T)
    return np.asarray(output[0] if output.shape[2] == channels else output[0].T)


def logistic(values: Floats) -> Floats:
    """1 / (1 + e^-x) without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(values * 0.5), np.float32)


def softmax(values: Floats) -> Floats:
    """Shares along the last axis that add up to 1."""
    bounded = np.clip(values, -_LARGEST, _LARGEST)
    raised = np.exp(bounded - bounded.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


def invalid(spec: ModelSpec, what: str) -> InvalidArgument:
    """The description does not fit the network."""
    return InvalidArgument("MODEL_INVALID", f"model {spec.name} and its description disagree: {what}")


def shown(shapes: Sequence[Sequence[int]]) -> str:
    """Shapes in words: 1x84x8400, 1x32x160x160."""
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "none"


def read_options(spec: ModelSpec, defaults: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The format's options with their defaults. Raises InvalidArgument (MODEL_INVALID) for others and other kinds."""
    values = {**defaults, **spec.options}
    for key, value in values.items():
        if key not in defaults:
            known = ", ".join(sorted(defaults)) or "none"
            raise invalid(spec, f"format {spec.format} has no option {key!r}; known: {known}")
        if key in choices and value not in choices[key]:
            raise invalid(spec, f"options.{key} cannot be {str(value)[:40]!r}; known: {', '.join(choices[key])}")
        if not _alike(value, defaults[key]):
            raise invalid(spec, f"options.{key} cannot be {str(value)[:40]!r}; an example: {defaults[key]!r}")
    return values


def _alike(value: object, default: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and 0 <= value < 1e6
    if isinstance(default, list):
        return isinstance(value, list | tuple) and bool(value) and all(_alike(v, default[0]) for v in value)
    if isinstance(default, int):
        return isinstance(value, int) and 0 <= value <= 1 << 16
    return isinstance(value, type(default))
