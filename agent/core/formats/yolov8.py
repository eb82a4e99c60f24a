"""Outputs of anchor-free heads that are decoded in the graph: YOLOv8, v9, v11 and others of that layout.

One output, (1, 4 + classes + extra, N) or (1, N, 4 + classes + extra): a box and a score a class, already 0..1; no
objectness. Extra values (mask coefficients, key points) are passed over. Layout: https://docs.ultralytics.com/modes/export
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import strongest
from agent.core.formats._rows import Rows, rows_of
from agent.core.model import Fit, ModelSpec
from agent.core.types import Detections, Floats

OPTIONS: dict[str, object] = {"box": "cxcywh", "units": "pixels", "extra": 0, "overlap": 0.7}


class Yolov8Format:
    """Reads the outputs of one model; score = the likeliest class's."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        rows = self._rows.of(outputs[0])
        likely = rows[:, 4 : 4 + self._rows.classes]
        best = likely.max(axis=1)
        keep = strongest(best, threshold)
        classes = likely[keep].argmax(axis=1).astype(np.int32)
        return self._rows.picked(rows[keep], best[keep], classes, fit)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> Yolov8Format:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    return Yolov8Format(rows_of(spec, shapes, before_classes=4, options=OPTIONS))
