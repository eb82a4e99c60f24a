"""Outputs of YOLOX (Ge et al., arXiv:2107.08430), undecoded as its exporter leaves them, or decoded in the graph.

(1, N, 5 + classes), or (1, 5 + classes, rows, columns) a stride: x, y, width, height, objectness and a value a class,
the last two 0..1. Undecoded, x and y count cells from the cell's corner, width and height are logarithms of cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import (
    Grid,
    Indices,
    boxes_of,
    cell_rows,
    grid,
    invalid,
    read_options,
    shown,
    strongest,
)
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"decoded": False, "strides": [8, 16, 32], "overlap": 0.45}
# No object is e^20 cells wide, or so many cells from its own.
_LIMIT = 20.0
_FARTHEST = 1e4


class YoloxFormat:
    """Reads the outputs of one model; score = objectness * the likeliest class."""

    def __init__(self, spec: ModelSpec, cells: Grid, decoded: bool, overlap: float) -> None:
        self._boxes = boxes_of(spec, "cxcywh", "pixels")
        self._channels = 5 + len(spec.labels)
        self._grid = cells
        self._decoded = decoded
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        parts = [cell_rows(output, self._channels) for output in outputs]
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        # No class makes a score greater than its objectness.
        cells = np.nonzero(rows[:, 4] >= threshold)[0]
        rows = rows[cells]
        classes = rows[:, 5:].argmax(axis=1).astype(np.int32)
        scores = np.clip(rows[:, 4], 0, 1) * np.clip(rows[np.arange(len(rows)), 5 + classes], 0, 1)
        keep = strongest(scores, threshold)
        boxes = self._boxes.corners(self._placed(rows[keep, :4], cells[keep]))
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(fit.to_picture(boxes), scores[keep], classes[keep], **size, overlap=self._overlap)

    def _placed(self, values: Floats, cells: Indices) -> Floats:
        """(K, 4) centre and size in pixels of the input."""
        if self._decoded:
            return values
        steps = self._grid.steps[cells]
        centres = (np.clip(values[:, :2], -_FARTHEST, _FARTHEST) + self._grid.cells[cells]) * steps
        return np.concatenate([centres, np.exp(np.clip(values[:, 2:], -_LIMIT, _LIMIT)) * steps], axis=1)


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> YoloxFormat:
    """The format of a model whose outputs have these shapes. Raises InvalidArgument (MODEL_INVALID)."""
    options = read_options(spec, OPTIONS, {})
    cells = grid(spec.width, spec.height, options["strides"] if min(options["strides"]) > 0 else [1])
    channels, count = 5 + len(spec.labels), len(cells.cells)
    three = [shape for shape in shapes if len(shape) == 3 and shape[0] == 1 and channels in shape[1:]]
    four = [shape for shape in shapes if len(shape) == 4 and tuple(shape[:2]) == (1, channels)]
    cells_there = sum(shape[1] * shape[2] // channels for shape in three) + sum(s[2] * s[3] for s in four)
    if not shapes or len(three) + len(four) != len(shapes) or cells_there != count:
        wanted = f"{len(spec.labels)} labels make {channels} channels, the strides {options['strides']} {count} cells"
        raise invalid(spec, f"{wanted}; the outputs are {shown(shapes)}")
    return YoloxFormat(spec, cells, options["decoded"], float(options["overlap"]))
