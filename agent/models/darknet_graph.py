"""The ONNX graph that Darknet's layers build. Its constants go to a file at once, not into memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from agent.models.darknet_files import Section, Weights

if TYPE_CHECKING:
    import onnx

OPSET = 13
# The newest that ONNX Runtime 1.16, the last on JetPack 5, reads is 9.
IR_VERSION = 8
MAX_CHANNELS = 65_536
_MAX_VALUES = 1 << 28
# Of a field whose content has a length: number << 3 | 2. A message whose parts come one after another is one message
# (https://protobuf.dev/programming-guides/encoding, "Last One Wins"), so constants can be written before the nodes.
_GRAPH_FIELD = b"\x3a"
_INITIALIZER_FIELD = b"\x2a"


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

    def __init__(
        self, channels: int, height: int, width: int, weights: Weights, file: BinaryIO, batch: int = 1
    ) -> None:
        """`batch`: the pictures that it takes at once."""
        self.input = Value("image", channels, height, width)
        self.batch = batch
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.layers: list[Value] = []
        self.heads: list[YoloHead] = []
        self._file = file
        self._constants = 0

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
        """Writes an array; returns its name."""
        from onnx import numpy_helper

        name = f"constant{self._constants}"
        self._constants += 1
        tensor = numpy_helper.from_array(np.ascontiguousarray(values), name).SerializeToString()
        part = _INITIALIZER_FIELD + _varint(len(tensor))
        self._file.write(_GRAPH_FIELD + _varint(len(part) + len(tensor)) + part)
        self._file.write(tensor)
        return name

    def number(self, value: float) -> str:
        """Writes a single number; returns its name."""
        return self.constant(np.array(value, np.float32))

    def finish(self, name: str, outputs: Sequence[Value]) -> None:
        """Writes the rest of the model, whose outputs these values are. Then it is whole."""
        from onnx import TensorProto, helper

        def declared(value: Value) -> onnx.ValueInfoProto:
            shape = (self.batch, value.channels, value.height, value.width)
            return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, shape)

        drawn = helper.make_graph(self.nodes, name, [declared(self.input)], [declared(value) for value in outputs])
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(drawn, opset_imports=opsets, ir_version=IR_VERSION, producer_name="herdlink")
        self._file.write(model.SerializeToString())


def shaped(section: Section, name: str, channels: int, height: int, width: int) -> Value:
    """A layer's value, of bounded size. Raises InvalidArgument (MODEL_INVALID) naming the layer."""
    if height < 1 or width < 1:
        raise section.error(f"nothing is left of the picture: {width}x{height}")
    if channels * height * width > _MAX_VALUES:
        raise section.error(f"its output of {channels}x{height}x{width} is too large")
    return Value(name, channels, height, width)


def positive(section: Section, key: str, default: int, most: int = 1024) -> int:
    """A whole number from 1 to `most`. Raises InvalidArgument (MODEL_INVALID) naming the layer."""
    value = section.integer(key, default)
    if not 1 <= value <= most:
        raise section.error(f"{key} = {value} must lie between 1 and {most}")
    return value


def strides(section: Section) -> tuple[int, int]:
    """Down and across."""
    stride = positive(section, "stride", 1)
    return positive(section, "stride_y", stride), positive(section, "stride_x", stride)


def activated(graph: Graph, section: Section, name: str, default: str) -> str:
    """The value through the layer's activation. Raises InvalidArgument (MODEL_INVALID) naming the layer."""
    word = section.word("activation", default)
    if word not in ACTIVATIONS:
        raise section.error(f"activation {word[:40]!r} is not known; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[word](graph, name)


def _mish(graph: Graph, name: str) -> str:
    """Misra, "Mish" (arXiv:1908.08681): x * tanh(ln(1 + e^x)); ONNX has an operator only from opset 18."""
    return graph.add("Mul", [name, graph.add("Tanh", [graph.add("Softplus", [name])])])


def _relu6(graph: Graph, name: str) -> str:
    return graph.add("Clip", [name, graph.number(0), graph.number(6)])


def _hard_mish(graph: Graph, name: str) -> str:
    """Identity above 0, 0 below -2, between them x^2 / 2 + x: x * clip(x / 2 + 1, 0, 1)."""
    raised = graph.add("Add", [graph.add("Mul", [name, graph.number(0.5)]), graph.number(1)])
    return graph.add("Mul", [name, graph.add("Clip", [raised, graph.number(0), graph.number(1)])])


def _ramp(graph: Graph, name: str) -> str:
    return graph.add("Add", [graph.add("Relu", [name]), graph.add("Mul", [name, graph.number(0.1)])])


ACTIVATIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "linear": lambda graph, name: name,
    "leaky": lambda graph, name: graph.add("LeakyRelu", [name], alpha=0.1),
    "relu": lambda graph, name: graph.add("Relu", [name]),
    "relu6": _relu6,
    "relie": lambda graph, name: graph.add("LeakyRelu", [name], alpha=0.01),
    "ramp": _ramp,
    "elu": lambda graph, name: graph.add("Elu", [name]),
    "selu": lambda graph, name: graph.add("Selu", [name], alpha=1.6732, gamma=1.0507),
    "tanh": lambda graph, name: graph.add("Tanh", [name]),
    "logistic": lambda graph, name: graph.add("Sigmoid", [name]),
    "swish": lambda graph, name: graph.add("Mul", [name, graph.add("Sigmoid", [name])]),
    "mish": _mish,
    "hard_mish": _hard_mish,
}


def _varint(number: int) -> bytes:
    """Protobuf's encoding of a length: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
