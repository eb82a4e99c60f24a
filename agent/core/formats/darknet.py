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

from agent.core.formats._candidates import Indices, invalid, logistic, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import OVERLAP, pick
from agent.core.types import Detections, Floats

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


class DarknetFormat:
    """Reads the outputs of one model. Its places (an anchor in a cell) are numbered over all heads."""

    def __init__(self, spec: ModelSpec, heads: Sequence[Head], overlap: float) -> None:
        tables = [_places(head, (spec.width, spec.height)) for head in heads]
        self._heads = tuple(heads)
        self._firsts = np.cumsum([0, *(len(table) for table in tables)])
        self._places = np.concatenate(tables)
        """(N, 6): where the centre is at a share of 0 and how far it moves with it, size at 1; pixels of the input."""
        self._new_coords, self._logistic = heads[0].new_coords, heads[0].logistic
        self._width = 5 + len(spec.labels)
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture: each of its likeliest class, score = objectness * class."""
        places, rows = self._candidates(outputs, threshold)
        classes = rows[:, 5:].argmax(axis=1)
        scores = self._shares(rows[:, 4]) * self._shares(rows[np.arange(len(rows)), 5 + classes])
        keep = strongest(scores, threshold)
        boxes = self._boxes(rows[keep, :4], places[keep])
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(fit.to_picture(boxes), scores[keep], classes[keep].astype(np.int32), **size, overlap=self._overlap)

    def _candidates(self, outputs: Sequence[Floats], threshold: float) -> tuple[Indices, Floats]:
        """(K,) places and their (K, 5 + classes) values. Most fall by objectness alone, before anything is computed."""
        lowest = _lowest(threshold, self._logistic)
        places, rows = [np.zeros(0, np.intp)], [np.zeros((0, self._width), np.float32)]
        for head, first, output in zip(self._heads, self._firsts, outputs, strict=False):
            cells = head.rows * head.columns
            shape = (len(head.anchors), cells, -1) if head.channels_last else (len(head.anchors), -1, cells)
            values = output.reshape(shape).swapaxes(1, 2) if head.channels_last else output.reshape(shape)
            found = np.flatnonzero(values[:, 4] >= lowest)
            if len(found):
                anchor, cell = np.divmod(found, cells)
                places.append(first + found)
                rows.append(values[anchor, :, cell])
        return np.concatenate(places), np.concatenate(rows)

    def _boxes(self, values: Floats, places: Indices) -> Floats:
        """(K, 4) left, top, right, bottom in pixels of the input."""
        values, table = np.minimum(np.maximum(values, -_LIMIT), _LIMIT), self._places[places]
        raw = logistic(values) if self._logistic else values
        centres = table[:, :2] + raw[:, :2] * table[:, 2:4]
        sizes = np.square(raw[:, 2:]) * 4 if self._new_coords else np.exp(values[:, 2:])
        half = sizes * table[:, 4:] * np.float32(0.5)
        boxes = np.empty((len(places), 4), np.float32)
        np.subtract(centres, half, out=boxes[:, :2])
        np.add(centres, half, out=boxes[:, 2:])
        return boxes

    def _shares(self, values: Floats) -> Floats:
        """Objectness or the value of a class as 0..1."""
        return logistic(values) if self._logistic else np.minimum(np.maximum(values, 0), 1)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> DarknetFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    described = spec.options.get("heads")
    if not isinstance(described, list | tuple) or len(described) != len(shapes) or not shapes:
        raise invalid(spec, f"options.heads must describe its {len(shapes)} outputs")
    others = replace(spec, options={key: value for key, value in spec.options.items() if key != "heads"})
    overlap = float(read_options(others, OPTIONS, {})["overlap"])
    heads = [_head(spec, head, shape) for head, shape in zip(described, shapes, strict=True)]
    if len({(head.new_coords, head.logistic) for head in heads}) > 1:
        raise invalid(spec, "options.heads must all be alike in new_coords and logistic")
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


def _lowest(threshold: float, logistic: bool) -> float:
    """The smallest objectness, as the network says it, that can reach the threshold; a little less, for rounding."""
    if not logistic or threshold <= 0:
        return -math.inf if logistic else threshold - _EDGE
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
