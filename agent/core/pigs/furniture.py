"""Walls, troughs, feeders, pipes: prisms that stand on the floor of a pen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.pigs.camera import Camera
from agent.core.pigs.canvas import NOBODY, Canvas
from agent.core.pigs.noise import Noise
from agent.core.types import Doubles


@dataclass(frozen=True, slots=True)
class Prism:
    """Upright sides over an outline on the floor, with a lid."""

    outline: Doubles
    """(K, 2) corners on the floor."""
    bottom: float
    top: float
    colour: tuple[float, float, float]
    rough: float = 5.0
    hollow: bool = False
    """An open top, dark within: a trough."""

    @property
    def middle(self) -> Doubles:
        return np.asarray(self.outline.mean(0), np.float64)


def box(middle: Doubles, length: float, width: float, turn: float) -> Doubles:
    """(4, 2) corners of a rectangle on the floor."""
    cos, sin = math.cos(turn), math.sin(turn)
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [length / 2, width / 2]
    return np.asarray(middle + corners @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def round_outline(middle: Doubles, radius: float) -> Doubles:
    """(14, 2) corners of a round."""
    turn = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    return np.asarray(middle + radius * np.stack([np.cos(turn), np.sin(turn)], 1), np.float64)


def draw(canvas: Canvas, camera: Camera, prism: Prism, random: np.random.Generator, noise: Noise) -> None:
    """Over everything that is there already; whoever is behind is no longer seen."""
    count = len(prism.outline)
    low = camera.see(np.column_stack([prism.outline, np.full(count, prism.bottom)]))
    high = camera.see(np.column_stack([prism.outline, np.full(count, prism.top)]))
    far = np.linalg.norm(prism.outline - camera.place[:2], axis=1)
    order = sorted(range(count), key=lambda i: -(far[i] + far[(i + 1) % count]))
    for i in order:
        j = (i + 1) % count
        side = np.array([low[i], low[j], high[j], high[i]])
        across = prism.outline[j] - prism.outline[i]
        shade = 0.62 + 0.25 * abs(across[0]) / max(1e-6, float(np.hypot(*across)))
        _fill(canvas, side, prism, shade, random, noise)
    _fill(canvas, high, prism, 1.0, random, noise)
    if prism.hollow:
        inner = high.mean(0) + (high - high.mean(0)) * 0.8
        _fill(canvas, inner, prism, 0.4, random, noise)


def _fill(
    canvas: Canvas, corners: Doubles, prism: Prism, shade: float, random: np.random.Generator, noise: Noise
) -> None:
    height, width = canvas.owner.shape[:2]
    corners = np.clip(corners, -4 * width, 5 * width)
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, [width, height])
    if right - left < 1 or bottom - top < 1:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    points = np.round((corners - [left, top]) * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
    share = mask.astype(np.float32)[..., None] / 255
    field = noise.cloud(random, bottom - top, right - left, 2.0) * prism.rough
    colour = np.asarray(prism.colour, np.float32) * shade + field[..., None]
    piece = canvas.image[top:bottom, left:right]
    piece += (colour - piece) * share
    canvas.owner[top:bottom, left:right][mask > 127] = NOBODY


def any_furniture(random: np.random.Generator, reach: float) -> list[Prism]:
    """Walls around or beside a pen, and what stands in it; `reach` is half of what the camera sees, in lengths."""
    turn = float(random.normal(0, 0.12))
    found = _walls(random, reach, turn)
    makers = (_trough, _hopper, _pipe, _mat, _crate)
    for _ in range(int(random.choice([0, 1, 1, 2, 3]))):
        maker = makers[int(random.choice(5, p=[0.35, 0.2, 0.2, 0.15, 0.1]))]
        found += maker(random, random.uniform(-reach, reach, 2), turn)
    return found


def _walls(random: np.random.Generator, reach: float, turn: float) -> list[Prism]:
    """On some sides a wall, or bars."""
    found: list[Prism] = []
    ahead, aside = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    usual = _colour(random)
    for side, normal in enumerate((ahead, aside, -ahead, -aside)):
        if random.random() > 0.55:
            continue
        away, tall, thick = random.uniform([0.65 * reach, 0.4, 0.04], [1.25 * reach, 1.0, 0.14])
        colour = usual if random.random() < 0.7 else _colour(random)
        outline = box(normal * away, reach * 6, float(thick), turn + (side + 1) * math.pi / 2)
        if random.random() < 0.3:
            levels = np.linspace(0.15, tall, int(random.integers(2, 5)))
            found += [Prism(outline, float(level), float(level) + 0.035, colour, 3.0) for level in levels]
        else:
            found.append(Prism(outline, 0.0, float(tall), colour, float(random.uniform(1, 9))))
    return found


def _trough(random: np.random.Generator, middle: Doubles, turn: float) -> list[Prism]:
    long, wide, tall = random.uniform([0.6, 0.22, 0.1], [3, 0.4, 0.25])
    outline = box(middle, long, wide, turn + float(random.choice([0, math.pi / 2])))
    return [Prism(outline, 0.0, float(tall), _colour(random), 6.0, True)]


def _hopper(random: np.random.Generator, middle: Doubles, turn: float) -> list[Prism]:
    outline = round_outline(middle, float(random.uniform(0.15, 0.4)))
    if random.random() < 0.5:
        outline = box(middle, float(random.uniform(0.4, 0.9)), float(random.uniform(0.3, 0.6)), turn)
    return [Prism(outline, 0.0, float(random.uniform(0.4, 0.9)), _colour(random), 5.0, bool(random.random() < 0.5))]


def _pipe(random: np.random.Generator, middle: Doubles, turn: float) -> list[Prism]:
    """With the drinker at it."""
    return [Prism(box(middle, 0.05, 0.05, turn), 0.0, float(random.uniform(0.4, 1.3)), _colour(random), 3.0)]


def _mat(random: np.random.Generator, middle: Doubles, turn: float) -> list[Prism]:
    """A heated mat, or the cover of a creep."""
    long, wide = random.uniform([0.8, 0.6], [2, 1.2])
    return [Prism(box(middle, long, wide, turn), 0.0, float(random.choice([0.02, 0.5])), _colour(random))]


def _crate(random: np.random.Generator, middle: Doubles, turn: float) -> list[Prism]:
    """Rails on both sides of a sow."""
    aside, colour = np.array([-math.sin(turn), math.cos(turn)]) * 0.3, _colour(random)
    return [
        Prism(box(middle + side * aside, 2.0, 0.03, turn), level, level + 0.04, colour, 3.0)
        for side in (-1, 1)
        for level in (0.25, 0.5, 0.75)
    ]


def _colour(random: np.random.Generator) -> tuple[float, float, float]:
    grey = random.uniform(40, 225)
    tint = random.normal(0, random.choice([4, 25]), 3)
    blue, green, red = np.clip(grey + tint, 10, 245)
    return float(blue), float(green), float(red)
