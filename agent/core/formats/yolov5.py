"""Outputs of anchor heads that are decoded in the graph: YOLOv5, YOLOv7 and others of that layout.

One output, (1, N, 5 + classes + extra): a box, the objectness and a value a class, all already 0..1 but the box.
Layout: https://github.com/ultralytics/yolov5/blob/master/models/yolo.py, class Detect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import strongest
from agent.core.formats._rows import Rows, rows_of
from agent.core.model import Fit, ModelSpec
from agent.core.types import Detections, Floats

OPTIONS: dict[str, object] = {"box": "cxcywh", "units": "pixels", "extra": 0, "overlap": 0.45}


class Yolov5Format:
    """Reads the outputs of one model; score = objectness * the likeliest class."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        rows = self._rows.of(outputs[0])
        # No class makes a score greater than its objectness.
        rows = rows[rows[:, 4] >= threshold]
        likely = rows[:, 5 : 5 + self._rows.classes]
        classes = likely.argmax(axis=1).astype(np.int32)
        scores = np.clip(rows[:, 4], 0, 1) * np.clip(likely[np.arange(len(rows)), classes], 0, 1)
        keep = strongest(scores, threshold)
        return self._rows.picked(rows[keep], scores[keep], classes[keep], fit)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> Yolov5Format:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    return Yolov5Format(rows_of(spec, shapes, before_classes=5, options=OPTIONS))
