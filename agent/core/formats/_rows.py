"""Outputs of one row a place that the graph has decoded: what YOLOv5's and YOLOv8's layouts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.core.formats._candidates import Boxes, boxes_of, cell_rows, invalid, read_options, shown
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats, Ints

CHOICES = {"box": ("cxcywh", "xyxy"), "units": ("pixels", "normalised")}


@dataclass(frozen=True, slots=True)
class Rows:
    """One output (1, N, channels) or (1, channels, N): a box, other values, a score a class, values passed over."""

    boxes: Boxes
    channels: int
    classes: int
    overlap: float

    def of(self, output: Floats) -> Floats:
        """(N, channels)."""
        return cell_rows(output, self.channels)

    def picked(self, rows: Floats, scores: Floats, classes: Ints, fit: Fit) -> Detections:
        """The objects of (K, channels) rows, best first."""
        size = {"width": fit.picture_width, "height": fit.picture_height}
        boxes = fit.to_picture(self.boxes.corners(rows[:, :4]))
        return pick(boxes, np.clip(scores, 0, 1), classes, **size, overlap=self.overlap)


def rows_of(
    spec: ModelSpec, shapes: Sequence[Sequence[int]], *, before_classes: int, options: dict[str, object]
) -> Rows:
    """`before_classes`: values of a row that come before the classes'; `options`: their defaults.

    Raises InvalidArgument (MODEL_INVALID).
    """
    read = read_options(spec, options, CHOICES)
    channels = before_classes + len(spec.labels) + read["extra"]
    fits = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == 1 and channels in shapes[0][1:]
    if not fits:
        wanted = f"{len(spec.labels)} labels and {read['extra']} more values make {channels} channels of one output"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    return Rows(boxes_of(spec, read["box"], read["units"]), channels, len(spec.labels), float(read["overlap"]))
