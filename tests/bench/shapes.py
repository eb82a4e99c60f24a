"""A network of YOLOv8n's shape with random weights: what it finds means nothing, what it costs is the same.

Layer by layer after the published description (Jocher et al., Ultralytics YOLOv8, 2023; width 0.25, depth 0.33): 3.2
million weights and 8.7 billion operations for a picture of 640 x 640. The weights are drawn so that values neither grow
nor fade, and the scores are moved so that some twenty of the 8400 places reach the threshold, as in a pen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 640
CLASSES = 80
BINS = 16
PLACES_FOUND = 20


class _Graph:
    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(seed)
        self._count = 0

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        self._count += 1
        names = [f"{kind}{self._count}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def keep(self, values: np.ndarray) -> str:
        self._count += 1
        name = f"weight{self._count}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def plain(self, x: str, into: int, out: int, size: int = 1, step: int = 1, gain: float = 1.0) -> str:
        spread = gain / np.sqrt(into * size * size)
        weights = self._random.normal(0, spread, (out, into, size, size)).astype(np.float32)
        bias = self._random.normal(0, 0.1, out).astype(np.float32)
        pads = [size // 2] * 4
        shape = {"kernel_shape": [size, size], "strides": [step, step], "pads": pads}
        return self.add("Conv", x, self.keep(weights), self.keep(bias), **shape)[0]

    def conv(self, x: str, into: int, out: int, size: int = 1, step: int = 1) -> str:
        """With SiLU, which halves what is negative: 1.7 keeps the spread."""
        y = self.plain(x, into, out, size, step, 1.7)
        return self.add("Mul", y, self.add("Sigmoid", y)[0])[0]

    def c2f(self, x: str, into: int, out: int, repeats: int, *, shortcut: bool) -> str:
        half = out // 2
        parts = self.add("Split", self.conv(x, into, out), outputs=2, axis=1, num_outputs=2)
        for _ in range(repeats):
            y = self.conv(self.conv(parts[-1], half, half, 3), half, half, 3)
            parts.append(self.add("Add", parts[-1], y)[0] if shortcut else y)
        return self.conv(self.add("Concat", *parts, axis=1)[0], (2 + repeats) * half, out)

    def pooled(self, x: str, channels: int) -> str:
        parts = [self.conv(x, channels, channels // 2)]
        for _ in range(3):
            parts += self.add("MaxPool", parts[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4)
        return self.conv(self.add("Concat", *parts, axis=1)[0], channels * 2, channels)

    def doubled(self, x: str) -> str:
        factors = self.keep(np.array([1, 1, 2, 2], np.float32))
        return self.add("Resize", x, "", factors, mode="nearest", coordinate_transformation_mode="asymmetric")[0]

    def joined(self, *parts: str) -> str:
        return self.add("Concat", *parts, axis=1)[0]


def yolov8n(path: Path, picture: np.ndarray) -> None:
    """Writes the model: images (1, 3, 640, 640) to output0 (1, 84, 8400). `picture` (1, 3, 640, 640), 0..1, is what the
    scores are set by.
    """
    import onnxruntime

    probe, logits_name = _model(0.0)
    probe.graph.output.append(helper.make_tensor_value_info(logits_name, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    best = np.sort(session.run([logits_name], {"images": picture})[0][0].max(0))
    # So that about so many places reach 0.3, whose logit is -0.85.
    onnx.save(_model(float(-0.85 - best[-PLACES_FOUND]))[0], path)


def _model(shift: float) -> tuple[onnx.ModelProto, str]:
    """Also the name of the scores before the logistic function."""
    g = _Graph(8)
    x = g.conv("images", 3, 16, 3, 2)
    x = g.c2f(g.conv(x, 16, 32, 3, 2), 32, 32, 1, shortcut=True)
    third = g.c2f(g.conv(x, 32, 64, 3, 2), 64, 64, 2, shortcut=True)
    fourth = g.c2f(g.conv(third, 64, 128, 3, 2), 128, 128, 2, shortcut=True)
    fifth = g.pooled(g.c2f(g.conv(fourth, 128, 256, 3, 2), 256, 256, 1, shortcut=True), 256)
    up = g.c2f(g.joined(g.doubled(fifth), fourth), 384, 128, 1, shortcut=False)
    small = g.c2f(g.joined(g.doubled(up), third), 192, 64, 1, shortcut=False)
    middle = g.c2f(g.joined(g.conv(small, 64, 64, 3, 2), up), 192, 128, 1, shortcut=False)
    large = g.c2f(g.joined(g.conv(middle, 128, 128, 3, 2), fifth), 384, 256, 1, shortcut=False)
    boxes, scores = zip(*(_head(g, x, into) for x, into in ((small, 64), (middle, 128), (large, 256))), strict=True)
    distances = _distances(g, g.add("Concat", *boxes, axis=2)[0])
    moved = g.add("Add", g.add("Concat", *scores, axis=2)[0], g.keep(np.array([shift], np.float32)))[0]
    out = g.add("Concat", _placed(g, distances), g.add("Sigmoid", moved)[0], axis=1)[0]
    g.nodes.append(helper.make_node("Identity", [out], ["output0"]))
    graph = helper.make_graph(
        g.nodes,
        "yolov8n-shaped",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + CLASSES, 8400])],
        g.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), moved


def _head(g: _Graph, x: str, into: int) -> tuple[str, str]:
    """(1, 4 * bins, places) and (1, classes, places)."""
    box = g.plain(g.conv(g.conv(x, into, 64, 3), 64, 64, 3), 64, 4 * BINS)
    score = g.plain(g.conv(g.conv(x, into, CLASSES, 3), CLASSES, CLASSES, 3), CLASSES, CLASSES)
    return tuple(
        g.add("Reshape", y, g.keep(np.array([1, channels, -1], np.int64)))[0]
        for y, channels in ((box, 4 * BINS), (score, CLASSES))
    )  # type: ignore[return-value]


def _distances(g: _Graph, x: str) -> str:
    """(1, 4, places): the mean of each distribution over its bins."""
    bins = g.add("Reshape", x, g.keep(np.array([1, 4, BINS, -1], np.int64)))[0]
    shares = g.add("Softmax", g.add("Transpose", bins, perm=[0, 2, 1, 3])[0], axis=1)[0]
    weights = g.keep(np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1))
    y = g.add("Conv", shares, weights, kernel_shape=[1, 1])[0]
    return g.add("Reshape", y, g.keep(np.array([1, 4, -1], np.int64)))[0]


def _placed(g: _Graph, distances: str) -> str:
    """(1, 4, places) centre and size in pixels."""
    points, steps = [], []
    for step in (8, 16, 32):
        down, across = np.divmod(np.arange((SIDE // step) ** 2), SIDE // step)
        points.append(np.stack([across, down]) + 0.5)
        steps.append(np.full((1, len(down)), step))
    middle = g.keep(np.concatenate(points, 1)[None].astype(np.float32))
    begin, end = g.add("Split", distances, outputs=2, axis=1, num_outputs=2)
    first, last = g.add("Sub", middle, begin)[0], g.add("Add", middle, end)[0]
    centre = g.add("Mul", g.add("Add", first, last)[0], g.keep(np.array([0.5], np.float32)))[0]
    both = g.add("Concat", centre, g.add("Sub", last, first)[0], axis=1)[0]
    return g.add("Mul", both, g.keep(np.concatenate(steps, 1)[None].astype(np.float32)))[0]
