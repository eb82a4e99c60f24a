"""Sprites: a solid seen by a camera from one side, kept with its surface so that light and coat can vary later."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.pigs.solid import Solid
from agent.core.types import Doubles, Image

PX: float = 120.0
"""Pixels of a sprite to one length."""
_MARGIN = 3
_NEAREST = 0.35
"""To the distance of the origin: nearer parts are drawn as if they were so far away."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """One view of one solid. x of its picture is to the right, y down."""

    surface: Image
    """(H, W, 4) share covered, the normal's x and y as 128 + 127 n, height above the floor / 0.7; all as 0..255."""
    skin: Image
    """(H, W, 3) along, pink, dark of the solid as 0..255."""
    origin: tuple[float, float]
    """Pixel where the solid's own origin on the floor is seen."""
    elevation: float
    """Of the camera above the horizon, radians: pi / 2 looks straight down."""
    azimuth: float
    """Radians to the left from the way the camera looks to the way the solid looks, on the floor."""
    kind: int = 0
    """Of a pig its Posture; of other things library.OTHER."""
    px: float = PX
    """Of its own pixels to one length."""

    @property
    def ahead(self) -> complex:
        """Where the solid's way ahead goes in the picture: x + iy for one length."""
        return axis(self.elevation, self.azimuth)

    @property
    def up(self) -> complex:
        """Where upwards goes in the picture."""
        return complex(0, -math.cos(self.elevation))


def axis(elevation: float, azimuth: float) -> complex:
    """How a length on the floor is seen that lies `azimuth` to the left of the way a camera looks."""
    return complex(-math.sin(azimuth), -math.cos(azimuth) * math.sin(elevation))


def render(
    solid: Solid, elevation: float, azimuth: float, kind: int = 0, px: float = PX, far: float = math.inf
) -> Sprite:
    """The solid as a camera sees it that is `far` lengths from its origin; `px` pixels to a length there."""
    points = _seen(solid, elevation, azimuth)
    # What is nearer to the camera is larger.
    grow = 1 / np.maximum(1 - points[:, 2] / far, _NEAREST)
    points, radii = points * grow[:, None] * px, solid.radii * grow * px
    low = np.floor((points[:, :2] - radii[:, None]).min(0)).astype(int) - _MARGIN
    high = np.ceil((points[:, :2] + radii[:, None]).max(0)).astype(int) + _MARGIN
    width, height = int(high[0] - low[0]), int(high[1] - low[1])
    owner, cover = _draw(points - [*low, 0.0], radii, width, height)
    inside = owner >= 0
    owner[~inside] = 0
    normals = _normals(owner, inside, points[:, :2] - low, radii)
    tall = (solid.centres[:, 2] / 0.7 * 255)[owner]
    surface = np.dstack([cover * 255, 128 + 127 * normals, np.where(inside, tall, 0)])
    skin = np.stack([solid.along, solid.pink, solid.dark], 1)[owner] * 255 * inside[..., None]
    smooth = cv2.GaussianBlur(np.ascontiguousarray(skin, np.float32), (0, 0), 1.2)
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.2)[..., None]
    skin = smooth / np.maximum(weight, 1e-3)
    return Sprite(
        np.clip(np.round(surface), 0, 255).astype(np.uint8),
        np.clip(np.round(skin), 0, 255).astype(np.uint8),
        (float(-low[0]), float(-low[1])),
        elevation,
        azimuth,
        kind,
        px,
    )


def _seen(solid: Solid, elevation: float, azimuth: float) -> Doubles:
    """(N, 3) to the right, down, towards the camera; in lengths."""
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    x, y, z = solid.centres.T
    # away: along the way the camera looks, on the floor; aside: to the camera's right.
    away, aside = x * cos - y * sin, -(x * sin + y * cos)
    up, over = math.cos(elevation), math.sin(elevation)
    return np.stack([aside, -(away * over + z * up), z * over - away * up], 1)


def _draw(points: Doubles, radii: Doubles, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Which ball is seen in each pixel, -1 none; how much of it is covered."""
    depth = np.full((height, width), -np.inf, np.float32)
    owner = np.full((height, width), -1, np.intp)
    cover = np.zeros((height, width), np.float32)
    for number in range(len(radii)):
        x, y, near = points[number]
        r = radii[number]
        left, top = max(0, int(x - r - 1)), max(0, int(y - r - 1))
        right, bottom = min(width, int(x + r + 2)), min(height, int(y + r + 2))
        dx = np.arange(left, right, dtype=np.float32) + 0.5 - np.float32(x)
        dy = np.arange(top, bottom, dtype=np.float32) + 0.5 - np.float32(y)
        apart = dx[None] ** 2 + dy[:, None] ** 2
        part = slice(top, bottom), slice(left, right)
        np.maximum(cover[part], np.clip(r + 0.5 - np.sqrt(apart), 0, 1), out=cover[part])
        front = near + np.sqrt(np.maximum(r * r - apart, 0))
        wins = (apart < (r + 0.5) ** 2) & (front > depth[part])
        depth[part][wins] = front[wins]
        owner[part][wins] = number
    return owner, cover


def _normals(owner: np.ndarray, inside: np.ndarray, middles: Doubles, radii: Doubles) -> np.ndarray:
    """(H, W, 2) x and y of the surface's unit normal, smoothed within the outline."""
    height, width = owner.shape
    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
    raw = (grid - middles[owner]) / radii[owner][..., None]
    raw = np.where(inside[..., None], np.clip(raw, -1, 1), 0).astype(np.float32)
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.8)
    smooth = cv2.GaussianBlur(raw, (0, 0), 1.8) / np.maximum(weight, 1e-3)[..., None]
    length = np.linalg.norm(smooth, axis=-1, keepdims=True)
    return np.asarray(smooth / np.maximum(length, 1.0), np.float32)
