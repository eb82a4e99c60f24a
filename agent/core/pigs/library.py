"""Some hundreds or thousands of sprites, drawn once, and the choice of one that fits a place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.core.pigs.anatomy import Posture, any_build, any_pose, pig
from agent.core.pigs.others import any_other
from agent.core.pigs.sprite import PX, Sprite, render

_SHARES = (0.45, 0.25, 0.22, 0.08)
"""Standing, on the side, on the chest, sitting."""
OTHER = len(Posture)
"""Sprite.kind of what is no pig."""
_NEAR_PX = 2.5 * PX
_SHARPNESS = 3.0
"""What a sprite half as fine as it will be seen is worse by; 1 is as much as 0.15 radians of elevation."""


@dataclass(frozen=True, slots=True)
class Library:
    """Sprites and, of each, what one looks for."""

    sprites: tuple[Sprite, ...]
    kinds: np.ndarray
    elevations: np.ndarray
    azimuths: np.ndarray
    fineness: np.ndarray
    """Pixels to a length of each."""

    def pick(
        self,
        random: np.random.Generator,
        kinds: Sequence[int],
        elevation: float,
        azimuth: float,
        px: float = PX,
        best: int = 8,
    ) -> tuple[Sprite, bool]:
        """One of the `best` that come nearest to being seen so, and whether it must be mirrored for it.

        `px` pixels will be a length. Where a small library has none of these kinds it is another of its animals.
        """
        wanted = np.isin(self.kinds, kinds)
        if not wanted.any():
            wanted = self.kinds != OTHER
        off = np.abs(self.elevations - elevation) / 0.15
        # From above any way round will do: the picture of it is turned.
        weight = math.cos(elevation) / 0.25
        plain, mirrored = _apart(self.azimuths - azimuth), _apart(-self.azimuths - azimuth)
        mirror = mirrored < plain
        off = off + weight * np.minimum(plain, mirrored) + _SHARPNESS * np.abs(np.log2(self.fineness / px))
        off = np.where(wanted, off, np.inf)
        near = np.argsort(off, kind="stable")[: min(best, int(wanted.sum()))]
        chosen = int(random.choice(near))
        return self.sprites[chosen], bool(mirror[chosen])


def library(seed: int, count: int = 1500, others: int = 200) -> Library:
    """`count` sprites of pigs and `others` of other things; some 20 ms each."""
    return collect([draw_one(seed, number, number >= count) for number in range(count + others)])


def draw_near(seed: int, number: int) -> Sprite:
    """Sprite `number` of pigs right before a camera: fine, with perspective, mostly aslant and from the front."""
    random = np.random.default_rng([seed, number, 2])
    elevation = math.asin(random.uniform(0.08, 0.85))
    azimuth = float(math.pi + random.normal(0, 0.8) if random.random() < 0.6 else random.uniform(-math.pi, math.pi))
    posture = Posture(int(random.choice(len(_SHARES), p=_SHARES)))
    far = math.exp(random.uniform(math.log(0.9), math.log(3)))
    return render(pig(any_build(random), any_pose(random, posture)), elevation, azimuth, posture, _NEAR_PX, far)


def draw_one(seed: int, number: int, other: bool) -> Sprite:
    """Sprite `number` of a library: the same for the same seed, whoever draws it."""
    random = np.random.default_rng([seed, number])
    # Evenly over the half of the sky that cameras hang in, and more straight from above.
    height = random.choice([random.uniform(0.15, 1.0), random.uniform(0.8, 1.0)], p=[0.75, 0.25])
    elevation, azimuth = math.asin(height), float(random.uniform(-math.pi, math.pi))
    if other:
        return render(any_other(random), elevation, azimuth, OTHER)
    posture = Posture(int(random.choice(len(_SHARES), p=_SHARES)))
    return render(pig(any_build(random), any_pose(random, posture)), elevation, azimuth, posture)


def collect(sprites: Sequence[Sprite]) -> Library:
    """A library of these sprites."""
    return Library(
        tuple(sprites),
        np.array([sprite.kind for sprite in sprites]),
        np.array([sprite.elevation for sprite in sprites]),
        np.array([sprite.azimuth for sprite in sprites]),
        np.array([sprite.px for sprite in sprites]),
    )


def _apart(angles: np.ndarray) -> np.ndarray:
    return np.abs((angles + math.pi) % (2 * math.pi) - math.pi)
