"""A re-identification model on ONNX Runtime: all boxes of a picture in one pass.

The size comes from the graph's input, (N, 3, height, width) or (N, height, width, 3) floats. What the pixels must be
turned into stands in a file beside it, FILE.toml for FILE.onnx, where that differs from what such models are mostly
trained with (ImageNet's means): `scale`, `mean`, `std` (value = (pixel * scale - mean) / std), `order` "rgb" or "bgr".
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.crops import cut
from agent.core.errors import InvalidArgument, NotFound
from agent.core.ports import Embedder
from agent.core.types import Floats, Image

MOST_AT_ONCE = 64
"""Boxes in one inference: a picture full of false alarms must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """How pixels become a model's input."""

    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    order: str = "rgb"


class OnnxEmbedder:
    """One open model; several threads may ask it."""

    def __init__(self, what: str, session: Any, pixels: Pixels) -> None:
        self._what, self._session = what, session
        self._input = session.get_inputs()[0].name
        self._batch, self._channels_first, self._height, self._width = _size(what, session)
        self._factor = np.array([pixels.scale / std for std in pixels.std], np.float32)
        self._offset = np.array([mean / std for mean, std in zip(pixels.mean, pixels.std, strict=True)], np.float32)
        self._reverse = pixels.order == "rgb"
        # Two pictures: one alone would not show a graph that mixes them.
        self._features = self._run(np.zeros((self._batch or 2, self._height, self._width, 3), np.uint8)).shape[1]

    def embed(self, image: Image, boxes: Floats) -> Floats:
        """(N, D) unit vectors. Raises InvalidArgument (EMBEDDER_INVALID)."""
        crops = cut(image, boxes, width=self._width, height=self._height)
        step = self._batch or MOST_AT_ONCE
        parts = [self._run(crops[start : start + step]) for start in range(0, len(crops), step)]
        return np.concatenate([np.zeros((0, self._features), np.float32), *parts])

    def _run(self, crops: NDArray[np.uint8]) -> Floats:
        count = len(crops)
        if self._batch > count:
            crops = np.concatenate([crops, np.zeros((self._batch - count, *crops.shape[1:]), np.uint8)])
        values = (crops[..., ::-1] if self._reverse else crops) * self._factor - self._offset
        tensor = np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self._channels_first else values)
        try:
            output = np.array(self._session.run(None, {self._input: tensor})[0], np.float32)
        except Exception as error:  # ONNX Runtime's errors have no base of their own.
            raise _invalid(self._what, f"does not run: {str(error).splitlines()[0][:200]}") from error
        if output.shape[:1] != (len(tensor),) or not output.size:
            shown = f"{list(output.shape)} for {len(tensor)} pictures"
            raise _invalid(self._what, f"gives {shown}; it must give a row of features for each")
        features: Floats = output.reshape(len(tensor), -1)[:count]
        if not np.isfinite(features).all():
            raise _invalid(self._what, "gives values that are no numbers; are its mean and std right?")
        features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return features


def open_embedder(model: str = "") -> Embedder:
    """The model in the file `model`, after one inference.

    Raises InvalidArgument (NO_EMBEDDER_MODEL, EMBEDDER_INVALID), NotFound (EMBEDDER_NOT_FOUND).
    """
    import onnxruntime

    if not model:
        raise InvalidArgument("NO_EMBEDDER_MODEL", "the embedder onnx needs a model: set embedder.model to its file")
    path = Path(model).expanduser()
    if not path.is_file():
        raise NotFound("EMBEDDER_NOT_FOUND", f"there is no file {path}; embedder.model names the embedder's ONNX file")
    pixels = _pixels(path.with_suffix(".toml"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=onnxruntime.get_available_providers())
    except Exception as error:  # The same.
        raise _invalid(str(path), f"is no ONNX model that can be run: {str(error).splitlines()[0][:200]}") from error
    return OnnxEmbedder(str(path), session, pixels)


def _size(what: str, session: Any) -> tuple[int, bool, int, int]:
    """Boxes at once (0: any), whether channels come first, height and width."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if len(shape) == 4 and inputs[0].type == "tensor(float)" and outputs:
        batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else 0
        first = shape[1] == 3
        sides: Sequence[Any] = shape[2:] if first else shape[1:3]
        if (first or shape[3] == 3) and all(isinstance(side, int) and 0 < side <= 4096 for side in sides):
            return batch, first, sides[0], sides[1]
    shown = ", ".join(f"{one.type} {one.shape}" for one in inputs)
    raise _invalid(what, f"takes {shown}; it must take tensor(float) [N, 3, height, width] with fixed height and width")


def _pixels(path: Path) -> Pixels:
    """What the file beside the model says; the defaults where there is none."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Pixels()
    except (OSError, ValueError) as error:
        raise _invalid(str(path), f"cannot be read: {error}") from error
    unknown = sorted(set(told) - set(Pixels.__slots__))
    if unknown:
        raise _invalid(str(path), f"has the key {unknown[0]!r}; known: {', '.join(Pixels.__slots__)}")
    try:
        usual = Pixels()
        pixels = Pixels(
            scale=float(told.get("scale", usual.scale)),
            mean=tuple(float(value) for value in told.get("mean", usual.mean)),
            std=tuple(float(value) for value in told.get("std", usual.std)),
            order=told.get("order", usual.order),
        )
    except (TypeError, ValueError):
        pixels = Pixels(mean=())
    figures = (pixels.scale, *pixels.mean, *pixels.std)
    sound = len(pixels.mean) == len(pixels.std) == 3 and bool(np.isfinite(figures).all()) and min(pixels.std) > 0
    if not sound or pixels.order not in ("rgb", "bgr"):
        raise _invalid(
            str(path), 'needs scale (a number), mean and std (three each, std above 0), order "rgb" or "bgr"'
        )
    return pixels


def _invalid(what: str, why: str) -> InvalidArgument:
    return InvalidArgument("EMBEDDER_INVALID", f"{what} {why}")
