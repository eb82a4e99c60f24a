"""Darknet's layers as ONNX: one function a layer type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.models.darknet_files import Section
from agent.models.darknet_graph import MAX_CHANNELS, Graph, Value, YoloHead, activated, positive, shaped, strides

# Darknet adds it to the variance before the root. (OpenCV takes 1e-6: it differs where a variance is tiny.)
_BATCH_NORM_EPSILON = 1e-5
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
    filters, size = positive(section, "filters", 1, MAX_CHANNELS), positive(section, "size", 1)
    groups = positive(section, "groups", 1)
    down, across = strides(section)
    pad = size // 2 if section.integer("pad", 0) else section.integer("padding", 0)
    # Darknet counts the padding in steps of the dilation.
    dilation = positive(section, "dilation", 1)
    pad, reach = pad * dilation, (size - 1) * dilation + 1
    if before.channels % groups or filters % groups:
        raise section.error(f"{groups} groups do not divide {before.channels} channels and {filters} filters")
    kernel, bias = _kernel(graph, section, filters, (before.channels // groups, size, size))
    name = graph.add(
        "Conv",
        [before.name, graph.constant(kernel), graph.constant(bias)],
        kernel_shape=[size, size],
        strides=[down, across],
        pads=[pad] * 4,
        dilations=[dilation] * 2,
        group=groups,
    )
    height, width = (before.height + 2 * pad - reach) // down + 1, (before.width + 2 * pad - reach) // across + 1
    return shaped(section, activated(graph, section, name, "logistic"), filters, height, width)


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
    return _pool(graph, section, "MaxPool")


def _local_avgpool(graph: Graph, section: Section) -> Value:
    """What lies beyond the edge does not count."""
    return _pool(graph, section, "AveragePool")


def _avgpool(graph: Graph, section: Section) -> Value:
    """The mean of each channel."""
    before = graph.last
    return Value(graph.add("GlobalAveragePool", [before.name]), before.channels, 1, 1)


def _pool(graph: Graph, section: Section, operator: str) -> Value:
    before = graph.last
    down, across = strides(section)
    size = positive(section, "size", down)
    padding = section.integer("padding", size - 1)
    first, second = padding // 2, padding - padding // 2
    if not 0 <= second < size:
        raise section.error(f"a padding of {padding} is too much for the size {size}")
    name = graph.add(
        operator,
        [before.name],
        kernel_shape=[size, size],
        strides=[down, across],
        pads=[first, first, second, second],
    )
    height, width = (before.height + padding - size) // down + 1, (before.width + padding - size) // across + 1
    return shaped(section, name, before.channels, height, width)


def _route(graph: Graph, section: Section) -> Value:
    values = [graph.layer(section, number) for number in section.integers("layers")]
    if not values:
        raise section.error("it names no layers")
    first = values[0]
    if any((value.height, value.width) != (first.height, first.width) for value in values):
        shown = ", ".join(f"{value.width}x{value.height}" for value in values)
        raise section.error(f"it joins layers of different sizes: {shown}")
    groups, group = positive(section, "groups", 1), section.integer("group_id", 0)
    if groups > 1:
        values = [_part(graph, section, value, groups, group) for value in values]
    name = graph.add("Concat", [value.name for value in values], axis=1) if len(values) > 1 else values[0].name
    return shaped(section, name, sum(value.channels for value in values), first.height, first.width)


def _part(graph: Graph, section: Section, value: Value, groups: int, group: int) -> Value:
    if value.channels % groups or not 0 <= group < groups:
        raise section.error(f"{value.channels} channels have no group {group} of {groups}")
    channels = value.channels // groups
    bounds = [graph.constant(np.array([number], np.int64)) for number in (group * channels, (group + 1) * channels, 1)]
    return Value(graph.add("Slice", [value.name, *bounds]), channels, value.height, value.width)


def _shortcut(graph: Graph, section: Section) -> Value:
    before = graph.last
    others = [graph.layer(section, number) for number in section.integers("from")]
    if not others:
        raise section.error("it names no layer to add")
    if any((one.channels, one.height, one.width) != (before.channels, before.height, before.width) for one in others):
        raise section.error("it adds layers of different shapes")
    values = [before, *others]
    names = [value.name for value in values]
    if section.word("weights_type", "none") != "none":
        names = _weighted(graph, section, values)
    name = names[0]
    for other in names[1:]:
        name = graph.add("Add", [name, other])
    name = activated(graph, section, name, "linear")
    return Value(name, before.channels, before.height, before.width)


def _weighted(graph: Graph, section: Section, values: Sequence[Value]) -> list[str]:
    """Each value times its weight: one a value, or one a channel."""
    kind = section.word("weights_type", "")
    if kind not in ("per_feature", "per_layer", "per_channel"):
        raise section.error(f"weights_type {kind[:40]!r} is not known; known: none, per_feature, per_channel")
    if section.word("weights_normalization", section.word("weights_normalizion", "none")) != "none":
        raise section.error("weights_normalization is not supported")
    width = values[0].channels if kind == "per_channel" else 1
    weights = graph.weights.take(len(values) * width, section).reshape(len(values), 1, width, 1, 1)
    return [graph.add("Mul", [one.name, graph.constant(part)]) for one, part in zip(values, weights, strict=True)]


def _scale_channels(graph: Graph, section: Section) -> Value:
    """Squeeze and excitation: the layer that `from` names, each channel times the value of the layer before."""
    before, other = graph.last, graph.layer(section, section.integer("from", 0))
    wanted = (1, other.height, other.width) if section.integer("scale_wh", 0) else (other.channels, 1, 1)
    if (before.channels, before.height, before.width) != wanted:
        raise section.error("the layer before it does not fit the one that `from` names")
    name = activated(graph, section, graph.add("Mul", [other.name, before.name]), "linear")
    return Value(name, other.channels, other.height, other.width)


def _sam(graph: Graph, section: Section) -> Value:
    """Spatial attention: the layer before times the one that `from` names."""
    before, other = graph.last, graph.layer(section, section.integer("from", 0))
    if (before.channels, before.height, before.width) != (other.channels, other.height, other.width):
        raise section.error("it multiplies layers of different shapes")
    name = activated(graph, section, graph.add("Mul", [before.name, other.name]), "linear")
    return Value(name, before.channels, before.height, before.width)


def _reorg(graph: Graph, section: Section) -> Value:
    """YOLOv2's passthrough as Darknet computes it: the channels are read as larger planes, then spread."""
    before, step = graph.last, positive(section, "stride", 1)
    if before.channels % step**2 or before.height % step or before.width % step or section.integer("reverse", 0):
        raise section.error("its stride must divide rows and columns and its square the channels; reverse is unknown")
    planes = before.channels // step**2

    def cut(name: str, *sides: int) -> str:
        return graph.add("Reshape", [name, graph.constant(np.array([graph.batch, *sides], np.int64))])

    parted = cut(before.name, planes, before.height, step, before.width, step)
    spread = graph.add("Transpose", [parted], perm=[0, 3, 5, 1, 2, 4])
    channels, height, width = before.channels * step**2, before.height // step, before.width // step
    return shaped(section, cut(spread, channels, height, width), channels, height, width)


def _upsample(graph: Graph, section: Section) -> Value:
    before, stride = graph.last, positive(section, "stride", 2)
    scales = graph.constant(np.array([1, 1, stride, stride], np.float32))
    mode = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    name = graph.add("Resize", [before.name, "", scales], **mode)
    factor = section.number_of("scale", 1.0)
    name = name if factor == 1.0 else graph.add("Mul", [name, graph.number(factor)])
    return shaped(section, name, before.channels, before.height * stride, before.width * stride)


def _nothing(graph: Graph, section: Section) -> Value:
    """Nothing outside of training."""
    return graph.last


def _yolo(graph: Graph, section: Section) -> Value:
    before, classes = graph.last, positive(section, "classes", 20)
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
    "local_avgpool": _local_avgpool,
    "local_avg": _local_avgpool,
    "avgpool": _avgpool,
    "avg": _avgpool,
    "scale_channels": _scale_channels,
    "sam": _sam,
    "reorg": _reorg,
    "dropout": _nothing,
    "yolo": _yolo,
}
