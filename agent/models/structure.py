"""What the graph of a network tells of its inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from agent.models.onnx_file import shape_of

if TYPE_CHECKING:
    import onnx

# Operators that leave the channels what they are: their first input goes on.
_PASSING = frozenset(
    {"Transpose", "Reshape", "Identity", "Cast", "Sigmoid", "Squeeze", "Unsqueeze", "Flatten", "QuantizeLinear"}
    | {"DequantizeLinear", "ScatterND", "Softmax", "Clip"}
)
_MAX_STEPS = 200


class Structure:
    """A graph with the shapes of its values, to walk in."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self._maker = {name: node for node in graph.node for name in node.output}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        values = [*graph.value_info, *graph.input, *graph.output]
        self._shapes = {value.name: shape_of(value) for value in values}
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = node.attribute[0].t
        self._shapes.update({name: list(tensor.dims) for name, tensor in self._constants.items()})

    def largest(self) -> tuple[str, int]:
        """The value with the most numbers, as far as the shapes are known: its name, how many."""
        counts = {name: math.prod(shape) for name, shape in self._shapes.items()}
        name = max(counts, key=lambda one: counts[one], default="")
        return name, counts.get(name, 0)

    def parts(self, output: str, channels: int) -> tuple[int, ...]:
        """The widths that are put side by side to make the output's channels; empty where the graph does not say."""
        for node in self._joins(output):
            widths = self._widths(node)
            if sum(widths) == channels and len(widths) > 1:
                return widths
        return ()

    def unknown_parts(self, outputs: Iterable[str]) -> list[str]:
        """What is put side by side to make these outputs, as far as its shape does not follow from the graph."""
        joined = {name for output in outputs for node in self._joins(output) for name in node.input}
        return sorted(name for name in joined if not all(self._shapes.get(name) or [0]))

    def learn(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Shapes that were seen in a run."""
        self._shapes.update({name: list(shape) for name, shape in shapes.items()})

    def _joins(self, output: str) -> Iterator[onnx.NodeProto]:
        """The Concat nodes on the way to an output, the last first."""
        name = output
        for _ in range(_MAX_STEPS):
            node = self._maker.get(name)
            if node is None or node.op_type not in _PASSING | {"Concat"}:
                return
            if node.op_type == "Concat":
                yield node
            name = node.input[0]

    def _widths(self, node: onnx.NodeProto) -> tuple[int, ...]:
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
        shapes = [self._shapes.get(name, []) for name in node.input]
        if not all(-len(shape) <= axis < len(shape) for shape in shapes):
            return ()
        return tuple(shape[axis] for shape in shapes)

    def normalised_in_graph(self, name: str) -> tuple[bool, bool]:
        """Whether the graph itself divides the picture by 255, and whether it takes off a mean."""
        scaled = shifted = False
        for _ in range(_MAX_STEPS):
            readers = self._readers.get(name, [])
            if len(readers) != 1:
                break
            node = readers[0]
            numbers = self._numbers([other for other in node.input if other != name])
            if node.op_type in ("Sub", "Add") and numbers.size in (1, 3):
                shifted = True
            elif node.op_type in ("Mul", "Div") and numbers.size in (1, 3):
                factor = float(np.abs(numbers).mean())
                scaled = scaled or (factor < 0.05 if node.op_type == "Mul" else factor > 20)
            elif node.op_type not in ("Cast", "Transpose", "Identity", "QuantizeLinear", "DequantizeLinear"):
                break
            name = node.output[0]
        return scaled, shifted

    def first_kernel_channels(self, name: str) -> tuple[int, ...]:
        """Shape of the first kernel that reads this value; empty where it is not read by a convolution."""
        for node in self._readers.get(name, []):
            if node.op_type == "Conv":
                return tuple(self._shapes.get(node.input[1], ()))
        return ()

    def _numbers(self, names: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        from onnx import numpy_helper

        known = [self._constants[name] for name in names if name in self._constants]
        if len(known) != 1:
            return np.zeros(0)
        return np.asarray(numpy_helper.to_array(known[0]), np.float64).reshape(-1)


def metadata(model: onnx.ModelProto) -> Mapping[str, str]:
    """The texts that the exporter left in the file."""
    return {entry.key: entry.value for entry in model.metadata_props}
