"""Floors: concrete, slats of concrete, plastic and iron, straw, shavings, earth, mats; or any photo that is given."""

from __future__ import annotations

import math

import cv2
import numpy as np

from agent.core.pigs.noise import Noise
from agent.core.types import Doubles, Floats, Image

SIDE = 640
"""Pixels of a floor's texture, each way."""
_PLASTIC = (
    (40, 110, 190),
    (60, 130, 70),
    (150, 150, 150),
    (200, 200, 200),
    (45, 45, 45),
    (130, 110, 60),
    (60, 70, 150),
)
_WOOD = ((120, 170, 200), (90, 140, 175), (140, 185, 205))


class Floors:
    """Floors of one seed, each made when it is first asked for and kept."""

    def __init__(self, seed: int, noise: Noise, kept: int = 32) -> None:
        self._seed, self._noise, self._count = seed, noise, kept
        self._kept: dict[int, tuple[Image, float]] = {}
        random = np.random.default_rng([seed, 11])
        self._straws = [_straw(random, noise) for _ in range(3)]

    def pick(self, random: np.random.Generator) -> tuple[Floats, float]:
        """(SIDE, SIDE, 3) BGR of a floor, and how many pig lengths it is wide."""
        number = int(random.integers(self._count))
        if number not in self._kept:
            own = np.random.default_rng([self._seed, 12, number])
            size = float(own.uniform(5, 11))
            self._kept[number] = np.clip(self._make(own, size), 0, 255).astype(np.uint8), size
        image, size = self._kept[number]
        tint = random.normal(1, 0.05, 3) * random.uniform(0.75, 1.2)
        return np.asarray(image * tint, np.float32), size * float(random.uniform(0.7, 1.3))

    def _make(self, random: np.random.Generator, size: float) -> Floats:
        makers = (_concrete, _slats, _slats, _grid, _grid, _grid, self._litter, self._litter, _earth, _planks, _plain)
        px = SIDE / size
        floor = makers[int(random.integers(len(makers)))](random, self._noise, px)
        if random.random() < 0.3:  # partly slatted, partly solid
            other = makers[int(random.integers(len(makers)))](random, self._noise, px)
            at = int(SIDE * random.uniform(0.25, 0.75))
            part = (slice(at, None), slice(None)) if random.random() < 0.5 else (slice(None), slice(at, None))
            floor[part] = other[part]
        return self._soiled(random, floor)

    def _litter(self, random: np.random.Generator, noise: Noise, px: float) -> Floats:
        """Straw deep or thin over concrete."""
        straw = self._straws[int(random.integers(len(self._straws)))]
        straw = np.rot90(straw, int(random.integers(4))) * np.float32(random.uniform(0.6, 1.15))
        if random.random() < 0.4:
            return np.ascontiguousarray(straw)
        ground = _concrete(random, noise, px)
        thick = np.clip(noise.cloud(random, SIDE, SIDE, 2) * 1.5 + random.normal(0, 1), 0, 1)[..., None]
        return np.asarray(ground + (straw - ground) * thick, np.float32)

    def _soiled(self, random: np.random.Generator, floor: Floats) -> Floats:
        """Dung, wet patches, wear."""
        if random.random() < 0.7:
            dirt = np.array(random.choice([(30, 42, 55), (45, 60, 75), (25, 30, 35), (70, 90, 105)]), np.float32)
            dirt = dirt * random.uniform(0.6, 1.3)
            where = self._noise.cloud(random, SIDE, SIDE, random.uniform(0.8, 2.5)) - random.uniform(0.2, 1.6)
            share = np.clip(where * random.uniform(0.6, 3), 0, random.uniform(0.3, 0.9))[..., None]
            floor = floor + (dirt - floor) * share
        if random.random() < 0.3:
            wet = np.clip(self._noise.cloud(random, SIDE, SIDE, 2) * 2 - random.uniform(0, 3), 0, 1)[..., None]
            floor = floor * (1 - 0.35 * wet)
        return np.asarray(floor, np.float32)


def lay(floor: Floats, size: float, homography: Doubles, width: int, height: int, turn: float) -> Floats:
    """(height, width, 3) the floor, `size` lengths wide about the origin and turned, as seen; mirrored beyond."""
    scale = size / SIDE
    cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
    half = SIDE / 2
    placed = np.array([[cos, -sin, half * (sin - cos)], [sin, cos, -half * (sin + cos)], [0, 0, 1]])
    return np.asarray(
        cv2.warpPerspective(
            floor, homography @ placed, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        ),
        np.float32,
    )


def _flat(colour: Doubles | tuple[float, ...]) -> Floats:
    return np.full((SIDE, SIDE, 3), np.asarray(colour, np.float32), np.float32)


def _concrete(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    grey = random.uniform(70, 190)
    base = _flat(grey * random.normal((0.96, 1.0, 1.04), 0.03))
    rough = noise.cloud(random, SIDE, SIDE, random.uniform(1, 3)) * random.uniform(3, 16)
    rough += noise.grain(random, SIDE, SIDE, random.uniform(1, 2)) * random.uniform(1, 8)
    return np.asarray(base + rough[..., None], np.float32)


def _plain(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    """Painted, or a mat of rubber."""
    base = _flat(random.uniform(20, 210, 3) * 0.4 + random.uniform(20, 200) * 0.6)
    return np.asarray(base + (noise.cloud(random, SIDE, SIDE, 2) * random.uniform(1, 10))[..., None], np.float32)


def _slats(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    """Bars with slots between them: 8 to 14 to a grown pig's length, or as iron far more."""
    floor = _concrete(random, noise, px)
    iron = random.random() < 0.35
    pitch = px / (random.uniform(14, 34) if iron else random.uniform(5, 12))
    if iron:
        floor *= random.uniform(0.5, 1.0)
    slot = random.uniform(0.12, 0.3) if not iron else random.uniform(0.3, 0.5)
    at = (np.arange(SIDE) + random.uniform(0, pitch)) / pitch
    gap = np.clip((slot / 2 - np.abs(at % 1 - 0.5)) * pitch + 0.5, 0, 1)
    depth = random.uniform(0.35, 0.95)
    cross = np.ones(SIDE)
    if random.random() < 0.6:  # the bars are joined now and then
        long = px * random.uniform(0.35, 1.2)
        cross = np.clip((np.abs((np.arange(SIDE) / long) % 1 - 0.5) - 0.06) * long + 0.5, 0, 1)
    dark = 1 - depth * cross[:, None] * gap[None]
    edge = 1 + 0.1 * np.clip(np.roll(gap, 1) - gap, 0, 1)
    floor *= (dark * edge)[..., None].astype(np.float32)
    if random.random() < 0.5:
        panel = px * random.uniform(0.8, 2.5)
        seam = np.arange(SIDE) % panel < 2
        floor[:, seam] *= 0.75
    return np.rot90(floor).copy() if random.random() < 0.5 else floor


def _grid(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    """Plastic or cast grids: slots in rows, each row shifted or not, in panels."""
    colour = np.array(_PLASTIC[int(random.integers(len(_PLASTIC)))], np.float64) * random.uniform(0.6, 1.15)
    if random.random() < 0.3:
        colour = np.full(3, random.uniform(60, 200))
    floor = _flat(colour) + (noise.cloud(random, SIDE, SIDE, 2) * random.uniform(2, 10))[..., None]
    wide, long = px / random.uniform(12, 40), px / random.uniform(4, 16)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    row = np.floor(y / long)
    shift = 0.5 if random.random() < 0.5 else 0.0
    u, v = (x / wide + row * shift) % 1, (y / long) % 1
    if random.random() < 0.3:  # slots across and along by turns, as in woven grids
        block = (np.floor(x / (3 * wide)) + np.floor(y / (3 * wide))) % 2
        u, v = (
            np.where(block > 0, (x / wide) % 1, (y / wide) % 1),
            np.where(block > 0, (y / (3 * wide)) % 1, (x / (3 * wide)) % 1),
        )
        long = 3 * wide
    hole = np.clip((random.uniform(0.2, 0.32) - np.abs(u - 0.5)) * wide + 0.5, 0, 1)
    hole *= np.clip((random.uniform(0.32, 0.44) - np.abs(v - 0.5)) * long + 0.5, 0, 1)
    floor *= (1 - random.uniform(0.3, 0.9) * hole)[..., None]
    panel = px * random.uniform(0.5, 1.5)
    for axis in (0, 1):
        seam = np.nonzero(np.arange(SIDE) % panel < 1.6)[0]
        if axis:
            floor[:, seam] *= 0.7
        else:
            floor[seam] *= 0.7
    return np.asarray(floor, np.float32)


def _earth(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    """Earth, mud, sand, shavings, grass."""
    colour = random.choice(
        [(60, 85, 110), (45, 60, 75), (130, 165, 190), (110, 150, 180), (60, 110, 80), (150, 185, 205)]
    )
    base = _flat(np.array(colour) * random.uniform(0.7, 1.2))
    rough = noise.cloud(random, SIDE, SIDE, 1.5) * random.uniform(6, 22) + noise.grain(
        random, SIDE, SIDE, 1.5
    ) * random.uniform(4, 22)
    return np.asarray(base + rough[..., None] * np.array([0.9, 1, 1.1], np.float32), np.float32)


def _planks(random: np.random.Generator, noise: Noise, px: float) -> Floats:
    """Boards, or tiles."""
    base = _flat(np.array(_WOOD[int(random.integers(3))]) * random.uniform(0.5, 1.1))
    grain = cv2.resize(noise.grain(random, SIDE, 24), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    base += (grain * random.uniform(2, 9) + noise.cloud(random, SIDE, SIDE, 2) * 6)[..., None]
    pitch = px * random.uniform(0.15, 0.5)
    base[:, np.arange(SIDE) % pitch < 2] *= 0.6
    if random.random() < 0.5:
        base[np.arange(SIDE) % (pitch * random.uniform(1, 3)) < 2] *= 0.65
    return np.asarray(base, np.float32)


def _straw(random: np.random.Generator, noise: Noise) -> Floats:
    """Some thousand stalks, the later ones on top and lighter."""
    base = np.full((SIDE, SIDE, 3), (60, 95, 115), np.uint8)
    count, long = int(random.integers(3500, 7000)), random.uniform(14, 45)
    ends = random.uniform(0, SIDE, (count, 2))
    turns = random.uniform(0, math.pi, count)
    lengths = long * random.uniform(0.4, 1.3, count)
    tips = ends + np.stack([np.cos(turns), np.sin(turns)], 1) * lengths[:, None]
    light = np.linspace(0.55, 1.1, count) * random.uniform(0.8, 1.2, count)
    hue = np.array([120.0, 175.0, 205.0]) * random.uniform(0.85, 1.1)
    for a, b, k in zip(ends, tips, light, strict=True):
        colour = tuple(np.clip(hue * k, 0, 255).tolist())
        cv2.line(base, (round(a[0]), round(a[1])), (round(b[0]), round(b[1])), colour, 1 + int(k > 1.0), cv2.LINE_AA)
    soft = np.asarray(cv2.GaussianBlur(base, (0, 0), 0.7), np.float32)
    return np.asarray(soft + (noise.cloud(random, SIDE, SIDE, 2) * 8)[..., None], np.float32)
