"""Output of FastestDet (https://github.com/dog-qiuqiu/FastestDet): (1, 5 + classes, rows, columns), one stride.

A cell says objectness (0..1), x, y, width, height and a share a class (0..1). The centre lies tanh(x), tanh(y) cells
from the cell's corner; width and height through the logistic function are shares of the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import Indices, boxes_of, invalid, logistic, read_options, shown, strongest
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"overlap": 0.45}
_OBJECT_POWER, _CLASS_POWER = 0.6, 0.4


class FastestDetFormat:
    """Reads the output of one model; score = objectness^0.6 * the likeliest class^0.4."""

    def __init__(self, spec: ModelSpec, shape: Sequence[int], overlap: float) -> None:
        self._boxes = boxes_of(spec, "cxcywh", "normalised")
        self._rows, self._columns = int(shape[2]), int(shape[3])
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        values = outputs[0].reshape(outputs[0].shape[1], -1)
        # No class makes a score greater than its objectness's part.
        cells = np.nonzero(values[0] >= threshold ** (1 / _OBJECT_POWER) * 0.999)[0]
        rows = values[:, cells].T
        classes = rows[:, 5:].argmax(axis=1).astype(np.int32)
        best = np.clip(rows[np.arange(len(rows)), 5 + classes], 0, 1)
        scores = np.clip(rows[:, 0], 0, 1) ** _OBJECT_POWER * best**_CLASS_POWER
        keep = strongest(scores, threshold)
        boxes = fit.to_picture(self._boxes.corners(self._placed(rows[keep, 1:5], cells[keep])))
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, scores[keep], classes[keep], **size, overlap=self._overlap)

    def _placed(self, values: Floats, cells: Indices) -> Floats:
        """(K, 4) centre and size as shares of the input."""
        corners = np.stack([cells % self._columns, cells // self._columns], axis=1)
        centres = (np.tanh(values[:, :2]) + corners) / np.array([self._columns, self._rows])
        return np.concatenate([centres, logistic(values[:, 2:])], axis=1).astype(np.float32)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> FastestDetFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, {})
    channels = 5 + len(spec.labels)
    if len(shapes) != 1 or len(shapes[0]) != 4 or tuple(shapes[0][:2]) != (1, channels):
        wanted = f"{len(spec.labels)} labels make one output 1x{channels}xROWSxCOLUMNS"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    return FastestDetFormat(spec, shapes[0], float(options["overlap"]))
