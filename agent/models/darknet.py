"""Import of Darknet networks of the YOLOv3 and YOLOv4 family: .cfg + .weights -> ONNX and its description."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from agent.core.errors import InvalidArgument
from agent.core.model import ModelSpec
from agent.models.class_names import labels_for
from agent.models.darknet_files import Section, Weights, invalid, read_cfg
from agent.models.darknet_graph import Graph
from agent.models.darknet_layers import add_layer

MAX_SIDE = 4096


def import_darknet(
    cfg: Path,
    weights: Path,
    onnx: Path,
    *,
    name: str,
    labels: Sequence[str] = (),
    size: tuple[int, int] = (0, 0),
    batch: int = 1,
    source: str = "",
    licence: str = "",
) -> ModelSpec:
    """Writes the network as the file `onnx`; returns its description. `size`: width, height, 0: as in the .cfg;
    `batch`: the pictures that it takes at once.

    Without labels the classes are called as COCO's where there are as many, else "class 0", "class 1" ... Raises
    InvalidArgument (MODEL_INVALID, BAD_MODEL_SIZE, LABELS_MISMATCH) in one sentence that names the layer and, in the
    weights, the byte.
    """
    sections = read_cfg(cfg)
    input_size(sections[0], size)
    with Weights(weights) as numbers, onnx.open("wb") as file:
        graph = build(sections, numbers, file, size, batch)
        graph.finish(name, [head.value for head in graph.heads])
    classes = {head.classes for head in graph.heads}
    if len(classes) != 1:
        raise invalid(f"{cfg} has no [yolo] layer" if not classes else f"{cfg}: its [yolo] layers differ in classes")
    cfg_sum = hashlib.sha256(cfg.read_bytes()).hexdigest()
    return ModelSpec(
        name=name,
        format="darknet",
        labels=_labels(labels, classes.pop()),
        width=graph.input.width,
        height=graph.input.height,
        # Darknet trains and tests with plain resizing unless the network says otherwise.
        fit="letterbox" if sections[0].integer("letter_box", 0) else "stretch",
        source=source or f"{cfg.name} (sha256 {cfg_sum}), {weights.name} (sha256 {numbers.sha256})",
        licence=licence,
        options={"heads": [_describe(head.anchors, head.scale_x_y, head.new_coords) for head in graph.heads]},
    )


def input_size(net: Section, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the input: as chosen, else as in [net]. Raises InvalidArgument (BAD_MODEL_SIZE)."""
    width, height = (size[0] or net.integer("width", 416), size[1] or net.integer("height", 416))
    if not all(32 <= side <= MAX_SIDE and side % 32 == 0 for side in (width, height)):
        why = f"the input's sides must be multiples of 32 up to {MAX_SIDE}; they are {width}x{height}"
        raise InvalidArgument("BAD_MODEL_SIZE", why)
    return width, height


def build(
    sections: Sequence[Section], weights: Weights, file: BinaryIO, size: tuple[int, int] = (0, 0), batch: int = 1
) -> Graph:
    """The network's graph: every layer built, every byte of the weights used; its constants are in the file."""
    net, layers = sections[0], sections[1:]
    if not layers:
        raise invalid("the cfg has no layers")
    width, height = input_size(net, size)
    if net.integer("channels", 3) != 3:
        raise net.error("only networks for colour pictures (channels=3) can be used")
    graph = Graph(3, height, width, weights, file, batch)
    for section in layers:
        add_layer(graph, section)
    weights.finish(layers[-1])
    return graph


def _labels(labels: Sequence[str], classes: int) -> tuple[str, ...]:
    if labels and len(labels) != classes:
        why = f"the network has {classes} classes and {len(labels)} labels were given"
        raise InvalidArgument("LABELS_MISMATCH", f"{why}; give one label a line, in order")
    return labels_for(classes, tuple(labels), ())[0]


def _describe(anchors: Sequence[tuple[float, float]], scale_x_y: float, new_coords: bool) -> dict[str, object]:
    return {"anchors": [list(pair) for pair in anchors], "scale_x_y": scale_x_y, "new_coords": new_coords}
