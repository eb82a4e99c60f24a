"""From labelled pictures and photos without animals to a network's input: cut, turned, coloured, put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Floats, Image
from agent.training import labels

FILL = 127


@dataclass(frozen=True, slots=True)
class Sample:
    """One input of the network."""

    image: Image
    boxes: Floats
    """(N, 4) left, top, right, bottom in pixels: what is to be found."""
    ignored: Floats
    """(M, 4) what is neither to be found nor held against it."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Where samples come from, and how often from where."""

    made: Sequence[Path]
    """Generated pictures with labels."""
    own: Sequence[Path] = ()
    """A farm's pictures with labels."""
    photos: Sequence[Image] = ()
    """Without an animal to be found."""
    photo_share: float = 0.25
    own_share: float = 0.4
    quilt_share: float = 0.15
    """Four pictures in one."""


def sample(stock: Stock, random: np.random.Generator, width: int, height: int) -> Sample:
    """One input of this size."""
    if random.random() < stock.quilt_share:
        return _quilt(stock, random, width, height)
    return _one(stock, random, width, height)


def _quilt(stock: Stock, random: np.random.Generator, width: int, height: int) -> Sample:
    """Four samples around a point."""
    x, y = (round(side * random.uniform(0.3, 0.7)) for side in (width, height))
    image = np.full((height, width, 3), FILL, np.uint8)
    boxes, ignored = [], []
    for left, top, right, bottom in ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)):
        part = _one(stock, random, right - left, bottom - top)
        image[top:bottom, left:right] = part.image
        offset = np.array([left, top, left, top], np.float32)
        boxes.append(part.boxes + offset)
        ignored.append(part.ignored + offset)
    return Sample(image, np.concatenate(boxes), np.concatenate(ignored))


def _one(stock: Stock, random: np.random.Generator, width: int, height: int) -> Sample:
    none = np.zeros((0, 4), np.float32)
    photo = bool(stock.photos) and random.random() < stock.photo_share
    if photo:
        image, boxes, classes = stock.photos[int(random.integers(len(stock.photos)))], none, np.zeros(0, np.int32)
    else:
        own = bool(stock.own) and (not stock.made or random.random() < stock.own_share)
        paths = stock.own if own else stock.made
        path = paths[int(random.integers(len(paths)))]
        read = cv2.imread(str(path))
        image = np.asarray(read, np.uint8) if read is not None else np.full((64, 64, 3), FILL, np.uint8)
        boxes, classes = labels.read(path, image.shape[1], image.shape[0])
    # What is no pig is seen from nearer and from farther: there are few photos.
    zoom = (0.45, 2.5) if photo else (0.65, 1.7)
    matrix = _placing(random, image, width, height, zoom)
    laid = _warped(image, matrix, width, height)
    boxes = _moved(boxes, matrix)
    kept, ignored = _clipped(boxes, classes, width, height)
    return Sample(_coloured(random, laid), kept, ignored)


def _placing(
    random: np.random.Generator, image: Image, width: int, height: int, zoom: tuple[float, float]
) -> np.ndarray:
    """(2, 3) how the picture lies in the input: mirrored, turned by quarters at times, larger or smaller, moved."""
    rows, columns = image.shape[:2]
    turn = np.array([[1.0, 0.0], [0.0, 1.0]])
    if random.random() < 0.2:
        turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    turn = turn @ np.diag([random.choice([-1, 1]), random.choice([-1, 1, 1, 1])])
    wide, tall = np.abs(turn @ [columns, rows])
    fit = min(width / wide, height / tall)
    scale = fit * (1.0 if random.random() < 0.3 else math.exp(random.uniform(*np.log(zoom))))
    stretch = np.diag(np.exp(random.normal(0, 0.06, 2)))
    linear = scale * stretch @ turn
    middle = np.array([width, height]) / 2 + random.uniform(-0.5, 0.5, 2) * np.abs(
        np.array([width, height]) - scale * np.array([wide, tall])
    )
    return np.column_stack([linear, middle - linear @ [columns / 2, rows / 2]])


def _warped(image: Image, matrix: np.ndarray, width: int, height: int) -> Image:
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if scale < 0.6:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / scale), np.uint8)
    grey = (FILL, FILL, FILL)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderValue=grey), np.uint8)


def _moved(boxes: Floats, matrix: np.ndarray) -> Floats:
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)


def _clipped(boxes: Floats, classes: np.ndarray, width: int, height: int) -> tuple[Floats, Floats]:
    """What lies within the input: to be found, and to be ignored because hardly anything is left of it."""
    inside = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    size = inside[:, 2:] - inside[:, :2]
    share = size.prod(1) / np.maximum(area, 1e-6)
    there = (size.min(1, initial=1e9) >= 1) & (share > 0.02)
    good = there & (classes != labels.IGNORED) & (share >= 0.25) & (size.min(1, initial=1e9) >= 5)
    return inside[good], inside[there & ~good]


def _coloured(random: np.random.Generator, image: Image) -> Image:
    """Brightness, contrast, colour; grey at times."""
    if random.random() < 0.6:
        table = np.arange(256, dtype=np.float32)
        table = (table - 127) * random.uniform(0.75, 1.3) + 127 + random.normal(0, 18)
        tint = random.normal(1, 0.05, 3)
        tables = np.clip(table[None, :, None] * tint, 0, 255).astype(np.uint8)
        image = np.asarray(cv2.LUT(image, tables), np.uint8)
    if random.random() < 0.12:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    return image
