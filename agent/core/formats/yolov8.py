"""Outputs of anchor-free heads that are decoded in the graph: YOLOv8, v9, v11 and others of that layout.

One output, (1, 4 + classes + extra, N) or (1, N, 4 + classes + extra): a box and a score a class, already 0..1; no
objectness. Extra values (mask coefficients, key points) are passed over. Layout: https://docs.ultralytics.com/modes/export
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import Boxes, boxes_of, cell_rows, invalid, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"box": "cxcywh", "units": "pixels", "extra": 0, "overlap": 0.7}
CHOICES = {"box": ("cxcywh", "xyxy"), "units": ("pixels", "normalised")}


class Yolov8Format:
    """Reads the outputs of one model; score = the likeliest class's."""

    def __init__(self, boxes: Boxes, channels: int, classes: int, overlap: float) -> None:
        self._boxes = boxes
        self._channels = channels
        self._classes = classes
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        rows = cell_rows(outputs[0], self._channels)
        likely = rows[:, 4 : 4 + self._classes]
        best = likely.max(axis=1)
        keep = strongest(best, threshold)
        boxes = fit.to_picture(self._boxes.corners(rows[keep, :4]))
        classes = likely[keep].argmax(axis=1).astype(np.int32)
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, np.clip(best[keep], 0, 1), classes, **size, overlap=self._overlap)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> Yolov8Format:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, CHOICES)
    channels = 4 + len(spec.labels) + options["extra"]
    fits = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == 1 and channels in shapes[0][1:]
    if not fits:
        wanted = f"{len(spec.labels)} labels and {options['extra']} more values make {channels} channels of one output"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    return Yolov8Format(
        boxes_of(spec, options["box"], options["units"]), channels, len(spec.labels), float(options["overlap"])
    )
