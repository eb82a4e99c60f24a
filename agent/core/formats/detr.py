"""Outputs of boxes and class values side by side: DETR (Carion et al., arXiv:2005.12872), RT-DETR, and others so cut.

Two outputs, (1, N, classes) and (1, N, 4), in this order; with `options.nothing` the first has one more column, the
last, for "no object". Sets of queries need no suppression; dense predictions of this layout (PP-YOLOE, YOLO-NAS) do:
overlap below 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import (
    Boxes,
    boxes_of,
    cell_rows,
    invalid,
    logistic,
    read_options,
    shown,
    softmax,
    strongest,
)
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"activation": "sigmoid", "nothing": False, "box": "cxcywh", "units": "normalised", "overlap": 1.0}
CHOICES = {
    "activation": ("sigmoid", "softmax", "none"),
    "box": ("cxcywh", "xyxy"),
    "units": ("pixels", "normalised"),
}


class DetrFormat:
    """Reads the outputs of one model; score = the likeliest class's."""

    def __init__(self, boxes: Boxes, classes: int, columns: int, activation: str, overlap: float) -> None:
        self._boxes = boxes
        self._columns = columns
        self._classes = classes
        self._activation = activation
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        best, classes = self._likeliest(outputs[0])
        keep = strongest(best, threshold)
        boxes = fit.to_picture(self._boxes.corners(outputs[1][0, keep]))
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, np.clip(best[keep], 0, 1), classes[keep], **size, overlap=self._overlap)

    def _likeliest(self, values: Floats) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
        rows = cell_rows(values, self._columns)
        rows = (softmax(rows) if self._activation == "softmax" else rows)[:, : self._classes]
        classes = rows.argmax(axis=1).astype(np.int32)
        best = rows[np.arange(len(rows)), classes]
        return (logistic(best) if self._activation == "sigmoid" else best), classes


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> DetrFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, CHOICES)
    columns = len(spec.labels) + options["nothing"]
    if not _fits(columns, shapes):
        wanted = f"{len(spec.labels)} labels and nothing = {options['nothing']} make 1xNx{columns} and 1xNx4"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    boxes = boxes_of(spec, options["box"], options["units"])
    return DetrFormat(boxes, len(spec.labels), columns, options["activation"], float(options["overlap"]))


def _fits(columns: int, shapes: Sequence[Sequence[int]]) -> bool:
    if len(shapes) != 2 or any(len(shape) != 3 or shape[0] != 1 for shape in shapes) or shapes[1][2] != 4:
        return False
    return columns in shapes[0][1:] and shapes[0][1] * shapes[0][2] == columns * shapes[1][1]
