"""Outputs of Darknet's [yolo] layers: YOLOv3, YOLOv4 and their relatives.

Each output is one layer as the last convolution leaves it, (1, anchors * (5 + classes), rows, columns): of every anchor
x, y, width, height, objectness and a value a class. See Redmon and Farhadi, "YOLOv3" (arXiv:1804.02767), Bochkovskiy
et al., "YOLOv4" (arXiv:2004.10934) for scale_x_y, "Scaled-YOLOv4" (arXiv:2011.08036) for new_coords.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.errors import InvalidArgument
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

MAX_CANDIDATES = 1000
"""The best so many are decoded: bounds what a very low threshold costs."""
# No sound network says more: beyond it the logistic function is flat, and no object is e^20 anchors wide.
_LIMIT = 20.0
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Head:
    """One [yolo] layer."""

    anchors: Floats
    """(M, 2) width, height in pixels of the input."""
    rows: int
    columns: int
    scale_x_y: float
    new_coords: bool
    """Values have been through the logistic function already, and sizes are squares instead of exponentials."""


class DarknetFormat:
    """Reads the outputs of one model. Its places (an anchor in a cell) are numbered over all heads."""

    def __init__(self, spec: ModelSpec, heads: Sequence[Head]) -> None:
        tables = [_places(head, (spec.width, spec.height)) for head in heads]
        self._heads = tuple(heads)
        self._firsts = np.cumsum([0, *(len(table) for table in tables)])
        self._places = np.concatenate(tables)
        """(N, 6): where the centre is at a share of 0 and how far it moves with it, size at 1; pixels of the input."""
        self._new_coords = [head.new_coords for head in heads]

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture: each of its likeliest class, score = objectness * class."""
        places, rows = self._candidates(outputs, threshold)
        new = self._are_new(places)
        classes = rows[:, 5:].argmax(axis=1)
        scores = _shares(rows[:, 4], new) * _shares(rows[np.arange(len(rows)), 5 + classes], new)
        keep = np.flatnonzero(scores >= threshold)
        if len(keep) > MAX_CANDIDATES:
            keep = keep[np.argpartition(-scores[keep], MAX_CANDIDATES)[:MAX_CANDIDATES]]
        boxes = self._boxes(rows[keep, :4], places[keep])
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(fit.to_picture(boxes), scores[keep], classes[keep].astype(np.int32), **size)

    def _candidates(self, outputs: Sequence[Floats], threshold: float) -> tuple[NDArray[np.intp], Floats]:
        """(K,) places and their (K, 5 + classes) values. Most fall by objectness alone, before anything is computed."""
        places, rows = [], []
        for head, first, output in zip(self._heads, self._firsts, outputs, strict=False):
            cells = head.rows * head.columns
            values = output.reshape(len(head.anchors), -1, cells)
            found = np.flatnonzero(values[:, 4] >= _lowest(threshold, head.new_coords))
            if len(found):
                anchor, cell = np.divmod(found, cells)
                places.append(first + found)
                rows.append(values[anchor, :, cell])
        if not rows:
            return np.zeros(0, np.intp), np.zeros((0, outputs[0].shape[1] // len(self._heads[0].anchors)), np.float32)
        return np.concatenate(places), np.concatenate(rows)

    def _are_new(self, places: NDArray[np.intp]) -> NDArray[np.bool_] | bool:
        """Which of the places belong to heads with new_coords; all or none in every published network."""
        if len(set(self._new_coords)) == 1:
            return self._new_coords[0]
        return np.array(self._new_coords)[np.searchsorted(self._firsts, places, "right") - 1]

    def _boxes(self, values: Floats, places: NDArray[np.intp]) -> Floats:
        """(K, 4) left, top, right, bottom in pixels of the input."""
        values = np.minimum(np.maximum(values, -_LIMIT), _LIMIT)
        new, table = self._are_new(places), self._places[places]
        if isinstance(new, bool):
            shares = values[:, :2] if new else _logistic(values[:, :2])
            sizes = np.square(values[:, 2:]) * 4 if new else np.exp(values[:, 2:])
        else:
            shares = np.where(new[:, None], values[:, :2], _logistic(values[:, :2]))
            sizes = np.where(new[:, None], np.square(values[:, 2:]) * 4, np.exp(values[:, 2:]))
        centres = table[:, :2] + shares * table[:, 2:4]
        half = sizes * table[:, 4:] * np.float32(0.5)
        boxes = np.empty((len(places), 4), np.float32)
        np.subtract(centres, half, out=boxes[:, :2])
        np.add(centres, half, out=boxes[:, 2:])
        return boxes


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> DarknetFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    described = spec.options.get("heads")
    if not isinstance(described, list | tuple) or len(described) != len(shapes) or not shapes:
        raise _invalid(spec, f"options.heads must describe its {len(shapes)} outputs")
    return DarknetFormat(spec, [_head(spec, head, shape) for head, shape in zip(described, shapes, strict=True)])


def _head(spec: ModelSpec, described: Mapping[str, Any], shape: Sequence[int]) -> Head:
    try:
        anchors = np.array(described["anchors"], np.float32).reshape(-1, 2)
        scale_x_y, new_coords = float(described["scale_x_y"]), bool(described["new_coords"])
    except (TypeError, KeyError, ValueError):
        raise _invalid(spec, "each of options.heads needs anchors (pairs), scale_x_y and new_coords") from None
    channels = len(anchors) * (5 + len(spec.labels))
    if len(shape) != 4 or shape[0] != 1 or shape[1] != channels:
        shown = f"{len(anchors)} anchors and {len(spec.labels)} labels make {channels} channels"
        raise _invalid(spec, f"{shown}, the output's shape is {'x'.join(map(str, shape))}")
    return Head(anchors, int(shape[2]), int(shape[3]), scale_x_y, new_coords)


def _invalid(spec: ModelSpec, what: str) -> InvalidArgument:
    return InvalidArgument("MODEL_INVALID", f"model {spec.name} and its description disagree: {what}")


def _lowest(threshold: float, new_coords: bool) -> float:
    """The smallest objectness, as the network says it, that can reach the threshold; a little less, for rounding."""
    if new_coords or threshold <= 0:
        return threshold - _EDGE if new_coords else -math.inf
    share = min(max(threshold - _EDGE, _EDGE / 1e6), 1 - _EDGE)
    return math.log(share / (1 - share))


def _places(head: Head, size: tuple[int, int]) -> Floats:
    """(anchors * rows * columns, 6), see DarknetFormat; anchor by anchor, row by row."""
    cells, anchors = head.rows * head.columns, len(head.anchors)
    step = np.array(size, np.float32) / np.array([head.columns, head.rows], np.float32)
    down, across = np.divmod(np.arange(cells), head.columns)
    corners = (np.stack([across, down], axis=1) - (head.scale_x_y - 1) / 2) * step
    reach = np.tile(step * head.scale_x_y, (anchors * cells, 1))
    table = np.concatenate([np.tile(corners, (anchors, 1)), reach, np.repeat(head.anchors, cells, axis=0)], axis=1)
    return np.asarray(table, np.float32)


def _shares(values: Floats, new: NDArray[np.bool_] | bool) -> Floats:
    """Objectness or the value of a class as 0..1."""
    if isinstance(new, bool):
        return np.minimum(np.maximum(values, 0), 1) if new else _logistic(values)
    return np.where(new, np.clip(values, 0, 1), _logistic(values))


def _logistic(values: Floats) -> Floats:
    """1 / (1 + e^-x) without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(values * 0.5), np.float32)
