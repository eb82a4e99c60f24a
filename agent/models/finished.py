"""Outputs that hold finished objects, or boxes and class values side by side: what each output and column is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.models.box_kind import box_kind, cell_count
from agent.models.readings import STRIDES, Known, Output, Reading

_CORNERS = ("left", "top", "right", "bottom")
_MIDDLE = ("cx", "cy", "width", "height")
_SIDES = (*_CORNERS, *_MIDDLE)
_BATCHED = ("-", *_CORNERS, "class", "score")
_MOST_ROWS = 5000


def rows_of_six(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """One output with a row an object: (1, N, 6), (N, 6), seven columns with the picture's number first, or more, where
    mask coefficients or key points follow; then the masks' prototypes may be an output too.
    """
    tables = [output for output in outputs if len(output.shape) in (2, 3)]
    prototypes = [output.shape[1] for output in outputs if len(output.shape) == 4]
    if len(tables) != 1 or len(tables) + len(prototypes) != len(outputs) or len(prototypes) > 1:
        return
    output = tables[0]
    more = output.shape[-1] - 6
    if more < 0 or not _is_table(output, (output.shape[-1],)) or (prototypes and prototypes[0] != more):
        return
    rows = output.values.reshape(-1, output.shape[-1])
    names = (output.name,) if prototypes else ()
    if more == 1:
        options = {"columns": [list(_BATCHED)], "units": _units(rows[:, 1:5])}
        yield Reading(
            "end2end", "ultralytics", 0, "rows of 7: number of the picture, box, class, score", options, names
        )
        return
    columns, why, sure = _six(rows, known)
    # Without masks only a trial tells so many columns from a box and scores.
    if more and not (prototypes or sure or known.extra == more):
        return
    units = _units(rows[:, [columns.index(side) for side in columns if side in _SIDES]])
    why = f"{why}, and {more} more values" if more else why
    options = {"columns": [[*columns, *["-"] * more]], "units": units}
    family = "rtdetr" if "cx" in columns else "ultralytics"
    yield Reading("end2end", family, 0, why, options, names, sure=sure)


def _six(rows: NDArray[Any], known: Known) -> tuple[tuple[str, ...], str, bool]:
    """The order of the first six columns, by what they hold in the trial, else by what is usual."""
    orders = {
        (*_CORNERS, "score", "class"): (4, 5),
        (*_CORNERS, "class", "score"): (5, 4),
        ("class", "score", *_CORNERS): (1, 0),
    }
    good = [
        order for order, (score, label) in orders.items() if _is_share(rows[:, score]) and _is_whole(rows[:, label])
    ]
    if np.any(rows) and len(good) == 1:
        order = good[0]
        boxes = rows[np.any(rows, axis=1)][:, [order.index(side) for side in _CORNERS]]
        # In shares of the input, as RT-DETR's queries say them, the third and fourth may be sizes.
        if order[4:] == ("score", "class") and _units(boxes) == "normalised" and not _are_corners(boxes):
            order = (*_MIDDLE, "score", "class")
        return order, f"rows of 6, in a trial like {', '.join(order)}", True
    if "im_shape" in known.further_inputs or "scale_factor" in known.further_inputs:
        return ("class", "score", *_CORNERS), "rows of 6 as PaddleDetection puts them", False
    return (*_CORNERS, "score", "class"), "rows of 6 in the usual order: box, score, class", False


def _are_corners(boxes: NDArray[Any]) -> bool:
    """Whether right lies right of left, and bottom below top, in all but a few."""
    return bool(np.mean((boxes[:, 2:] >= boxes[:, :2]).all(axis=1)) > 0.9)


def several(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """Boxes, scores and labels as outputs of their own, with or without a count."""
    if not 2 <= len(outputs) <= 4 or not any(_is_table(output, (4, 5)) for output in outputs):
        return
    columns = {output.name: _columns(output, outputs) for output in outputs}
    words = [word for names in columns.values() for word in names]
    if any(words.count(word) != 1 for word in (*_CORNERS, "score", "class")):
        return
    boxes = next(output for output in outputs if "left" in columns[output.name])
    values = boxes.values.reshape(-1, boxes.shape[-1])[:, :4]
    detection_api = boxes.name.startswith("detection_boxes")
    options = {
        "columns": [list(names) for names in columns.values()],
        "units": "normalised" if detection_api else _units(values),
    }
    family = "rtdetr" if "orig_target_sizes" in known.further_inputs else _family(outputs)
    why = "; ".join(f"{name}: {' '.join(names)}" for name, names in columns.items())
    labels = next(output.values for output in outputs if "class" in columns[output.name])
    for first in (1,) if detection_api else _first_classes(labels, family, known):
        more = {**options, "first_class": first}
        yield Reading("end2end", family, 0, f"finished objects ({why}), classes from {first}", more, sure=True)


def _first_classes(labels: NDArray[Any], family: str, known: Known) -> tuple[int, ...]:
    """The number of the first class: torchvision's 0 is the background, unless the names begin with it."""
    if family != "plain" or known.first_class is not None:
        return (known.first_class or 0,)
    if np.any(labels == 0):
        return (0,)
    return (1,) if known.classes and np.any(labels == known.classes) else (0, 1)


def _family(outputs: Sequence[Output]) -> str:
    """Torchvision's have no dimension for the picture; it and TensorFlow's stretch or pad by themselves."""
    return "plain" if any(len(output.shape) == 1 for output in outputs) else "ultralytics"


def _columns(output: Output, outputs: Sequence[Output]) -> tuple[str, ...]:
    """What an output holds: by its shape, its type, its name and its values."""
    if _is_table(output, (4, 5)):
        corners = ("top", "left", "bottom", "right") if output.name.startswith("detection_boxes") else _CORNERS
        return (*corners, "score") if output.shape[-1] == 5 else corners
    if any(side != 1 for side in output.shape[2:]) or len(output.shape) > 3:
        return ("-",)
    if math.prod(output.shape) == 1 and len(outputs) > 2 and "num" in output.name.lower():
        return ("count",)
    whole = np.issubdtype(output.values.dtype, np.integer)
    if math.prod(output.shape) == 1 and whole and _rows(outputs) != 1:
        return ("count",)
    name = output.name.lower()
    if whole or (any(word in name for word in ("class", "label")) and "score" not in name):
        return ("class",)
    return ("score",)


def _rows(outputs: Sequence[Output]) -> int:
    return next(output.shape[-2] for output in outputs if _is_table(output, (4, 5)))


def side_by_side(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """Boxes (1, N, 4) and class values (1, N, classes): DETR, RT-DETR, PP-YOLOE, YOLO-NAS."""
    three = [output for output in outputs if len(output.shape) == 3 and output.shape[0] == 1]
    if len(outputs) != 2 or len(three) != 2:
        return
    for boxes, values in ((three[0], three[1]), (three[1], three[0])):
        count = boxes.shape[1]
        if boxes.shape[2] != 4 or count not in values.shape[1:] or "score" in boxes.name or "logit" in boxes.name:
            continue
        columns = values.shape[1] if values.shape[2] == count and values.shape[1] != count else values.shape[2]
        names = (values.name, boxes.name)
        if count in [cell_count(known.width, known.height, strides) for strides in STRIDES]:
            yield from _dense_pair(boxes, values, columns, names, known)
        else:
            yield from _queries(boxes, values, columns, names, known)


def _dense_pair(boxes: Output, values: Output, columns: int, names: tuple[str, str], known: Known) -> Iterator[Reading]:
    strides = next(s for s in STRIDES if cell_count(known.width, known.height, s) == boxes.shape[1])
    order, units = box_kind(boxes.values[0], known.width, known.height, strides, 1)
    activation = "none" if _is_share(values.values) else "sigmoid"
    options = {"activation": activation, "box": order or "xyxy", "units": units or "pixels", "overlap": 0.7}
    why = f"a box and {columns} scores for each cell of the strides {list(strides)}"
    yield Reading("detr", "plain", columns, why, options, outputs=names, sure=bool(order))


def _queries(boxes: Output, values: Output, columns: int, names: tuple[str, str], known: Known) -> Iterator[Reading]:
    """Each query's values may be logits of independent classes, or have a last one for "no object"."""
    units = _units(boxes.values[0])
    common = {"box": "cxcywh" if units == "normalised" else "xyxy", "units": units}
    shown = f"{boxes.shape[1]} queries of {columns} values and a box"
    finished = _is_share(values.values)
    sums_to_one = finished and bool(np.allclose(values.values[0].sum(axis=-1), 1, atol=1e-3))
    if not sums_to_one and known.nothing is not True:
        options = {"activation": "none" if finished else "sigmoid", "nothing": False, **common}
        yield Reading("detr", "rtdetr", columns, shown, options, outputs=names, sure=columns == 80)
    if columns > 1 and (sums_to_one or not finished) and known.nothing is not False:
        options = {"activation": "none" if finished else "softmax", "nothing": True, **common}
        sure = sums_to_one or columns == 92
        yield Reading("detr", "detr", columns - 1, shown, options, outputs=names, sure=sure)


def _is_table(output: Output, widths: Sequence[int]) -> bool:
    shape = output.shape
    if not (len(shape) in (2, 3) and shape[-1] in widths and (len(shape) == 2 or shape[0] == 1)):
        return False
    return shape[-2] <= _MOST_ROWS


def _is_share(values: NDArray[Any]) -> bool:
    return bool(np.all((values >= -1e-3) & (values <= 1.001)))


def _is_whole(values: NDArray[Any]) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(values == np.round(values)))


def _units(boxes: NDArray[Any]) -> str:
    """Boxes of a trial that are not all zero and nowhere beyond 2 are shares of the input."""
    sizes = np.abs(boxes[np.isfinite(boxes)])
    return "normalised" if sizes.any() and sizes.max() <= 2 else "pixels"
