"""Small graphs with the output layouts of the detectors' exporters, in which known objects are planted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

WIDTH, HEIGHT = 128, 96
CLASSES = 3
STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Planted:
    """An object: class, score, left, top, right, bottom in pixels of the input."""

    label: int
    score: float
    box: tuple[float, float, float, float]

    @property
    def cxcywh(self) -> np.ndarray:
        left, top, right, bottom = self.box
        return np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])


OBJECTS = (Planted(0, 0.9, (10, 12, 50, 60)), Planted(2, 0.7, (60, 30, 117, 90)), Planted(1, 0.6, (70, 4, 100, 24)))


@dataclass
class Drawing:
    """A graph that is drawn node by node; every value hangs on the picture, so that nothing is folded away."""

    dtype: int = TensorProto.FLOAT
    layout: str = "NCHW"
    free: bool = False
    batch: int = 1
    """Pictures at once; 0: free."""
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    outputs: list[tuple[str, np.ndarray | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        sides: list[Any] = ["height", "width"] if self.free else [HEIGHT, WIDTH]
        shape = [
            "batch" if self.free or not self.batch else self.batch,
            *([3, *sides] if self.layout == "NCHW" else [*sides, 3]),
        ]
        self.inputs.append(helper.make_tensor_value_info("images", self.dtype, shape))
        image = self.node("Cast", ["images"], to=TensorProto.FLOAT)
        image = image if self.layout == "NCHW" else self.node("Transpose", [image], perm=[0, 3, 1, 2])
        seen = self.node("Conv", [image, self.constant(np.full((1, 3, 1, 1), 0.1, np.float32))])
        if self.batch == 1:
            mean = self.node("ReduceMean", [seen], axes=[0, 1, 2, 3], keepdims=0)
        else:
            # One number a picture; values of three dimensions are then as many as there are pictures.
            mean = self.node("Squeeze", [self.node("ReduceMean", [seen], axes=[1, 2, 3]), self.constant(np.array([3]))])
        self.zero = self.node("Mul", [mean, self.constant(np.float32(0))])

    def node(self, operator: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        name = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def value(self, values: np.ndarray) -> str:
        """An array that the network seems to compute."""
        return self.node("Add", [self.constant(np.asarray(values, np.float32)), self.zero])

    def output(self, value: str, name: str, kind: int = TensorProto.FLOAT) -> None:
        self.node("Cast", [value], name, to=kind)
        self.outputs.append((name, kind))

    def save(self, path: Path, metadata: dict[str, str] | None = None) -> Path:
        outputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in self.outputs]
        graph = helper.make_graph(self.nodes, "planted", self.inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, metadata or {})
        path.write_bytes(model.SerializeToString())
        return path


def logit(share: float | np.ndarray) -> np.ndarray:
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(share / (1 - share))


def cells(stride: int) -> tuple[int, int]:
    """Columns, rows."""
    return -(-WIDTH // stride), -(-HEIGHT // stride)


def middle_of(one: Planted, stride: int) -> tuple[int, int]:
    """Column, row of the cell that holds the object's centre."""
    return int(one.cxcywh[0] // stride), int(one.cxcywh[1] // stride)


def decoded_cells(strides: Sequence[int] = STRIDES, anchors: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) decoded boxes and (N, classes) scores; the objects are on the first stride."""
    rng = np.random.default_rng(4)
    boxes, scores = [], []
    for stride in strides:
        columns, rows = cells(stride)
        down, across = np.divmod(np.arange(columns * rows), columns)
        middles = (np.stack([across, down], 1) + rng.uniform(0.3, 0.7, (columns * rows, 2))) * stride
        boxes += [np.concatenate([middles, rng.uniform(0.8, 2, middles.shape) * stride], 1)] * anchors
        scores += [np.full((columns * rows, CLASSES), 1e-4)] * anchors
    boxes, scores = np.concatenate(boxes), np.concatenate(scores)
    for one in OBJECTS:
        column, row = middle_of(one, strides[0])
        place = row * cells(strides[0])[0] + column
        boxes[place], scores[place, one.label] = one.cxcywh, one.score
    return boxes, scores


def corners(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)


def middles(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1)


def yolov8(
    drawing: Drawing,
    *,
    transposed: bool = False,
    extra: int = 0,
    masks: bool = True,
    order: str = "cxcywh",
    normalised: bool = False,
) -> Drawing:
    boxes, scores = decoded_cells()
    boxes = corners(boxes) if order == "xyxy" else boxes
    boxes = boxes / [WIDTH, HEIGHT, WIDTH, HEIGHT] if normalised else boxes
    likely = drawing.node("Sigmoid", [drawing.value(logit(scores).T[None])])
    parts = [drawing.value(boxes.T[None]), likely]
    if extra:
        parts.append(drawing.value(np.random.default_rng(1).normal(0, 2, (1, extra, len(boxes)))))
    joined = drawing.node("Concat", parts, axis=1)
    if transposed:
        joined = drawing.node("Transpose", [joined], perm=[0, 2, 1])
    drawing.output(joined, "output0")
    if extra and masks:
        drawing.output(drawing.value(np.zeros((1, extra, HEIGHT // 4, WIDTH // 4))), "output1")
    return drawing


def yolov5(drawing: Drawing, *, raw_too: bool = False) -> Drawing:
    boxes, scores = decoded_cells(anchors=3)
    objectness = np.full((len(boxes), 1), 1e-4)
    objectness[scores.max(axis=1) > 0.1] = 0.95
    shares = np.concatenate([objectness, np.where(scores > 0.1, scores / 0.95, scores)], 1)
    values = [drawing.value(part[None]) for part in (boxes[:, :2], boxes[:, 2:])]
    joined = drawing.node("Concat", [*values, drawing.node("Sigmoid", [drawing.value(logit(shares)[None])])], axis=2)
    drawing.output(joined, "output0")
    if raw_too:
        for stride in STRIDES:
            columns, rows = cells(stride)
            drawing.output(drawing.value(np.zeros((1, 3, rows, columns, 5 + CLASSES))), f"raw{stride}")
    return drawing


def yolox(drawing: Drawing, *, decoded: bool = False, maps: bool = False) -> Drawing:
    rng, levels = np.random.default_rng(2), []
    for stride in STRIDES:
        columns, rows = cells(stride)
        place = np.concatenate([rng.uniform(0, 1, (2, rows, columns)), rng.normal(0, 0.3, (2, rows, columns))])
        objectness, likely = np.full((1, rows, columns), 1e-4), np.full((CLASSES, rows, columns), 1e-4)
        for one in OBJECTS if stride == STRIDES[0] else ():
            column, row = middle_of(one, stride)
            place[:2, row, column] = one.cxcywh[:2] / stride - [column, row]
            place[2:, row, column] = np.log(one.cxcywh[2:] / stride)
            objectness[0, row, column], likely[one.label, row, column] = 0.95, one.score / 0.95
        if decoded:
            grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)))
            place = np.concatenate([(place[:2] + grid) * stride, np.exp(place[2:]) * stride])
        shares = [drawing.node("Sigmoid", [drawing.value(logit(part)[None])]) for part in (objectness, likely)]
        level = drawing.node("Concat", [drawing.value(place[None]), *shares], axis=1)
        if maps:
            drawing.output(level, f"stride{stride}")
        else:
            shape = drawing.constant(np.array([1, 5 + CLASSES, -1], np.int64))
            levels.append(drawing.node("Reshape", [level, shape]))
    if not maps:
        joined = drawing.node("Concat", levels, axis=2)
        drawing.output(drawing.node("Transpose", [joined], perm=[0, 2, 1]), "output")
    return drawing


def nanodet(drawing: Drawing, *, plus: bool = True, pairs: bool = False, bins: int = 8) -> Drawing:
    strides, offset = ((8, 16, 32, 64), 0.0) if plus and not pairs else (STRIDES, 0.5)
    levels = []
    for stride in strides:
        columns, rows = cells(stride)
        likely, spread = np.full((rows * columns, CLASSES), 1e-4), np.zeros((rows * columns, 4, bins))
        for one in OBJECTS if stride == strides[0] else ():
            column, row = middle_of(one, stride)
            point, box = (np.array([column, row]) + offset) * stride, np.array(one.box)
            likely[row * columns + column, one.label] = one.score
            for edge, distance in enumerate([*(point - box[:2]), *(box[2:] - point)]):
                low = min(int(distance / stride), bins - 2)
                share = np.full(bins, 1e-9)
                share[low : low + 2] = [1 - (distance / stride - low), distance / stride - low]
                spread[row * columns + column, edge] = np.log(np.clip(share, 1e-9, 1))
        scores = drawing.node("Sigmoid", [drawing.value(logit(likely).T[None])])
        edges = drawing.value(spread.reshape(-1, 4 * bins).T[None])
        if pairs:
            drawing.output(drawing.node("Transpose", [scores], perm=[0, 2, 1]), f"cls_pred_stride_{stride}")
            drawing.output(drawing.node("Transpose", [edges], perm=[0, 2, 1]), f"dis_pred_stride_{stride}")
        else:
            levels.append(drawing.node("Concat", [scores, edges], axis=1))
    if not pairs:
        joined = drawing.node("Concat", levels, axis=2)
        drawing.output(drawing.node("Transpose", [joined], perm=[0, 2, 1]), "output")
    return drawing


def fastestdet(drawing: Drawing) -> Drawing:
    columns, rows = cells(16)
    objectness, place = np.full((1, rows, columns), 1e-4), np.zeros((4, rows, columns))
    likely = np.zeros((CLASSES, rows, columns))
    for one in OBJECTS:
        column, row = middle_of(one, 16)
        share = 0.9
        objectness[0, row, column] = (one.score / share**0.4) ** (1 / 0.6)
        likely[:, row, column] = np.log((1 - share) / (CLASSES - 1))
        likely[one.label, row, column] = np.log(share)
        place[:2, row, column] = np.arctanh(one.cxcywh[:2] / 16 - [column, row])
        place[2:, row, column] = logit(one.cxcywh[2:] / [WIDTH, HEIGHT])
    shares = drawing.node("Sigmoid", [drawing.value(logit(objectness)[None])])
    last = drawing.node("Transpose", [drawing.value(likely[None])], perm=[0, 2, 3, 1])
    classes = drawing.node("Transpose", [drawing.node("Softmax", [last], axis=3)], perm=[0, 3, 1, 2])
    drawing.output(drawing.node("Concat", [shares, drawing.value(place[None]), classes], axis=1), "758")
    return drawing


def finished(count: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 4) corners, (N,) scores, (N,) classes; what fills up scores little."""
    rng = np.random.default_rng(6)
    boxes = corners(np.concatenate([rng.uniform(30, 60, (count, 2)), rng.uniform(9, 20, (count, 2))], 1))
    scores, labels = np.full(count, 0.01), rng.integers(0, CLASSES, count).astype(float)
    for place, one in enumerate(OBJECTS):
        boxes[place], scores[place], labels[place] = one.box, one.score, one.label
    return boxes, scores, labels


def six(
    drawing: Drawing, *, class_first: bool = False, middle: bool = False, extra: int = 0, masks: bool = False
) -> Drawing:
    boxes, scores, labels = finished(300)
    if middle:
        boxes = middles(boxes) / ([WIDTH, HEIGHT] * 2)
    columns = [labels[:, None], scores[:, None], boxes] if class_first else [boxes, scores[:, None], labels[:, None]]
    columns.append(np.random.default_rng(1).normal(0, 2, (300, extra)))
    drawing.output(drawing.value(np.concatenate(columns, 1)[None]), "output0")
    if masks:
        drawing.output(drawing.value(np.zeros((1, extra, HEIGHT // 4, WIDTH // 4))), "output1")
    return drawing


def six_of_nothing(drawing: Drawing, *, extra: int = 0, masks: bool = False) -> Drawing:
    """As Ultralytics exports with NMS inside: a picture without objects gives rows of zeros."""
    drawing.output(drawing.value(np.zeros((1, 300, 6 + extra))), "output0")
    if masks:
        drawing.output(drawing.value(np.zeros((1, extra, HEIGHT // 4, WIDTH // 4))), "output1")
    return drawing


def raw_heads(drawing: Drawing, *, channels_last: bool = True, logistic: bool = True) -> Drawing:
    """YOLOv5's heads before they are decoded, with its own anchors; the objects are on the first stride."""
    anchors = {8: ((10, 13), (16, 30), (33, 23)), 16: ((30, 61), (62, 45), (59, 119)), 32: ((116, 90),) * 3}
    for stride in STRIDES:
        columns, rows = cells(stride)
        shares = np.full((3, rows, columns, 5 + CLASSES), 1e-4)
        shares[..., :4] = np.random.default_rng(stride).uniform(0.1, 0.9, (3, rows, columns, 4))
        for one in OBJECTS if stride == STRIDES[0] else ():
            (column, row), (wide, high) = middle_of(one, stride), anchors[stride][1]
            at = shares[1, row, column]
            at[:2] = (one.cxcywh[:2] / stride - [column, row] + 0.5) / 2
            at[2:4] = np.sqrt(one.cxcywh[2:] / [wide, high]) / 2
            at[4], at[5 + one.label] = 0.95, one.score / 0.95
        values = logit(shares) if logistic else shares
        if not channels_last:
            values = values.transpose(0, 3, 1, 2).reshape(-1, rows, columns)
        drawing.output(drawing.value(values[None]), f"raw{stride}")
    return drawing


def seven(drawing: Drawing) -> Drawing:
    boxes, scores, labels = finished(9)
    columns = [np.zeros((9, 1)), boxes, labels[:, None], scores[:, None]]
    drawing.output(drawing.value(np.concatenate(columns, 1)), "output")
    return drawing


def counted(drawing: Drawing) -> Drawing:
    """As TensorRT's efficient NMS: what lies behind the count is rubbish."""
    boxes, scores, labels = finished(20)
    scores[3:], boxes[3:] = 0.99, 7.0
    drawing.output(drawing.value(np.array([[3.0]])), "num_dets", TensorProto.INT32)
    drawing.output(drawing.value(boxes[None]), "det_boxes")
    drawing.output(drawing.value(scores[None]), "det_scores")
    drawing.output(drawing.value(labels[None]), "det_classes", TensorProto.INT32)
    return drawing


def dets_and_labels(drawing: Drawing) -> Drawing:
    boxes, scores, labels = finished(20)
    drawing.output(drawing.value(np.concatenate([boxes, scores[:, None]], 1)[None]), "dets")
    drawing.output(drawing.value(labels[None]), "labels", TensorProto.INT64)
    return drawing


def torchvision(drawing: Drawing, *, first_class: int = 0, count: int = 12) -> Drawing:
    boxes, scores, labels = (part[:count] for part in finished(12))
    labels = labels + first_class
    drawing.output(drawing.value(boxes), "boxes")
    drawing.output(drawing.value(labels), "labels", TensorProto.INT64)
    drawing.output(drawing.value(scores), "scores")
    return drawing


def rtdetr_with_sizes(drawing: Drawing) -> Drawing:
    """The graph itself multiplies boxes of 0..1 by the sizes that it is told."""
    boxes, scores, labels = finished(30)
    drawing.inputs.append(
        helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["batch" if drawing.free else 1, 2])
    )
    sizes = drawing.node("Cast", ["orig_target_sizes"], to=TensorProto.FLOAT)
    twice = drawing.node("Concat", [sizes, sizes], axis=1)
    drawing.output(drawing.value(labels[None]), "labels", TensorProto.INT64)
    drawing.output(drawing.node("Mul", [drawing.value(boxes[None] / ([WIDTH, HEIGHT] * 2)), twice]), "boxes")
    drawing.output(drawing.value(scores[None]), "scores")
    return drawing


def queries(drawing: Drawing, *, nothing: bool = False) -> Drawing:
    boxes, scores, labels = finished(40)
    shares = np.full((40, CLASSES + nothing), 1e-4)
    shares[np.arange(40), labels.astype(int)] = scores
    if nothing:
        shares[:, -1] = 1 - shares[:, :-1].sum(axis=1)
    values = np.log(shares) + 3 if nothing else logit(shares)
    drawing.output(drawing.value(values[None]), "logits" if nothing else "pred_logits")
    drawing.output(drawing.value(middles(boxes)[None] / ([WIDTH, HEIGHT] * 2)), "pred_boxes")
    return drawing


def queries_in_one(drawing: Drawing) -> Drawing:
    boxes, scores, labels = finished(40)
    shares = np.full((40, CLASSES), 1e-4)
    shares[np.arange(40), labels.astype(int)] = scores
    parts = [drawing.value(middles(boxes)[None] / ([WIDTH, HEIGHT] * 2)), drawing.value(shares[None])]
    drawing.output(drawing.node("Concat", parts, axis=2), "output0")
    return drawing


def boxes_and_scores(drawing: Drawing) -> Drawing:
    """A box and scores a cell, side by side: YOLO-NAS."""
    boxes, scores = decoded_cells()
    drawing.output(drawing.value(corners(boxes)[None]), "graph2_boxes")
    drawing.output(drawing.node("Sigmoid", [drawing.value(logit(scores)[None])]), "graph2_scores")
    return drawing


Draw = Callable[[Drawing], Drawing]
