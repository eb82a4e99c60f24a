"""Heads with anchors that the graph leaves undecoded: YOLOv5's and YOLOv7's convolutions as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.models.readings import Known, Output, Reading

# Width, height of each stride's anchors: https://github.com/ultralytics/yolov5/tree/master/models,
# https://github.com/WongKinYiu/yolov7/tree/main/cfg/deploy
ANCHORS = {
    "yolov5": ((10, 13, 16, 30, 33, 23), (30, 61, 62, 45, 59, 119), (116, 90, 156, 198, 373, 326)),
    "yolov5-p6": (
        *((19, 27, 44, 40, 38, 94), (96, 68, 86, 152, 180, 137)),
        *((140, 301, 303, 264, 238, 542), (436, 615, 739, 380, 925, 792)),
    ),
    "yolov7": ((12, 16, 19, 36, 40, 28), (36, 75, 76, 55, 72, 146), (142, 110, 192, 243, 459, 401)),
}
"""By whose they are; YOLOv7-tiny's are YOLOv5's."""
_PER_CELL = 3
_STRIDES = (8, 16, 32, 64)


def anchor_heads(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """Three or four outputs (1, 3, rows, columns, 5 + classes) or (1, 3 * (5 + classes), rows, columns)."""
    sized = sorted(outputs, key=lambda one: -_cells(one))
    strides = _STRIDES[: len(sized)]
    if len(sized) not in (3, 4) or any(len(output.shape) not in (4, 5) for output in sized):
        return
    widths = {_width(output) for output in sized}
    grids = [output.shape[2:4] for output in sized]
    if len(widths) != 1 or grids != [(-(-known.height // s), -(-known.width // s)) for s in strides]:
        return
    classes = widths.pop() - 5
    if classes < 1:
        return
    # Nothing but a logistic function leaves all values of noise between 0 and 1.
    logistic = not all(bool(np.all((one.values >= 0) & (one.values <= 1))) for one in sized)
    done = "with" if logistic else "without"
    why = f"{len(sized)} maps of 3 x (5 + {classes}) channels, {done} the logistic function left to do"
    names = tuple(output.name for output in sized)
    pairs = _pairs(known.anchors)
    missing = "" if len(pairs) == len(sized) else _question(len(sized))
    common = {"scale_x_y": 2.0, "new_coords": True, "logistic": logistic}
    options = {} if missing else {"heads": [{"anchors": one.tolist(), **common} for one in pairs]}
    sure = len(sized[0].shape) == 5
    yield Reading("darknet", "ultralytics", classes, why, options, outputs=names, sure=sure, missing=missing)


def _question(heads: int) -> str:
    three = "--set anchors=yolov5 (YOLOv7-tiny has the same), --set anchors=yolov7"
    listed = ", ".join(["[10,13, 16,30, 33,23]", *["[...]"] * (heads - 1)])
    return (
        "its boxes are not decoded and its anchors are not in the file; export it with its boxes decoded, or say them: "
        f"{three if heads == 3 else '--set anchors=yolov5-p6'}, or --set 'anchors=[{listed}]', a list a stride, the "
        "smallest first"
    )


def _pairs(anchors: Any) -> NDArray[np.float64]:
    """(strides, 3, 2) width and height, as the user said them; empty where that is no such list."""
    try:
        values = np.array(ANCHORS.get(anchors, ()) if isinstance(anchors, str) else anchors, np.float64)
        pairs = values.reshape(len(values), _PER_CELL, 2)
    except (TypeError, ValueError):
        return np.zeros((0, _PER_CELL, 2))
    return pairs if np.isfinite(pairs).all() and (pairs > 0).all() else pairs[:0]


def _cells(output: Output) -> int:
    return output.shape[2] * output.shape[3] if len(output.shape) > 3 else 0


def _width(output: Output) -> int:
    """Values an anchor; 0 where there are not three anchors a cell."""
    if len(output.shape) == 5:
        return output.shape[4] if output.shape[1] == _PER_CELL else 0
    return output.shape[1] // _PER_CELL if output.shape[1] % _PER_CELL == 0 else 0
