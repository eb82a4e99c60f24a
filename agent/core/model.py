"""What must be known of a model to feed it and to read its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.core.errors import InvalidArgument
from agent.core.types import Detections, Floats


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its sidecar describes it (agent/models/store.py reads and writes that)."""

    name: str
    format: str
    """How the outputs are read: a module of core/formats."""
    labels: tuple[str, ...]
    """Name of each class."""
    width: int
    """Of the network's input, in pixels; the shape is fixed."""
    height: int
    sha256: str = ""
    """Of the .onnx file, 64 hex digits; empty until it lies in a store."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["RGB", "BGR"] = "RGB"
    """Order of the planes."""
    scale: float = 1 / 255
    """What a byte of the picture is multiplied by; then `mean` is taken off and `std` divides."""
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    """One a plane, in the planes' order."""
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    """One a plane, in the planes' order."""
    fit: Literal["stretch", "letterbox"] = "stretch"
    """How a picture of another shape is fitted: pulled to the input's shape, or whole between bars."""
    place: Literal["centre", "corner"] = "centre"
    """Of the picture between the bars; corner: top left."""
    rounding: Literal["down", "nearest"] = "down"
    """Of the picture's size between the bars."""
    fill: int = 127
    """Brightness of the bars, 0..255."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs that the format reads, in its order; empty: all."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    """Further inputs of the network by name, fed the same with every picture."""
    source: str = ""
    """Where the network and its weights come from."""
    licence: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else the format needs to know, in its own words."""

    @property
    def label(self) -> str:
        """The model as "name@sha8"."""
        return f"{self.name}@{self.sha256[:8]}"


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a picture lies in the network's input."""

    picture_width: int
    picture_height: int
    left: int
    """Pixels of the input, like the next three."""
    top: int
    width: int
    height: int

    def to_picture(self, boxes: Floats) -> Floats:
        """(N, 4) left, top, right, bottom in pixels of the input -> the same in pixels of the picture; not clipped."""
        across, down = self.picture_width / self.width, self.picture_height / self.height
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        return (boxes - offset) * np.array([across, down, across, down], np.float32)


class Format(Protocol):
    """A family of outputs. Each module of core/formats makes one by `make_format(spec, shapes)`, where `shapes` are
    those of the model's outputs; it raises InvalidArgument (MODEL_INVALID) where they do not fit the spec.
    """

    def decode(self, outputs: Sequence[Floats], fit: Fit, threshold: float) -> Detections:
        """The objects of one picture: boxes inside it, best score first, no score below `threshold`."""
        ...


def of_one(output: NDArray[Any], batch: int) -> NDArray[Any]:
    """The part (1, ...) of an output that belongs to the first of `batch` pictures.

    Raises InvalidArgument (MODEL_INVALID) where there is none, as in the rows of all pictures one after another.
    """
    if batch == 1:
        return output
    if output.shape[:1] != (batch,):
        shown = "x".join(map(str, output.shape)) or "one number"
        why = f"the network takes {batch} pictures at once and puts out {shown}, which is not one part a picture"
        raise InvalidArgument("MODEL_INVALID", f"{why}; export it for one picture (batch 1)")
    return output[:1]
