"""Outputs of anchor heads that are decoded in the graph: YOLOv5, YOLOv7 and others of that layout.

One output, (1, N, 5 + classes + extra): a box, the objectness and a value a class, all already 0..1 but the box.
Layout: https://github.com/ultralytics/yolov5/blob/master/models/yolo.py, class Detect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import Boxes, boxes_of, cell_rows, invalid, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"box": "cxcywh", "units": "pixels", "extra": 0, "overlap": 0.45}
CHOICES = {"box": ("cxcywh", "xyxy"), "units": ("pixels", "normalised")}


class Yolov5Format:
    """Reads the outputs of one model; score = objectness * the likeliest class."""

    def __init__(self, boxes: Boxes, channels: int, classes: int, overlap: float) -> None:
        self._boxes = boxes
        self._channels = channels
        self._classes = classes
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        rows = cell_rows(outputs[0], self._channels)
        # No class makes a score greater than its objectness.
        rows = rows[rows[:, 4] >= threshold]
        likely = rows[:, 5 : 5 + self._classes]
        classes = likely.argmax(axis=1).astype(np.int32)
        scores = np.clip(rows[:, 4], 0, 1) * np.clip(likely[np.arange(len(rows)), classes], 0, 1)
        keep = strongest(scores, threshold)
        boxes = fit.to_picture(self._boxes.corners(rows[keep, :4]))
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, scores[keep], classes[keep], **size, overlap=self._overlap)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> Yolov5Format:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, CHOICES)
    channels = 5 + len(spec.labels) + options["extra"]
    fits = len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] == 1 and channels in shapes[0][1:]
    if not fits:
        wanted = f"{len(spec.labels)} labels and {options['extra']} more values make {channels} channels of one output"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    return Yolov5Format(
        boxes_of(spec, options["box"], options["units"]), channels, len(spec.labels), float(options["overlap"])
    )
