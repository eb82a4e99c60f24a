"""Which formats the outputs of a network can be read in: candidates with reasons, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.errors import InvalidArgument
from agent.models.box_kind import box_kind, cell_count
from agent.models.conclusions import ask

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
_MOST_FINISHED = 5000


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the network in a trial run."""

    name: str
    values: NDArray[Any]
    joins: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Length of a side -> the widths that the graph puts side by side to make it, where that is known."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape)

    def parts(self, channels: int) -> tuple[int, ...]:
        """The widths that make so many channels; empty: not known."""
        return self.joins.get(channels, ())


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the outputs."""

    width: int
    height: int
    classes: int = 0
    """0: not known."""
    extra: int = 0
    """Values after the classes that are passed over (mask coefficients, key points)."""
    further_inputs: tuple[str, ...] = ()
    decoded: bool | None = None
    """What the user says of YOLOX."""
    nothing: bool | None = None
    """What the user says of queries: whether they have a value for "no object"."""
    first_class: int | None = None
    """What the user says of finished objects: the number of the first class."""
    anchors: str | Sequence[Any] = ""
    """Whose anchors the user says undecoded heads have, or a list a stride."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the outputs."""

    format: str
    family: str
    """Whose habits of feeding pictures are likely: see families.py."""
    classes: int
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    sure: bool = False
    """The graph itself shows it."""
    missing: str = ""
    """What the user must say first: a sentence."""


Finder = Callable[[Sequence[Output], Known], Iterator[Reading]]


def choose(outputs: Sequence[Output], known: Known, finders: Sequence[Finder], wanted: str = "") -> Reading:
    """The one reading that is left; `wanted`: the format that the user set.

    Raises InvalidArgument: MODEL_UNCLEAR where there are several, MODEL_INVALID where there is none.
    """
    found = [reading for finder in finders for reading in finder(outputs, known)]
    found = [reading for reading in found if wanted in ("", reading.format)]
    fitting = [reading for reading in found if known.classes in (0, reading.classes) or not reading.classes]
    best = [reading for reading in fitting if reading.sure] or fitting
    shapes = ", ".join(f"{output.name} {'x'.join(map(str, output.shape))}" for output in outputs)
    if not found:
        asked = f"as {wanted}" if wanted else "in any format known here; export it with its boxes decoded"
        raise InvalidArgument("MODEL_INVALID", f"its outputs ({shapes}) cannot be read {asked}")
    if not fitting:
        counts = " or ".join(sorted({f"{one.classes} as {one.format}" for one in found}))
        why = f"{known.classes} labels are known, the outputs ({shapes}) have {counts}"
        raise InvalidArgument("LABELS_MISMATCH", f"{why}; give as many --labels, in order")
    if len(best) > 1:
        raise _unclear(best, shapes, known)
    if best[0].missing:
        raise InvalidArgument("MODEL_UNCLEAR", f"its outputs ({shapes}) are {best[0].why}: {best[0].missing}")
    return best[0]


def _unclear(best: Sequence[Reading], shapes: str, known: Known) -> InvalidArgument:
    counted = ", ".join(f"{one.format} with {one.classes} classes" for one in best)
    hint = "" if known.classes else "; --labels with the names of the classes settles it too"
    key, choices = "format", sorted({one.format for one in best})
    if len(choices) == 1 and len({one.options.get("nothing") for one in best}) > 1:
        key, choices = "nothing", ["false", "true"]
    elif len(choices) == 1 and len({one.options.get("first_class") for one in best}) > 1:
        key, choices, hint = "first_class", ["0", "1"], "; torchvision's own networks count from 1"
        counted = " or ".join(one.why for one in best)
    error = ask(key, choices, f"its outputs ({shapes}) may be {counted}")
    return InvalidArgument(error.reason, error.message + hint)


def dense(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """One output with a row a cell: YOLOv5, YOLOv8, YOLOX, NanoDet and their like."""
    three = [output for output in outputs if len(output.shape) == 3 and output.shape[0] == 1]
    prototypes = [output.shape[1] for output in outputs if len(output.shape) == 4]
    if len(three) != 1 or len(outputs) - 1 > sum(len(output.shape) > 3 for output in outputs):
        return
    extra = known.extra or (prototypes[0] if len(prototypes) == 1 and len(outputs) == 2 else 0)
    for transposed in (False, True):
        rows = three[0].values[0].T if transposed else three[0].values[0]
        for strides in STRIDES:
            for reading in _of_rows(rows, strides, three[0], replace(known, extra=extra)):
                if _is_score(rows, reading, extra) and not (transposed and reading.format in ("yolov5", "yolox")):
                    yield replace(reading, outputs=(three[0].name,))


def _of_rows(rows: NDArray[Any], strides: Sequence[int], output: Output, known: Known) -> Iterator[Reading]:
    """What (N, channels) may be where N is the number of cells of these strides, or of three anchors a cell."""
    count, channels = cell_count(known.width, known.height, strides), rows.shape[1]
    shown = f"{len(rows)} rows of {channels} are the cells of the strides {list(strides)}"
    if len(rows) == 3 * count and channels > 5:
        yield _yolov5(rows, strides, output, known, f"{shown} with 3 anchors")
    if len(rows) != count:
        return
    if channels > 4 + known.extra:
        yield _yolov8(rows, strides, output, known, shown)
    if channels > 5 and strides == STRIDES[0] and not known.extra:
        yield _yolox(rows, strides, output, known, shown)
    if strides in STRIDES[:2] and not known.extra:
        yield from _nanodet(channels, strides, output, known, shown)


def _yolov5(rows: NDArray[Any], strides: Sequence[int], output: Output, known: Known, shown: str) -> Reading:
    order, units = box_kind(rows, known.width, known.height, strides, 3)
    classes = rows.shape[1] - 5 - known.extra
    options = {"box": order or "cxcywh", "units": units or "pixels", "extra": known.extra}
    return Reading("yolov5", "ultralytics", classes, shown, options, sure=bool(order))


def _yolov8(rows: NDArray[Any], strides: Sequence[int], output: Output, known: Known, shown: str) -> Reading:
    order, units = box_kind(rows, known.width, known.height, strides, 1)
    classes = rows.shape[1] - 4 - known.extra
    options = {"box": order or "cxcywh", "units": units or "pixels", "extra": known.extra}
    parts = output.parts(rows.shape[1])
    sure = parts in ((4, classes), (4, classes, known.extra), (4, classes + known.extra))
    why = f"{shown}, which the graph joins of {_joined(parts)}" if sure else shown
    return Reading("yolov8", "ultralytics", classes, why, options, sure=sure)


def _yolox(rows: NDArray[Any], strides: Sequence[int], output: Output, known: Known, shown: str) -> Reading:
    order, _ = box_kind(rows, known.width, known.height, strides, 1)
    classes = rows.shape[1] - 5
    decoded = bool(order) if known.decoded is None else known.decoded
    parts = output.parts(rows.shape[1])
    sure = parts in ((4, 1, classes), (2, 2, 1 + classes), (2, 2, 1, classes))
    joined = f", which the graph joins of {_joined(parts)}" if sure else ""
    placed = "lie in their cells" if order else "are small: not decoded in the graph"
    why = f"{shown}{joined}; the boxes' centres {placed}"
    return Reading("yolox", "yolox", classes, why, {"decoded": decoded, "strides": list(strides)}, sure=sure)


def _nanodet(channels: int, strides: Sequence[int], output: Output, known: Known, shown: str) -> Iterator[Reading]:
    plus = len(strides) == 4
    for bins in (8, 17):
        classes = channels - 4 * bins
        if classes < 1:
            continue
        parts = output.parts(channels)
        sure = parts == (classes, 4 * bins)
        why = f"{shown}, which the graph joins of {_joined(parts)}" if sure else shown
        options = {"strides": list(strides), "offset": 0.0 if plus else 0.5, "bins": bins}
        # Sixteen steps are rare: they are taken only where the graph or the number of classes says so.
        if sure or bins == 8 or classes == known.classes:
            yield Reading("nanodet", "nanodet", classes, why, options, sure=sure)


def _joined(parts: Sequence[int]) -> str:
    return " + ".join(map(str, parts))


def _is_score(rows: NDArray[Any], reading: Reading, extra: int) -> bool:
    """Whether what would be scores is 0..1."""
    first = {"yolov5": 4, "yolox": 4, "yolov8": 4, "nanodet": 0}[reading.format]
    end = reading.classes if reading.format == "nanodet" else rows.shape[1] - extra
    values = rows[:, first:end]
    return bool(values.size) and bool(np.all((values >= -1e-3) & (values <= 1.001)))


def queries_in_one(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """One output (1, queries, 4 + classes), boxes of 0..1: RT-DETR as Ultralytics exports it."""
    if len(outputs) != 1 or len(outputs[0].shape) != 3 or outputs[0].shape[1] > _MOST_FINISHED:
        return
    classes = outputs[0].shape[2] - 4
    sure = outputs[0].parts(4 + classes) == (4, classes)
    counts = [cell_count(known.width, known.height, strides) for strides in STRIDES]
    if classes >= 1 and outputs[0].shape[1] not in counts and (sure or classes == known.classes):
        options = {"box": "cxcywh", "units": "normalised", "overlap": 1.0}
        why = f"{outputs[0].shape[1]} queries of 4 + {classes}"
        if _is_score(outputs[0].values[0], Reading("yolov8", "", classes, ""), 0):
            yield Reading("yolov8", "rtdetr", classes, why, options, sure=True)


def maps(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """Outputs (1, channels, rows, columns): FastestDet, YOLOX with an output a stride."""
    if not outputs or any(len(output.shape) != 4 or output.shape[0] != 1 for output in outputs):
        return
    channels = {output.shape[1] for output in outputs}
    classes = min(channels) - 5
    if len(channels) != 1 or classes < 1:
        return
    if len(outputs) == 1:
        values = outputs[0].values[0]
        sure = outputs[0].parts(5 + classes) == (1, 4, classes)
        if sure or _is_score(values.reshape(len(values), -1)[[0, *range(5, len(values))]].T, _ALL, 0):
            why = f"one map of {1 + 4 + classes} channels" + (", joined of 1 + 4 + classes" if sure else "")
            yield Reading("fastestdet", "fastestdet", classes, why, sure=sure)
        return
    cells = sorted((output.shape[2] * output.shape[3] for output in outputs), reverse=True)
    if sum(cells) == cell_count(known.width, known.height, STRIDES[0]) and len(cells) == 3:
        ordered = tuple(one.name for one in sorted(outputs, key=lambda one: -one.shape[2] * one.shape[3]))
        sure = all(output.parts(5 + classes) == (4, 1, classes) for output in outputs)
        scores = all(_is_score(one.values.reshape(classes + 5, -1)[4:].T, _ALL, 0) for one in outputs)
        # Its sizes are logarithms: where they are all 0..1 too, a logistic function went over everything.
        if scores and not all(_is_score(one.values.reshape(classes + 5, -1).T, _ALL, 0) for one in outputs):
            why = f"three maps of 4 + 1 + {classes} channels at the strides 8, 16, 32"
            yield Reading("yolox", "yolox", classes, why, {"decoded": False}, outputs=ordered, sure=sure)


_ALL = Reading("nanodet", "", 1 << 20, "")


def maps_of_two(outputs: Sequence[Output], known: Known) -> Iterator[Reading]:
    """Two outputs a stride, scores and distributions: NanoDet's forerunner, PicoDet."""
    if len(outputs) < 4 or len(outputs) % 2 or any(output.shape[:1] != (1,) for output in outputs):
        return
    sized = sorted(outputs, key=lambda one: (-_cells(one)[0], one.name))
    pairs = list(zip(sized[::2], sized[1::2], strict=True))
    for bins in (8, 17):
        for strides in STRIDES[:2]:
            if len(pairs) != len(strides) or any(_cells(a)[0] != _cells(b)[0] for a, b in pairs):
                continue
            count = sum(_cells(pair[0])[0] for pair in pairs)
            split = [sorted(pair, key=lambda one: _cells(one)[1] == 4 * bins) for pair in pairs]
            edges, widths = {_cells(pair[1])[1] for pair in split}, {_cells(pair[0])[1] for pair in split}
            if count == cell_count(known.width, known.height, strides) and edges == {4 * bins} and len(widths) == 1:
                names = (*(pair[0].name for pair in split), *(pair[1].name for pair in split))
                options = {"strides": list(strides), "offset": 0.5, "bins": bins}
                why = f"a pair of outputs for each of the strides {list(strides)}"
                yield Reading("nanodet", "nanodet", widths.pop(), why, options, outputs=names, sure=True)


def _cells(output: Output) -> tuple[int, int]:
    """Number of cells and of channels: (1, N, channels) or (1, channels, rows, columns)."""
    if len(output.shape) == 4:
        return output.shape[2] * output.shape[3], output.shape[1]
    return (output.shape[1], output.shape[2]) if len(output.shape) == 3 else (0, 0)
