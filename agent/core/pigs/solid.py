"""Solids made of balls: what animals, people and things are before they are seen by a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.core.types import Doubles


@dataclass(frozen=True, slots=True)
class Solid:
    """N balls. The unit is a grown pig's length from snout to rump; x is ahead, y to the left, z up from the floor."""

    centres: Doubles
    """(N, 3)."""
    radii: Doubles
    """(N,)."""
    along: Doubles
    """(N,) 0..1 from rump to snout; of things the part's number / 8."""
    pink: Doubles
    """(N,) 0..1 how bare and flushed the skin is: ears, snout, belly."""
    dark: Doubles
    """(N,) 0..1 how dark the part is whatever the coat: hooves, nostrils, eyes."""


def join(*parts: Solid) -> Solid:
    """All balls as one solid."""
    return Solid(
        np.concatenate([part.centres for part in parts]),
        np.concatenate([part.radii for part in parts]),
        np.concatenate([part.along for part in parts]),
        np.concatenate([part.pink for part in parts]),
        np.concatenate([part.dark for part in parts]),
    )


def tube(
    points: Doubles,
    radii: Doubles,
    *,
    step: float = 0.022,
    along: tuple[float, float] = (0, 0),
    pink: float = 0.0,
    dark: float = 0.0,
) -> Solid:
    """Balls every `step` along the line through `points` (K, 3), their radii running between `radii` (K,)."""
    pieces = np.linalg.norm(np.diff(points, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(pieces)])
    count = max(2, int(way[-1] / step) + 1)
    at = np.linspace(0, way[-1], count)
    centres = np.stack([np.interp(at, way, points[:, axis]) for axis in range(3)], 1)
    share = at / max(way[-1], 1e-9)
    return Solid(
        centres,
        np.interp(at, way, radii),
        along[0] + (along[1] - along[0]) * share,
        np.full(count, pink),
        np.full(count, dark),
    )


def leaf(root: Doubles, tip: Doubles, side: Doubles, width: float, *, along: float, thick: float = 0.012) -> Solid:
    """A thin leaf from root to tip, `width` at its widest, spread along `side`; cupped a little."""
    rows, ways = np.linspace(0, 1, 11), np.linspace(-1, 1, 7)
    half = width / 2 * np.sqrt(np.clip(1 - (rows * 1.2 - 0.35) ** 2 / 0.75, 0.02, None))
    axis = tip - root
    normal = np.cross(axis, side)
    normal /= max(float(np.linalg.norm(normal)), 1e-9)
    centres = (
        root
        + rows[:, None, None] * axis
        + (half[:, None] * ways)[..., None] * side
        + (0.25 * half[:, None] * ways**2)[..., None] * normal
    ).reshape(-1, 3)
    count = len(centres)
    return Solid(centres, np.full(count, thick), np.full(count, along), np.full(count, 0.9), np.zeros(count))


def turned(solid: Solid, turn: Doubles, about: Doubles) -> Solid:
    """The solid turned by a (3, 3) rotation about a point."""
    centres = (solid.centres - about) @ turn.T + about
    return Solid(centres, solid.radii, solid.along, solid.pink, solid.dark)


def set_down(solid: Solid, sunk: float = 0.0) -> Solid:
    """The solid moved up or down until its lowest ball touches the floor, `sunk` below it."""
    lowest = float((solid.centres[:, 2] - solid.radii).min())
    centres = solid.centres - [0.0, 0.0, lowest + sunk]
    return Solid(centres, solid.radii, solid.along, solid.pink, solid.dark)


def about_x(angle: float) -> Doubles:
    """Rotation that rolls."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def about_y(angle: float) -> Doubles:
    """Rotation that pitches; positive lowers what is ahead."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def about_z(angle: float) -> Doubles:
    """Rotation that turns to the left."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def bent(solid: Solid, curve: float) -> Solid:
    """The solid bent to the left in the plane of the floor: `curve` radians over one length."""
    if abs(curve) < 1e-3:
        return solid
    x, y = solid.centres[:, 0], solid.centres[:, 1]
    radius = 1 / curve
    # What lies inside of the bend is not pressed together beyond its middle.
    out = np.maximum(radius - y, 0.05) if radius > 0 else np.minimum(radius - y, -0.05)
    centres = np.stack([out * np.sin(x * curve), radius - out * np.cos(x * curve), solid.centres[:, 2]], 1)
    return Solid(centres, solid.radii, solid.along, solid.pink, solid.dark)
