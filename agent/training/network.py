"""A Darknet network in PyTorch: built from its .cfg, filled from .weights of itself or a wider one, written back."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from agent.core.errors import InvalidArgument
from agent.models.darknet_files import Section, Weights, read_cfg

_EPSILON = 1e-5
SURE = 20.0
"""Bias of the class that every object has: its logistic is 1."""


@dataclass(frozen=True, slots=True)
class Head:
    """One [yolo] layer."""

    anchors: Tensor
    """(A, 2) width, height in pixels of the input."""
    scale_x_y: float
    stride: int


class Convolution(nn.Module):
    """One [convolutional] layer; its batch statistics stay as they were."""

    def __init__(self, channels: int, section: Section) -> None:
        super().__init__()
        size, stride = section.integer("size", 1), section.integer("stride", 1)
        self.normalised = bool(section.integer("batch_normalize", 0))
        filters = section.integer("filters", 1)
        padding = size // 2 if section.integer("pad", 0) else 0
        self.conv = nn.Conv2d(channels, filters, size, stride, padding, bias=not self.normalised)
        self.norm = nn.BatchNorm2d(filters, eps=_EPSILON) if self.normalised else nn.Identity()
        self.leaky = section.word("activation", "linear") == "leaky"

    def forward(self, value: Tensor) -> Tensor:
        value = self.norm(self.conv(value))
        return nn.functional.leaky_relu(value, 0.1) if self.leaky else value

    def parameters_in_order(self) -> list[Tensor]:
        """As they lie in a .weights file."""
        if not self.normalised:
            assert self.conv.bias is not None
            return [self.conv.bias, self.conv.weight]
        norm = self.norm
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        return [norm.bias, norm.weight, norm.running_mean, norm.running_var, self.conv.weight]


class Network(nn.Module):
    """All layers; gives the raw values of each head, (N, A * 6, rows, columns)."""

    def __init__(self, cfg: Path) -> None:
        super().__init__()
        net, *self.sections = read_cfg(cfg)
        channels = [net.integer("channels", 3)]
        strides = [1]
        layers: list[nn.Module] = []
        self.heads: list[Head] = []
        for number, section in enumerate(self.sections):
            before, stride = channels[-1], strides[-1]
            layer: nn.Module = nn.Identity()
            if section.kind == "convolutional":
                layer = Convolution(before, section)
                before, stride = section.integer("filters", 1), stride * section.integer("stride", 1)
            elif section.kind == "maxpool":
                layer, stride = nn.MaxPool2d(2), stride * 2
            elif section.kind == "upsample":
                layer, stride = nn.Upsample(scale_factor=2, mode="nearest"), stride // 2
            elif section.kind == "route":
                sources = self._sources(number)
                before = sum(channels[i + 1] for i in sources) // section.integer("groups", 1)
                stride = strides[sources[0] + 1]
            elif section.kind == "yolo":
                self.heads.append(_head(section, stride))
            else:
                raise InvalidArgument("MODEL_INVALID", f"{section.place}: training knows no such layer")
            channels.append(before)
            strides.append(stride)
            layers.append(layer)
        self.layers = nn.ModuleList(layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        values: list[Tensor] = []
        found = []
        value = images
        for number, (section, layer) in enumerate(zip(self.sections, self.layers, strict=True)):
            if section.kind == "route":
                value = torch.cat([values[i] for i in self._sources(number)], 1)
                groups = section.integer("groups", 1)
                if groups > 1:
                    value = value.chunk(groups, 1)[section.integer("group_id", 0)]
            elif section.kind == "yolo":
                found.append(value)
            else:
                value = layer(value)
            values.append(value)
        return found

    def train(self, mode: bool = True) -> Network:
        """The batch statistics stay as they are."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def convolutions(self) -> list[tuple[int, Convolution]]:
        """(layer's number, layer) in order."""
        return [(i, layer) for i, layer in enumerate(self.layers) if isinstance(layer, Convolution)]

    def _sources(self, number: int) -> list[int]:
        return [i if i >= 0 else number + i for i in self.sections[number].integers("layers")]


def load(network: Network, weights: Path) -> None:
    """Fills a network from a .weights file that was written for the same .cfg."""
    with Weights(weights) as file, torch.no_grad():
        for _, layer in network.convolutions():
            for tensor in layer.parameters_in_order():
                tensor.copy_(torch.from_numpy(file.take(tensor.numel(), network.sections[0]).copy()).view(tensor.shape))
        file.finish(network.sections[-1])


def load_finished(network: Network, model: Path) -> None:
    """Fills a network from an .onnx that export.py made of the same .cfg. Raises InvalidArgument (MODEL_INVALID)."""
    graph = onnx.load(model).graph
    arrays = {one.name: numpy_helper.to_array(one).astype(np.float32) for one in graph.initializer}
    arrays |= {node.output[0]: arrays[node.input[0]] for node in graph.node if node.op_type == "Cast"}
    found = [node for node in graph.node if node.op_type == "Conv"]
    layers = network.convolutions()
    shapes = [tuple(layer.conv.weight.shape) for _, layer in layers]
    if [arrays[node.input[1]].shape for node in found] != shapes:
        raise InvalidArgument("MODEL_INVALID", f"{model} was not made by this training: its layers are others")
    with torch.no_grad():
        for node, (_, layer) in zip(found, layers, strict=True):
            layer.conv.weight.copy_(torch.from_numpy(arrays[node.input[1]]))
            bias = torch.from_numpy(arrays[node.input[2]])
            if layer.normalised:  # the statistics went into the weights
                values = (bias, torch.ones_like(bias), torch.zeros_like(bias), torch.full_like(bias, 1 - _EPSILON))
                for tensor, value in zip(layer.parameters_in_order()[:4], values, strict=True):
                    tensor.copy_(value)
            else:
                assert layer.conv.bias is not None
                layer.conv.bias.copy_(bias)


def save(network: Network, weights: Path) -> None:
    """Writes a .weights file."""
    with weights.open("wb") as file:
        file.write(struct.pack("<3iq", 0, 2, 5, 0))
        for _, layer in network.convolutions():
            for tensor in layer.parameters_in_order():
                file.write(tensor.detach().float().contiguous().numpy().astype("<f4").tobytes())


def make_modest(network: Network, share: float, told: float) -> None:
    """Moves all scores so that what was `share` is told as `told`, 0..1: herdlink's usual threshold is 0.3."""
    step = math.log(told / (1 - told)) - math.log(share / (1 - share))
    with torch.no_grad():
        for _, layer in network.convolutions():
            if not layer.normalised:
                assert layer.conv.bias is not None
                layer.conv.bias[4::6] += step


def begin_from(network: Network, cfg: Path, weights: Path) -> None:
    """Fills a network from a wider one of the same layers with more classes.

    Of each layer the channels are kept that weigh most in what follows; of the heads box and objectness.
    """
    wide = Network(cfg)
    load(wide, weights)
    kept: dict[int, Tensor] = {}
    with torch.no_grad():
        for number, own in reversed(network.convolutions()):
            theirs = wide.layers[number]
            assert isinstance(theirs, Convolution)
            kept[number] = _kept(network, wide, number, own, theirs, kept)
        for number, own in network.convolutions():
            theirs = wide.layers[number]
            assert isinstance(theirs, Convolution)
            rows, columns = kept[number], _inputs(network, wide, number, kept)
            own.conv.weight.copy_(theirs.conv.weight[rows][:, columns])
            if own.normalised:
                for mine, other in zip(own.parameters_in_order()[:4], theirs.parameters_in_order()[:4], strict=True):
                    mine.copy_(other[rows])
            else:
                assert own.conv.bias is not None and theirs.conv.bias is not None
                own.conv.bias.copy_(theirs.conv.bias[rows])
                sure = torch.arange(len(rows)) % 6 == 5
                own.conv.weight[sure] = 0
                own.conv.bias[sure] = SURE


def _head(section: Section, stride: int) -> Head:
    anchors = np.array(section.numbers("anchors"), np.float32).reshape(-1, 2)[list(section.integers("mask"))]
    return Head(torch.from_numpy(anchors), section.number_of("scale_x_y", 1.0), stride)


def _kept(
    network: Network, wide: Network, number: int, own: Convolution, theirs: Convolution, kept: dict[int, Tensor]
) -> Tensor:
    """Which output channels of the wide layer the narrow one takes over."""
    count, total = own.conv.out_channels, theirs.conv.out_channels
    if not own.normalised:  # a head: of each anchor x, y, width, height, objectness and one class
        classes = total // 3
        return torch.cat([torch.arange(6) + anchor * classes for anchor in range(3)])
    if count == total:
        return torch.arange(total)
    follower = number + 1
    after = wide.layers[follower]
    if not isinstance(after, Convolution) or follower not in kept:
        why = f"{network.sections[number].place}: only a layer with a convolution after it can be narrower"
        raise InvalidArgument("MODEL_INVALID", why)
    norm = theirs.norm
    assert isinstance(norm, nn.BatchNorm2d)
    weight = after.conv.weight[kept[follower]].abs().sum((0, 2, 3)) * norm.weight.abs()
    return weight.topk(count).indices.sort().values


def _inputs(network: Network, wide: Network, number: int, kept: dict[int, Tensor]) -> Tensor:
    """Which input channels of the wide layer are there in the narrow one."""
    before = number - 1
    if before >= 0 and isinstance(wide.layers[before], Convolution):
        return kept[before]
    layer = wide.layers[number]
    assert isinstance(layer, Convolution)
    return torch.arange(layer.conv.in_channels)
