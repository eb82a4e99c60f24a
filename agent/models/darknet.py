"""Import of Darknet networks of the YOLOv3 and YOLOv4 family: .cfg + .weights -> ONNX and its description."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import InvalidArgument
from agent.core.model import ModelSpec
from agent.models.darknet_files import Section, Weights, invalid, read_cfg
from agent.models.darknet_layers import Graph, add_layer

if TYPE_CHECKING:
    import onnx

OPSET = 13
# The newest that ONNX Runtime 1.16, the last on JetPack 5, reads is 9.
IR_VERSION = 8
MAX_SIDE = 4096
MAX_LABELS = 10_000


def import_darknet(
    cfg: Path,
    weights: Path,
    *,
    name: str,
    labels: Sequence[str] = (),
    size: int = 0,
    source: str = "",
    licence: str = "",
) -> tuple[bytes, ModelSpec]:
    """The network as an ONNX file and its description. `size`: side of the input in pixels, 0: as in the .cfg.

    Without labels the classes are called "class 0", "class 1" ... Raises InvalidArgument (MODEL_INVALID,
    BAD_MODEL_SIZE, LABELS_MISMATCH) in one sentence that names the layer and, in the weights, the byte.
    """
    sections = read_cfg(cfg)
    graph = build(sections, weights, size)
    classes = {head.classes for head in graph.heads}
    if len(classes) != 1:
        raise invalid(f"{cfg} has no [yolo] layer" if not classes else f"{cfg}: its [yolo] layers differ in classes")
    named = _labels(labels, classes.pop())
    spec = ModelSpec(
        name=name,
        format="darknet",
        labels=named,
        width=graph.input.width,
        height=graph.input.height,
        # Darknet trains and tests with plain resizing unless the network says otherwise.
        fit="letterbox" if sections[0].integer("letter_box", 0) else "stretch",
        source=source or f"{_print(cfg)}, {_print(weights)}",
        licence=licence,
        options={"heads": [_describe(head.anchors, head.scale_x_y, head.new_coords) for head in graph.heads]},
    )
    return to_onnx(graph, name).SerializeToString(), spec


def build(sections: Sequence[Section], weights: Path, size: int = 0) -> Graph:
    """The network's graph: every layer built, every byte of the weights used."""
    net, layers = sections[0], sections[1:]
    if not layers:
        raise invalid("the cfg has no layers")
    width, height = (size or net.integer("width", 416), size or net.integer("height", 416))
    if not all(32 <= side <= MAX_SIDE and side % 32 == 0 for side in (width, height)):
        why = f"the input's sides must be multiples of 32 up to {MAX_SIDE}; they are {width}x{height}"
        raise InvalidArgument("BAD_MODEL_SIZE", why)
    if net.integer("channels", 3) != 3:
        raise net.error("only networks for colour pictures (channels=3) can be used")
    graph = Graph(3, height, width, Weights(weights))
    for section in layers:
        add_layer(graph, section)
    graph.weights.finish(layers[-1])
    return graph


def to_onnx(graph: Graph, name: str) -> onnx.ModelProto:
    """The graph as an ONNX model whose outputs are the raw heads, in order."""
    from onnx import TensorProto, checker, helper

    def declared(value_name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(value_name, TensorProto.FLOAT, shape)

    source = declared(graph.input.name, (1, graph.input.channels, graph.input.height, graph.input.width))
    values = [head.value for head in graph.heads]
    outputs = [declared(value.name, (1, value.channels, value.height, value.width)) for value in values]
    drawn = helper.make_graph(graph.nodes, name, [source], outputs, graph.constants)
    model = helper.make_model(
        drawn, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="herdlink"
    )
    checker.check_model(model)
    return model


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from a file, one a line. Raises InvalidArgument (LABELS_INVALID)."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidArgument("LABELS_INVALID", f"{path} cannot be read: {why}") from error
    labels = tuple(line for line in lines if line)
    if not labels or len(labels) > MAX_LABELS or not all(label.isprintable() for label in labels):
        raise InvalidArgument("LABELS_INVALID", f"{path} must hold one label a line")
    return labels


def _labels(labels: Sequence[str], classes: int) -> tuple[str, ...]:
    if labels and len(labels) != classes:
        why = f"the network has {classes} classes and {len(labels)} labels were given"
        raise InvalidArgument("LABELS_MISMATCH", f"{why}; give one label a line, in order")
    return tuple(labels) or tuple(f"class {number}" for number in range(classes))


def _describe(anchors: Sequence[tuple[float, float]], scale_x_y: float, new_coords: bool) -> dict[str, object]:
    return {"anchors": [list(pair) for pair in anchors], "scale_x_y": scale_x_y, "new_coords": new_coords}


def _print(path: Path) -> str:
    return f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()})"
