"""The picture while it is made: sprites are lit, laid over one another, and it is known who is seen where."""

from __future__ import annotations

import cmath
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.pigs.camera import Camera
from agent.core.pigs.sprite import Sprite, axis
from agent.core.types import Doubles, Floats, Image

NOBODY = 0


@dataclass(frozen=True, slots=True)
class Light:
    """How a scene is lit."""

    way: tuple[float, float, float]
    """Unit vector towards the lamp: right, down, towards the camera."""
    ambient: float
    lamp: float
    shine: float
    """Of wet or greasy skin."""
    tint: tuple[float, float, float]
    shadow: float
    """How dark it is under and between the animals, 0..1."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A sprite as it lies in the picture: its pixels within a window."""

    left: int
    top: int
    surface: Image
    skin: Image


class Canvas:
    """A picture of floats with, beside it, the number of whoever is seen in each pixel."""

    def __init__(self, ground: Floats) -> None:
        self.image = ground
        self.owner: NDArray[np.int16] = np.zeros(ground.shape[:2], np.int16)

    def stamp(self, patch: Patch, colour: Floats, light: Light, number: int) -> float:
        """Lays a sprite over what is there; returns how many pixels it covers, the frame's edge left aside."""
        cover = patch.surface[..., 0].astype(np.float32) / 255
        whole = float(cover.sum())
        part, own = _overlap(patch, self.owner.shape)
        if part is None:
            return whole
        lit = _lit(patch, colour, light)
        self._shade(patch, light)
        share = cover[own][..., None]
        piece = self.image[part]
        piece += (lit[own] - piece) * share
        self.owner[part][cover[own] > 0.5] = number
        return whole

    def _shade(self, patch: Patch, light: Light) -> None:
        """Darkens what lies around and beneath before the sprite itself is laid on."""
        size = max(patch.surface.shape[:2])
        spread = max(1.0, size * 0.025)
        pad = int(3 * spread)
        cover = np.pad(patch.surface[..., 0], pad)
        soft = np.asarray(cv2.GaussianBlur(cover, (0, 0), spread), np.float32) / 255
        moved = Patch(
            patch.left - pad - round(light.way[0] * spread * 1.5),
            patch.top - pad - round(light.way[1] * spread * 1.5),
            cover[..., None],
            patch.skin,
        )
        part, own = _overlap(moved, self.owner.shape)
        if part is not None:
            self.image[part] *= (1 - light.shadow * np.clip(soft[own] * 1.4, 0, 1))[..., None]


def lay(
    sprite: Sprite,
    camera: Camera,
    place: Doubles,
    heading: float,
    size: float,
    mirrored: bool = False,
    lifted: float = 0.0,
) -> Patch:
    """The sprite at a place on the floor (x, y), looking `heading` radians to the left of x, `size` lengths long."""
    px = camera.view(place)[2]
    at = np.array([[place[0], place[1], lifted], [place[0], place[1], lifted + 0.2]])
    ahead = [place[0] + 0.2 * np.cos(heading), place[1] + 0.2 * np.sin(heading), lifted]
    seen = camera.see(np.vstack([at, [ahead]]))
    foot = complex(*seen[0])
    wanted_up, wanted_ahead = complex(*seen[1]) - foot, complex(*seen[2]) - foot
    azimuth = -sprite.azimuth if mirrored else sprite.azimuth
    own_up, own_ahead = sprite.up, axis(sprite.elevation, azimuth)
    # The turn in the picture that brings both its up and its way ahead nearest to where they are seen.
    turn = cmath.phase(own_up.conjugate() * wanted_up + own_ahead.conjugate() * wanted_ahead + 1e-12)
    return _warped(sprite, foot, turn, px * size / sprite.px, mirrored)


def compass_azimuth(camera: Camera, place: Doubles, heading: float) -> float:
    """The azimuth that a sprite should have to look `heading` at this place."""
    return heading - camera.view(place)[1]


def _warped(sprite: Sprite, foot: complex, turn: float, scale: float, mirrored: bool) -> Patch:
    """The sprite's pixels turned, scaled, at their place."""
    height, width = sprite.surface.shape[:2]
    flip = -1.0 if mirrored else 1.0
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[cos * flip, -sin], [sin * flip, cos]])
    corners = (np.array([[0, 0], [width, 0], [0, height], [width, height]]) - sprite.origin) @ linear.T
    corners += [foot.real, foot.imag]
    low = np.floor(corners.min(0)).astype(int) - 1
    high = np.ceil(corners.max(0)).astype(int) + 1
    shift = np.array([foot.real, foot.imag]) - low - linear @ np.array(sprite.origin)
    matrix = np.column_stack([linear, shift])
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    source, skin = sprite.surface, sprite.skin
    if scale < 0.6:  # fine sprites are made coarser first, or they would glitter
        blur = 0.45 / scale
        source, skin = (np.asarray(cv2.GaussianBlur(one, (0, 0), blur), np.uint8) for one in (source, skin))
    empty = (0, 128, 128, 0)
    surface = np.asarray(cv2.warpAffine(source, matrix, size, borderValue=empty), np.uint8)
    skin = np.asarray(cv2.warpAffine(skin, matrix, size), np.uint8)
    nx = (surface[..., 1].astype(np.float32) - 128) * flip
    ny = surface[..., 2].astype(np.float32) - 128
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    surface[..., 1] = np.clip(128 + c * nx - s * ny, 0, 255)
    surface[..., 2] = np.clip(128 + s * nx + c * ny, 0, 255)
    return Patch(int(low[0]), int(low[1]), surface, skin)


def _overlap(patch: Patch, shape: tuple[int, ...]) -> tuple[tuple[slice, slice] | None, tuple[slice, slice]]:
    """(rows and columns of the picture, of the patch) where both are."""
    height, width = patch.surface.shape[:2]
    top, left = max(0, patch.top), max(0, patch.left)
    bottom, right = min(shape[0], patch.top + height), min(shape[1], patch.left + width)
    own = slice(top - patch.top, bottom - patch.top), slice(left - patch.left, right - patch.left)
    if bottom <= top or right <= left:
        return None, own
    return (slice(top, bottom), slice(left, right)), own


def _lit(patch: Patch, colour: Floats, light: Light) -> Floats:
    """The colours under the lamp and the light from all around."""
    nx = (patch.surface[..., 1].astype(np.float32) - 128) / 127
    ny = (patch.surface[..., 2].astype(np.float32) - 128) / 127
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    x, y, z = light.way
    towards = nx * x + ny * y + nz * z
    tall = patch.surface[..., 3].astype(np.float32) / 255
    # Light wraps around soft skin a little; near the floor there is less of it.
    strength = light.ambient * (0.7 + 0.3 * nz) + light.lamp * np.clip(towards * 0.8 + 0.2, 0, None)
    strength *= 0.72 + 0.28 * np.clip(tall * 2.2, 0, 1)
    lit = colour * strength[..., None] * np.array(light.tint, np.float32)
    if light.shine:
        # The half-way vector between lamp and camera.
        half = np.array([x, y, z + 1.0])
        half /= np.linalg.norm(half)
        glint = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** 24
        lit += (light.shine * 255 * glint)[..., None]
    return np.asarray(lit, np.float32)
