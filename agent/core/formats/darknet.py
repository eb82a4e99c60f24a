"""Outputs of Darknet's [yolo] layers: YOLOv3, YOLOv4 and their relatives; YOLOv5's and YOLOv7's before decoding.

Each output is one layer as the last convolution leaves it, (1, anchors * (5 + classes), rows, columns), or the same as
(1, anchors, rows, columns, 5 + classes): of every anchor x, y, width, height, objectness and a value a class. See
Redmon and Farhadi, "YOLOv3" (arXiv:1804.02767), Bochkovskiy et al., "YOLOv4" (arXiv:2004.10934) for scale_x_y,
"Scaled-YOLOv4" (arXiv:2011.08036) for new_coords, which YOLOv5 and YOLOv7 share, with scale_x_y = 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agent.core.formats._candidates import invalid, logistic, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import OVERLAP, pick
from agent.core.types import Detections, Floats, Ints

OPTIONS = {"overlap": OVERLAP}
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
    """Sizes are squares of shares instead of exponentials."""
    logistic: bool
    """Whether the values have yet to go through the logistic function; with Darknet's new_coords they have been."""
    channels_last: bool
    """The second way in which an output may lie."""


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

    def __init__(self, spec: ModelSpec, heads: Sequence[Head], overlap: float) -> None:
        self._size = np.array([spec.width, spec.height], np.float32)
        self._heads = tuple(heads)
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture: each of its likeliest class, score = objectness * class."""
        found = [
            (head, _candidates(head, output, threshold)) for head, output in zip(self._heads, outputs, strict=True)
        ]
        boxes = np.concatenate([_boxes(head, some, self._size) for head, some in found])
        scores = np.concatenate([some.scores for _, some in found])
        classes = np.concatenate([some.classes for _, some in found])
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(fit.to_picture(boxes), scores, classes, **size, overlap=self._overlap)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> DarknetFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    described = spec.options.get("heads")
    if not isinstance(described, list | tuple) or len(described) != len(shapes) or not shapes:
        raise invalid(spec, f"options.heads must describe its {len(shapes)} outputs")
    others = replace(spec, options={key: value for key, value in spec.options.items() if key != "heads"})
    overlap = float(read_options(others, OPTIONS, {})["overlap"])
    heads = [_head(spec, head, shape) for head, shape in zip(described, shapes, strict=True)]
    return DarknetFormat(spec, heads, overlap)


def _head(spec: ModelSpec, described: Mapping[str, Any], shape: Sequence[int]) -> Head:
    try:
        anchors = np.array(described["anchors"], np.float32).reshape(-1, 2)
        scale_x_y, new_coords = float(described["scale_x_y"]), bool(described["new_coords"])
    except (TypeError, KeyError, ValueError):
        raise invalid(spec, "each of options.heads needs anchors (pairs), scale_x_y and new_coords") from None
    logistic = bool(described.get("logistic", not new_coords))
    if not (new_coords or logistic):
        raise invalid(spec, "options.heads: without new_coords, the logistic function is always left to do")
    width = 5 + len(spec.labels)
    channels = len(anchors) * width
    last = len(shape) == 5 and tuple(shape[:2]) == (1, len(anchors)) and shape[4] == width
    if not last and (len(shape) != 4 or shape[0] != 1 or shape[1] != channels):
        wanted = f"{len(anchors)} anchors and {len(spec.labels)} labels make {channels} channels"
        raise invalid(spec, f"{wanted}, the output's shape is {shown([shape])}")
    rows, columns = shape[2:4]
    return Head(anchors, int(rows), int(columns), scale_x_y, new_coords, logistic, last)


def _candidates(head: Head, output: Floats, threshold: float) -> _Candidates:
    """The places whose score reaches the threshold. Most fall by objectness alone, before anything is computed."""
    anchors = len(head.anchors)
    cells = head.rows * head.columns
    values = (
        output.reshape(anchors, cells, -1).swapaxes(1, 2) if head.channels_last else output.reshape(anchors, -1, cells)
    )
    anchor, cell = np.nonzero(values[:, 4] >= _lowest(threshold, head.logistic))
    rows = values[anchor, :, cell]
    classes = rows[:, 5:].argmax(axis=1)
    best = rows[np.arange(len(rows)), 5 + classes]
    scores = _share(head, rows[:, 4]) * _share(head, best)
    keep = strongest(scores, threshold)
    return _Candidates(
        np.clip(rows[keep, :4], -_LIMIT, _LIMIT),
        anchor[keep].astype(np.int32),
        cell[keep].astype(np.int32),
        scores[keep],
        classes[keep].astype(np.int32),
    )


def _lowest(threshold: float, logistic: bool) -> float:
    """The smallest objectness, as the network says it, that can reach the threshold; a little less, for rounding."""
    if not logistic or threshold <= 0:
        return -math.inf if logistic else threshold - _EDGE
    share = min(max(threshold - _EDGE, _EDGE / 1e6), 1 - _EDGE)
    return math.log(share / (1 - share))


def _boxes(head: Head, found: _Candidates, size: Floats) -> Floats:
    """(K, 4) left, top, right, bottom in pixels of the input."""
    step = size / np.array([head.columns, head.rows], np.float32)
    cells = np.stack([found.cells % head.columns, found.cells // head.columns], axis=1).astype(np.float32)
    raw_centres, raw_sizes = found.values[:, :2], found.values[:, 2:]
    anchors = head.anchors[found.anchors]
    shares = logistic(raw_centres) if head.logistic else raw_centres
    if head.new_coords:
        sizes = np.square(logistic(raw_sizes) if head.logistic else raw_sizes) * 4 * anchors
    else:
        sizes = np.exp(raw_sizes) * anchors
    centres = (cells + shares * head.scale_x_y - (head.scale_x_y - 1) / 2) * step
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)


def _share(head: Head, values: Floats) -> Floats:
    """Objectness or the value of a class as 0..1."""
    return logistic(values) if head.logistic else np.clip(values, 0, 1)
