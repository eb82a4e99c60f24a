"""Outputs that are finished: one row an object, with non-maximum suppression in the graph or without need of it.

YOLOv10's 300 x 6, exports with NMS inside (N x 6, N x 7, or boxes, scores and labels as outputs of their own, with or
without a count), torchvision's and RT-DETR's boxes, labels, scores. `options.columns` tells of each output what its
columns are: left, top, right, bottom (or cx, cy, width, height), score, class, count (how many rows are good; alone),
and "-" for what is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agent.core.formats._candidates import Boxes, boxes_of, invalid, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

CORNERS = ("left", "top", "right", "bottom")
MIDDLE = ("cx", "cy", "width", "height")
OPTIONS = {
    "columns": [["left", "top", "right", "bottom", "score", "class"]],
    "units": "pixels",
    "first_class": 0,
    "overlap": 1.0,
}
CHOICES = {"units": ("pixels", "normalised")}
_WORDS = (*CORNERS, *MIDDLE, "score", "class", "count", "-")


class End2EndFormat:
    """Reads the outputs of one model."""

    def __init__(self, columns: Sequence[Sequence[str]], boxes: Boxes, classes: range, overlap: float) -> None:
        self._columns = columns
        self._boxes = boxes
        self._sides = MIDDLE if boxes.order == "cxcywh" else CORNERS
        self._classes = classes
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        table = self._table(outputs)
        rows = min(len(table[word]) for word in ("score", "class", *self._sides))
        if "count" in table and len(table["count"]):
            rows = min(rows, max(0, int(np.nan_to_num(table["count"][0]))))
        scores, classes = table["score"][:rows], table["class"][:rows]
        # What fills up the rows is told by a class of -1, or a score of 0.
        known = (classes >= self._classes.start) & (classes < self._classes.stop)
        keep = strongest(np.where(known, scores, -1.0).astype(np.float32), max(threshold, 0.0))
        values = np.stack([table[side][keep] for side in self._sides], axis=1)
        found = (classes[keep] - self._classes.start).astype(np.int32)
        boxes = fit.to_picture(self._boxes.corners(values))
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, np.clip(scores[keep], 0, 1), found, **size, overlap=self._overlap)

    def _table(self, outputs: Sequence[Floats]) -> Mapping[str, Floats]:
        """Each column by its word."""
        table: dict[str, Floats] = {}
        for output, words in zip(outputs, self._columns, strict=True):
            rows = output.reshape(-1, len(words))
            table.update({word: rows[:, number] for number, word in enumerate(words)})
        return table


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> End2EndFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, CHOICES)
    columns = [tuple(words) for words in options["columns"]]
    words = [word for names in columns for word in names]
    unknown = sorted(set(words) - set(_WORDS))
    if unknown:
        raise invalid(spec, f"options.columns cannot hold {unknown[0][:40]!r}; known: {', '.join(_WORDS)}")
    sides = CORNERS if set(CORNERS) <= set(words) else MIDDLE
    if any(words.count(word) != 1 for word in (*sides, "score", "class")):
        raise invalid(
            spec, "options.columns must hold left, top, right, bottom (or cx ...), score and class, once each"
        )
    if len(columns) != len(shapes) or not all(map(_fits, columns, shapes)):
        raise invalid(spec, f"options.columns describe {list(map(list, columns))}; the outputs are {shown(shapes)}")
    order = "xyxy" if sides is CORNERS else "cxcywh"
    first = int(options["first_class"])
    return End2EndFormat(
        columns, boxes_of(spec, order, options["units"]), range(first, first + len(spec.labels)), options["overlap"]
    )


def _fits(words: Sequence[str], shape: Sequence[int]) -> bool:
    """Whether an output of this shape has these columns: the last dimension, or no such dimension for one word."""
    if len(words) == 1:
        return len([side for side in shape if side != 1]) <= 1
    return len(shape) in (2, 3) and shape[-1] == len(words) and (len(shape) == 2 or shape[0] == 1)
