"""Darknet's layers as ONNX: one function a layer type, and the graph that they build."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent.models.darknet_files import Section, Weights

if TYPE_CHECKING:
    import onnx

# Darknet adds it to the variance before the root. (OpenCV takes 1e-6: it differs where a variance is tiny.)
_BATCH_NORM_EPSILON = 1e-5
_MAX_CHANNELS = 65_536
_MAX_VALUES = 1 << 28
# What would change the result and is not known here; each is 0 where it is not set.
_UNSUPPORTED: Mapping[str, Sequence[str]] = {
    "convolutional": (
        "antialiasing",
        "binary",
        "xnor",
        "share_index",
        "deform",
        "assisted_excitation",
        "rotate",
        "stretch",
    ),
    "maxpool": ("antialiasing", "maxpool_depth"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """What a layer puts out: a value of the graph and its shape."""

    name: str
    channels: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class YoloHead:
    """One [yolo] layer: the value it would decode, and how."""

    value: Value
    classes: int
    anchors: tuple[tuple[float, float], ...]
    scale_x_y: float
    new_coords: bool


class Graph:
    """The network so far."""

    def __init__(self, channels: int, height: int, width: int, weights: Weights) -> None:
        self.input = Value("image", channels, height, width)
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.layers: list[Value] = []
        self.heads: list[YoloHead] = []

    @property
    def last(self) -> Value:
        """What the next layer reads."""
        return self.layers[-1] if self.layers else self.input

    def layer(self, section: Section, number: int) -> Value:
        """The layer that a route or shortcut names: counted back where negative, else from the beginning."""
        index = number if number >= 0 else len(self.layers) + number
        if not 0 <= index < len(self.layers):
            raise section.error(f"there is no layer {number} before it")
        return self.layers[index]

    def add(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Adds a node; returns the name of its output."""
        from onnx import helper

        name = f"layer{len(self.layers)}_{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Adds an array; returns its name."""
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def add_layer(graph: Graph, section: Section) -> None:
    """Adds one layer of a .cfg. Raises InvalidArgument (MODEL_INVALID) naming the layer."""
    build = LAYERS.get(section.kind)
    if build is None:
        raise section.error(f"this layer type is not known; known: {', '.join(sorted(LAYERS))}")
    for key in _UNSUPPORTED.get(section.kind, ()):
        if section.integer(key, 0):
            raise section.error(f"{key} is not supported")
    graph.layers.append(build(graph, section))


def _convolutional(graph: Graph, section: Section) -> Value:
    before = graph.last
    filters, size = _positive(section, "filters", 1, _MAX_CHANNELS), _positive(section, "size", 1)
    groups = _positive(section, "groups", 1)
    down, across = _strides(section)
    pad = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    if section.integer("dilation", 1) != 1:
        raise section.error("dilation is not supported")
    if before.channels % groups or filters % groups:
        raise section.error(f"{groups} groups do not divide {before.channels} channels and {filters} filters")
    kernel, bias = _kernel(graph, section, filters, (before.channels // groups, size, size))
    name = graph.add(
        "Conv",
        [before.name, graph.constant(kernel), graph.constant(bias)],
        kernel_shape=[size, size],
        strides=[down, across],
        pads=[pad] * 4,
        group=groups,
    )
    height, width = (before.height + 2 * pad - size) // down + 1, (before.width + 2 * pad - size) // across + 1
    return _shaped(section, _activated(graph, section, name, "logistic"), filters, height, width)


def _kernel(
    graph: Graph, section: Section, filters: int, shape: tuple[int, int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias with the batch norm folded in. In the file: bias, [scale, mean, variance,] kernel."""
    weights = graph.weights
    bias = weights.take(filters, section).astype(np.float64)
    factor = np.ones(filters)
    if section.integer("batch_normalize", 0):
        scale, mean, variance = (weights.take(filters, section).astype(np.float64) for _ in range(3))
        if variance.min() < 0:
            raise section.error("a variance is negative: the weights belong to another cfg")
        factor = scale / np.sqrt(variance + _BATCH_NORM_EPSILON)
        bias = bias - mean * factor
    kernel = weights.take(filters * int(np.prod(shape)), section).reshape(filters, *shape)
    return (kernel * factor.reshape(-1, 1, 1, 1)).astype(np.float32), bias.astype(np.float32)


def _maxpool(graph: Graph, section: Section) -> Value:
    before = graph.last
    down, across = _strides(section)
    size = _positive(section, "size", down)
    padding = section.integer("padding", size - 1)
    first, second = padding // 2, padding - padding // 2
    if not 0 <= second < size:
        raise section.error(f"a padding of {padding} is too much for the size {size}")
    name = graph.add(
        "MaxPool",
        [before.name],
        kernel_shape=[size, size],
        strides=[down, across],
        pads=[first, first, second, second],
    )
    height, width = (before.height + padding - size) // down + 1, (before.width + padding - size) // across + 1
    return _shaped(section, name, before.channels, height, width)


def _route(graph: Graph, section: Section) -> Value:
    values = [graph.layer(section, number) for number in section.integers("layers")]
    if not values:
        raise section.error("it names no layers")
    first = values[0]
    if any((value.height, value.width) != (first.height, first.width) for value in values):
        shown = ", ".join(f"{value.width}x{value.height}" for value in values)
        raise section.error(f"it joins layers of different sizes: {shown}")
    groups, group = _positive(section, "groups", 1), section.integer("group_id", 0)
    if groups > 1:
        values = [_part(graph, section, value, groups, group) for value in values]
    name = graph.add("Concat", [value.name for value in values], axis=1) if len(values) > 1 else values[0].name
    return _shaped(section, name, sum(value.channels for value in values), first.height, first.width)


def _part(graph: Graph, section: Section, value: Value, groups: int, group: int) -> Value:
    if value.channels % groups or not 0 <= group < groups:
        raise section.error(f"{value.channels} channels have no group {group} of {groups}")
    channels = value.channels // groups
    bounds = [graph.constant(np.array([number], np.int64)) for number in (group * channels, (group + 1) * channels, 1)]
    return Value(graph.add("Slice", [value.name, *bounds]), channels, value.height, value.width)


def _shortcut(graph: Graph, section: Section) -> Value:
    before = graph.last
    if section.word("weights_type", "none") != "none":
        raise section.error("weighted shortcuts are not supported")
    others = [graph.layer(section, number) for number in section.integers("from")]
    if not others:
        raise section.error("it names no layer to add")
    name = before.name
    for other in others:
        if (other.channels, other.height, other.width) != (before.channels, before.height, before.width):
            raise section.error("it adds layers of different shapes")
        name = graph.add("Add", [name, other.name])
    name = _activated(graph, section, name, "linear")
    return Value(name, before.channels, before.height, before.width)


def _upsample(graph: Graph, section: Section) -> Value:
    before, stride = graph.last, _positive(section, "stride", 2)
    if section.number_of("scale", 1.0) != 1.0:
        raise section.error("scale is not supported")
    scales = graph.constant(np.array([1, 1, stride, stride], np.float32))
    mode = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    name = graph.add("Resize", [before.name, "", scales], **mode)
    return _shaped(section, name, before.channels, before.height * stride, before.width * stride)


def _dropout(graph: Graph, section: Section) -> Value:
    """Nothing outside of training."""
    return graph.last


def _yolo(graph: Graph, section: Section) -> Value:
    before, classes = graph.last, _positive(section, "classes", 20)
    if any(head.value.name == before.name for head in graph.heads):
        raise section.error("another [yolo] layer reads the same layer")
    numbers = section.numbers("anchors")
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    mask = section.integers("mask") or tuple(range(len(pairs)))
    if not mask or not all(0 <= index < len(pairs) for index in mask) or min(numbers) <= 0:
        raise section.error(f"the mask {list(mask)} does not fit {len(pairs)} anchors")
    if before.channels != len(mask) * (5 + classes):
        wanted = f"{len(mask)} anchors and {classes} classes make {len(mask) * (5 + classes)} channels"
        raise section.error(f"{wanted}, the layer before it has {before.channels}")
    anchors = tuple(pairs[index] for index in mask)
    scale_x_y, new_coords = section.number_of("scale_x_y", 1.0), bool(section.integer("new_coords", 0))
    graph.heads.append(YoloHead(before, classes, anchors, scale_x_y, new_coords))
    return before


LAYERS: Mapping[str, Callable[[Graph, Section], Value]] = {
    "convolutional": _convolutional,
    "conv": _convolutional,
    "maxpool": _maxpool,
    "max": _maxpool,
    "route": _route,
    "shortcut": _shortcut,
    "upsample": _upsample,
    "dropout": _dropout,
    "yolo": _yolo,
}


def _mish(graph: Graph, name: str) -> str:
    """Misra, "Mish" (arXiv:1908.08681): x * tanh(ln(1 + e^x)); ONNX has an operator only from opset 18."""
    return graph.add("Mul", [name, graph.add("Tanh", [graph.add("Softplus", [name])])])


ACTIVATIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "linear": lambda graph, name: name,
    "leaky": lambda graph, name: graph.add("LeakyRelu", [name], alpha=0.1),
    "relu": lambda graph, name: graph.add("Relu", [name]),
    "logistic": lambda graph, name: graph.add("Sigmoid", [name]),
    "swish": lambda graph, name: graph.add("Mul", [name, graph.add("Sigmoid", [name])]),
    "mish": _mish,
}


def _activated(graph: Graph, section: Section, name: str, default: str) -> str:
    word = section.word("activation", default)
    if word not in ACTIVATIONS:
        raise section.error(f"activation {word[:40]!r} is not known; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[word](graph, name)


def _positive(section: Section, key: str, default: int, most: int = 1024) -> int:
    value = section.integer(key, default)
    if not 1 <= value <= most:
        raise section.error(f"{key} = {value} must lie between 1 and {most}")
    return value


def _strides(section: Section) -> tuple[int, int]:
    """Down and across."""
    stride = _positive(section, "stride", 1)
    return _positive(section, "stride_y", stride), _positive(section, "stride_x", stride)


def _shaped(section: Section, name: str, channels: int, height: int, width: int) -> Value:
    if height < 1 or width < 1:
        raise section.error(f"nothing is left of the picture: {width}x{height}")
    if channels * height * width > _MAX_VALUES:
        raise section.error(f"its output of {channels}x{height}x{width} is too large")
    return Value(name, channels, height, width)
