"""How the simulated pen looks: a floor, and animals each in a flat colour of its own, its ink.

`inks()` is the one thing that the drawing and the detector of drawn animals (detectors/scripted.py) share: nothing
else in a picture has one of these colours, so that a picture alone tells who is where.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.simulation import MAX_ANIMALS, WALL_PX, State, Truth
from agent.core.types import Image, Ints

_SHIFT: Final = 4
"""Bits behind the point in the corners that cv2 draws."""
_COATS: Final = ((168, 182, 236), (140, 158, 222), (92, 122, 178), (84, 88, 104), (206, 214, 228), (58, 74, 112))
"""BGR of breeds: pink, rosy, red-brown, slate, whitish, dark brown."""
_FLOOR: Final = (112.0, 124.0, 128.0)
_STRAW: Final = (120, 178, 200)
_SHADOW: Final = np.array([3 << _SHIFT, 4 << _SHIFT], np.int32)
_PARTS: Final = np.array(
    [
        (0.0, 0.0, 1.0, 1.0),  # the body, in ink; all else lies within it
        (-0.10, 0.0, 0.52, 0.34),  # back
        (0.24, 0.20, 0.10, 0.17),  # ears
        (0.24, -0.20, 0.10, 0.17),
        (0.41, 0.0, 0.07, 0.20),  # snout
        (-0.42, 0.0, 0.07, 0.07),  # tail
    ]
)
"""Middle ahead and aside, length, width; in lengths and widths of the animal."""
_TURN: Final = np.linspace(0, 2 * math.pi, 40, endpoint=False)


class Painter:
    """Draws one pen; the floor is made once. The same figures and truth give the same picture."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        self._floor = _without_ink(_floor(np.random.default_rng(seed), width, height))
        self._shade = _without_ink((self._floor * 0.62).astype(np.uint8))
        self._inks = inks()
        self._dark = _without_ink((self._inks * 0.8).astype(np.uint8)[None])[0]
        self._light = _without_ink(np.clip(self._inks * 1.12 + 6, 0, 255).astype(np.uint8)[None])[0]

    def draw(self, truth: Truth) -> Image:
        """The picture of this moment; who stands or walks hides who lies."""
        canvas = self._floor.copy()
        shadows = np.zeros(canvas.shape[:2], np.uint8)
        outlines = _outlines(truth)
        for body in outlines[:, 0] + _SHADOW:
            cv2.fillConvexPoly(shadows, body, 255, cv2.LINE_8, _SHIFT)
        cv2.copyTo(self._shade, shadows, canvas)
        for i in np.argsort(truth.states != State.LYING, kind="stable"):
            ink, dark, light = (tuple(map(int, colours[i])) for colours in (self._inks, self._dark, self._light))
            for corners, colour in zip(outlines[i], (ink, light, dark, dark, dark, dark), strict=True):
                cv2.fillConvexPoly(canvas, corners, colour, cv2.LINE_8, _SHIFT)
        return canvas


def inks() -> Image:
    """(MAX_ANIMALS, 3) BGR of each animal: coats of pigs, no two alike in any single channel."""
    found = np.zeros((MAX_ANIMALS, 3), np.uint8)
    for channel in range(3):
        free = np.arange(40, 250)
        for i in range(MAX_ANIMALS):
            # Spread by the number, so that animals of one breed are told apart by eye as well.
            aim = _COATS[i % len(_COATS)][channel] + (i // len(_COATS) * 7 + channel * 3) % 25 - 12
            nearest = np.abs(free - aim).argmin()
            found[i, channel] = free[nearest]
            free = np.delete(free, nearest)
    return found


def ink_table() -> NDArray[np.uint8]:
    """(1, 256, 3) for cv2.LUT: ink i's value in each channel becomes i + 1, any other 0."""
    table = np.zeros((1, 256, 3), np.uint8)
    for i, ink in enumerate(inks()):
        table[0, ink, range(3)] = i + 1
    return table


def numbers(image: Image, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height, width) i + 1 where a pixel has exactly ink i, else 0."""
    blue, green, red = cv2.split(cv2.LUT(image, table))
    alike = cv2.bitwise_and(cv2.compare(blue, green, cv2.CMP_EQ), cv2.compare(green, red, cv2.CMP_EQ))
    return np.asarray(cv2.bitwise_and(blue, alike), np.uint8)


def _without_ink(image: Image) -> Image:
    """The picture with every pixel that happens to have an ink changed by one step, which makes it none."""
    clash = numbers(image, ink_table()) > 0
    image[clash, 0] += 1
    return image


def _outlines(truth: Truth) -> Ints:
    """(N, 6, 40, 2) corners for cv2 of each animal's parts, each an ellipse in the animal's own frame."""
    ahead, aside, length, width = _PARTS.T[:, :, None]
    along = (ahead + 0.5 * length * np.cos(_TURN)) * truth.sizes[:, 0, None, None]
    across = (aside + 0.5 * width * np.sin(_TURN)) * truth.sizes[:, 1, None, None]
    x, y, heading = truth.poses.T[:, :, None, None]
    cos, sin = np.cos(heading), np.sin(heading)
    corners = np.stack([x + along * cos - across * sin, y + along * sin + across * cos], -1)
    # To cv2 a whole number is the middle of a pixel, to a box its edge.
    return np.round((corners - 0.5) * (1 << _SHIFT)).astype(np.int32)


def _floor(random: np.random.Generator, width: int, height: int) -> Image:
    """Worn concrete, slats in the lower third, straw, a wall around."""
    patches = random.normal(0, 6, (max(2, height // 40), max(2, width // 40))).astype(np.float32)
    worn = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = random.normal(0, 3.5, (height, width)).astype(np.float32)
    floor = np.array(_FLOOR, np.float32) + (worn + grain)[..., None]
    top = height * 2 // 3
    pitch = max(8, height // 30)
    slot = np.arange(width) % pitch < max(2, pitch // 5)
    floor[top:, slot] *= 0.72
    image = np.clip(floor, 0, 255).astype(np.uint8)
    for x, y, angle in random.uniform((0, 0, 0), (width, top, math.pi), (width * height // 900, 3)):
        tip = (round(x + 7 * math.cos(angle)), round(y + 7 * math.sin(angle)))
        cv2.line(image, (round(x), round(y)), tip, _STRAW, 1, cv2.LINE_AA)
    cv2.rectangle(image, (0, 0), (width - 1, height - 1), (70, 74, 78), 2 * WALL_PX - 1)
    return image
