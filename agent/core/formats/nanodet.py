"""Outputs of heads with generalised focal loss (Li et al., arXiv:2006.04388): NanoDet, NanoDet-Plus, PicoDet.

A cell has a score a class, already 0..1, and for each of its box's four edges a distribution over 0 .. reg_max steps
away. One output (1, N, classes + 4 * (reg_max + 1)), or two a stride. Layout: https://github.com/RangiLyu/nanodet
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.core.formats._candidates import (
    Grid,
    around,
    cell_rows,
    grid,
    invalid,
    read_options,
    shown,
    softmax,
    strongest,
)
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections, Floats

OPTIONS = {"strides": [8, 16, 32, 64], "offset": 0.0, "bins": 8, "overlap": 0.6}
"""offset: of a cell's point from its corner, in cells (Plus 0, its forerunner 0.5); bins: reg_max + 1."""


class NanodetFormat:
    """Reads the outputs of one model; score = the likeliest class's."""

    def __init__(self, classes: int, bins: int, cells: Grid, offset: float, overlap: float) -> None:
        self._classes = classes
        self._bins = bins
        self._points = (cells.cells + np.float32(offset)) * cells.steps
        self._steps = cells.steps
        self._overlap = overlap

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture, best first."""
        likely, spread = self._parts(outputs)
        best = likely.max(axis=1)
        keep = strongest(best, threshold)
        shares = softmax(spread[keep].reshape(-1, 4, self._bins))
        distances = np.asarray(shares @ np.arange(self._bins), np.float32) * self._steps[keep]
        boxes = fit.to_picture(around(self._points[keep], distances))
        classes = likely[keep].argmax(axis=1).astype(np.int32)
        size = {"width": fit.picture_width, "height": fit.picture_height}
        return pick(boxes, np.clip(best[keep], 0, 1), classes, **size, overlap=self._overlap)

    def _parts(self, outputs: Sequence[Floats]) -> tuple[Floats, Floats]:
        """(N, classes) scores and (N, 4 * bins) distributions of all cells."""
        edges = 4 * self._bins
        if len(outputs) == 1:
            rows = cell_rows(outputs[0], self._classes + edges)
            return rows[:, : self._classes], rows[:, self._classes :]
        half = len(outputs) // 2
        scores = np.concatenate([cell_rows(output, self._classes) for output in outputs[:half]])
        return scores, np.concatenate([cell_rows(output, edges) for output in outputs[half:]])


def make_format(spec: ModelSpec, shapes: Sequence[Sequence[int]]) -> NanodetFormat:
    """The format of a model whose outputs have these shapes: one, or first all scores, then all distributions, by
    stride. Raises InvalidArgument (MODEL_INVALID).
    """
    options = read_options(spec, OPTIONS, {})
    strides, bins, classes = options["strides"], options["bins"], len(spec.labels)
    cells = grid(spec.width, spec.height, strides if min(strides) > 0 else [1])
    count, half = len(cells.cells), len(shapes) // 2
    if len(shapes) == 1:
        good = _fits(shapes, classes + 4 * bins, count)
    else:
        good = (
            len(shapes) == 2 * half and _fits(shapes[:half], classes, count) and _fits(shapes[half:], 4 * bins, count)
        )
    if not good or not 1 < bins <= 64:
        wanted = f"{classes} labels and 4 x {bins} bins at {count} cells (strides {strides})"
        raise invalid(spec, f"{wanted} are expected; the outputs are {shown(shapes)}")
    return NanodetFormat(classes, bins, cells, float(options["offset"]), float(options["overlap"]))


def _fits(shapes: Sequence[Sequence[int]], channels: int, count: int) -> bool:
    """Whether these outputs have so many channels, and together so many cells."""
    three = all(len(shape) == 3 and shape[0] == 1 and channels in shape[1:] for shape in shapes)
    four = all(len(shape) == 4 and tuple(shape[:2]) == (1, channels) for shape in shapes)
    return bool(shapes) and (three or four) and sum(int(np.prod(shape)) for shape in shapes) == channels * count
