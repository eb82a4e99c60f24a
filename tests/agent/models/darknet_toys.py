"""Small Darknet networks with random weights, run by the importer's graph and by OpenCV."""

from __future__ import annotations

import io
import re
import struct
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from agent.core.errors import InvalidArgument
from agent.core.model import ModelSpec
from agent.models.darknet import build, import_darknet
from agent.models.darknet_files import Weights, read_cfg
from agent.models.darknet_graph import ACTIVATIONS

NET = "[net]\nwidth={width}\nheight={height}\nchannels=3\n"
HEAD = """
[convolutional]
size=1
stride=1
pad=1
filters=14
activation={activation}

[yolo]
mask=0,2
anchors=10,14, 23,27, 37,58
classes=2
num=3
scale_x_y={scale}
new_coords={new}
"""
CONV = """
[convolutional]
batch_normalize={bn}
filters={filters}
size={size}
stride={stride}
pad=1
groups={groups}
activation={activation}
"""


def conv(
    filters: int = 8, size: int = 3, stride: int = 1, groups: int = 1, activation: str = "leaky", bn: int = 1
) -> str:
    return CONV.format(filters=filters, size=size, stride=stride, groups=groups, activation=activation, bn=bn)


def head(scale: float = 1.0, new: int = 0) -> str:
    return HEAD.format(scale=scale, new=new, activation="logistic" if new else "linear")


def imported(cfg: Path, weights: Path, **words: Any) -> tuple[bytes, ModelSpec]:
    """The network as an ONNX file and its description."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "toy.onnx"
        spec = import_darknet(cfg, weights, file, name="toy", **words)
        return file.read_bytes(), spec


def written(folder: Path, layers: str, *, width: int = 64, height: int = 64) -> Path:
    path = folder / "net.cfg"
    path.write_text(NET.format(width=width, height=height) + layers)
    return path


def random_weights(path: Path, count: int) -> Path:
    """A weights file of positive numbers, so that they can be variances too."""
    values = np.random.default_rng(1).uniform(0.4, 0.9, count).astype("<f4")
    path.write_bytes(struct.pack("<3iq", 0, 2, 5, 32) + values.tobytes())
    return path


def filled(cfg: Path, folder: Path, *, check: bool = True) -> Path:
    """Weights of just the length that the importer asks for, found by its own error of too many."""
    path = random_weights(folder / "w.weights", 100_000)
    with pytest.raises(InvalidArgument) as caught, Weights(path) as weights:
        build(read_cfg(cfg), weights, io.BytesIO())
    told = re.search(r"ends at byte (\d+)", caught.value.message)
    if told is None:
        assert not check, caught.value.message
        return path
    path.write_bytes(path.read_bytes()[: int(told[1])])
    return path


def our_layers(cfg: Path, weights: Path, blob: np.ndarray) -> dict[int, np.ndarray]:
    """What each layer puts out but the [yolo] ones, which put nothing new out."""
    sections = read_cfg(cfg)
    with Weights(weights) as numbers:
        graph = build(sections, numbers, file := io.BytesIO(), batch=len(blob))
    graph.finish("toy", [head.value for head in graph.heads])
    model = onnx.load_model_from_string(file.getvalue())
    onnx.checker.check_model(model, full_check=True)
    wanted = {n: value.name for n, value in enumerate(graph.layers) if sections[n + 1].kind != "yolo"}
    declared = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in set(wanted.values()) - declared)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    values = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": blob}), strict=True))
    for number, value in enumerate(graph.layers):
        if number in wanted:
            assert values[value.name].shape == (len(blob), value.channels, value.height, value.width)
    return {number: values[name] for number, name in wanted.items()}


def opencv_layers(cfg: Path, weights: Path, blob: np.ndarray) -> dict[int, np.ndarray]:
    net = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    net.enableFusion(False)
    net.setInput(blob)
    # The last of several steps of a layer is its output: "conv_3", "bn_3", "leaky_4" (activations count one more).
    last = {}
    for name in net.getLayerNames():
        kind, number = name.rsplit("_", 1)
        if kind not in ("yolo", "permute"):
            last[int(number) - (kind in ACTIVATIONS)] = name
    return dict(zip(last, net.forward(list(last.values())), strict=True))
