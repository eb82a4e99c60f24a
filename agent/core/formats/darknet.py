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

from agent.core.errors import InvalidArgument
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats, Ints

MAX_CANDIDATES = 1000
"""Of each output, the best so many go on: bounds what a very low threshold costs."""
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


@dataclass(frozen=True, slots=True)
class _Candidates:
    """K places that may hold an object."""

    values: Floats
    """(K, 4) x, y, width, height as the network says them."""
    anchors: Ints
    cells: Ints
    scores: Floats
    classes: Ints


class DarknetFormat:
    """Reads the outputs of one model."""

    def __init__(self, spec: ModelSpec, heads: Sequence[Head]) -> None:
        self._size = np.array([spec.width, spec.height], np.float32)
        self._heads = tuple(heads)

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture: each of its likeliest class, score = objectness * class."""
        found = [
            (head, _candidates(head, output, threshold)) for head, output in zip(self._heads, outputs, strict=True)
        ]
        boxes = np.concatenate([_boxes(head, some, self._size) for head, some in found])
        scores = np.concatenate([some.scores for _, some in found])
        classes = np.concatenate([some.classes for _, some in found])
        return pick(fit.to_picture(boxes), scores, classes, width=fit.picture_width, height=fit.picture_height)


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


def _candidates(head: Head, output: Floats, threshold: float) -> _Candidates:
    """The places whose score reaches the threshold. Most fall by objectness alone, before anything is computed."""
    anchors = len(head.anchors)
    values = output.reshape(anchors, -1, head.rows * head.columns)
    anchor, cell = np.nonzero(values[:, 4] >= _lowest(threshold, head.new_coords))
    rows = values[anchor, :, cell]
    classes = rows[:, 5:].argmax(axis=1)
    best = rows[np.arange(len(rows)), 5 + classes]
    scores = _share(head, rows[:, 4]) * _share(head, best)
    keep = np.nonzero(scores >= threshold)[0]
    if len(keep) > MAX_CANDIDATES:
        keep = keep[np.argpartition(-scores[keep], MAX_CANDIDATES)[:MAX_CANDIDATES]]
    return _Candidates(
        np.clip(rows[keep, :4], -_LIMIT, _LIMIT),
        anchor[keep].astype(np.int32),
        cell[keep].astype(np.int32),
        scores[keep],
        classes[keep].astype(np.int32),
    )


def _lowest(threshold: float, new_coords: bool) -> float:
    """The smallest objectness, as the network says it, that can reach the threshold; a little less, for rounding."""
    if new_coords or threshold <= 0:
        return threshold - _EDGE if new_coords else -math.inf
    share = min(max(threshold - _EDGE, _EDGE / 1e6), 1 - _EDGE)
    return math.log(share / (1 - share))


def _boxes(head: Head, found: _Candidates, size: Floats) -> Floats:
    """(K, 4) left, top, right, bottom in pixels of the input."""
    step = size / np.array([head.columns, head.rows], np.float32)
    cells = np.stack([found.cells % head.columns, found.cells // head.columns], axis=1).astype(np.float32)
    raw_centres, raw_sizes = found.values[:, :2], found.values[:, 2:]
    anchors = head.anchors[found.anchors]
    if head.new_coords:
        shares, sizes = raw_centres, np.square(raw_sizes) * 4 * anchors
    else:
        shares, sizes = _logistic(raw_centres), np.exp(raw_sizes) * anchors
    centres = (cells + shares * head.scale_x_y - (head.scale_x_y - 1) / 2) * step
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)


def _share(head: Head, values: Floats) -> Floats:
    """Objectness or the value of a class as 0..1."""
    return np.clip(values, 0, 1) if head.new_coords else _logistic(values)


def _logistic(values: Floats) -> Floats:
    """1 / (1 + e^-x) without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(values * 0.5), np.float32)
