"""A pig as a solid: trunk and head as tubes along a bent spine, leaf ears, two-part legs, a tail; in four postures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from agent.core.pigs.solid import Solid, about_x, about_y, about_z, bent, join, leaf, set_down, tube, turned
from agent.core.types import Doubles


class Posture(IntEnum):
    """How a pig holds itself."""

    STANDING = 0
    SIDE = 1
    CHEST = 2
    SITTING = 3


@dataclass(frozen=True, slots=True)
class Build:
    """What one animal is born with; figures to the length of a grown pig."""

    girth: float = 1.0
    """Width of the trunk to the ordinary one."""
    head: float = 1.0
    legs: float = 1.0
    ear_length: float = 0.16
    ear_width: float = 0.10
    ear_lop: float = 0.3
    """0 upright, 1 hanging forward over the eyes."""
    tail: float = 0.12
    snout: float = 1.0


@dataclass(frozen=True, slots=True)
class Pose:
    """What it does with itself just now."""

    posture: Posture = Posture.STANDING
    stride: float = 0.0
    """Phase of the walk in radians."""
    reach: float = 0.0
    """How far the legs swing in a walk, radians."""
    bend: float = 0.0
    """Of the trunk to the left, radians over its length."""
    yaw: float = 0.0
    """Of the head to the left of the trunk, radians."""
    nod: float = 0.5
    """Of the head below the spine, radians."""
    roll: float = 1.0
    """To which side it lies: 1 left side down, -1 right; and how far."""
    legs: tuple[tuple[float, float, float], ...] = field(default=((0.0, 0.0, 0.0),) * 4)
    """Swing ahead, spread and bend of the knee of each leg in radians; fore left, fore right, hind left, hind right."""


_FORE_X = 0.13
_HIND_X = -0.29
_NECK = np.array([0.20, 0.0, 0.40])


def any_build(random: np.random.Generator) -> Build:
    """A build at random, from thin piglets to fat sows."""
    return Build(
        girth=float(np.clip(random.normal(1.06, 0.15), 0.75, 1.5)),
        head=float(np.clip(random.normal(1.04, 0.12), 0.8, 1.4)),
        legs=float(np.clip(random.normal(1.0, 0.15), 0.7, 1.4)),
        ear_length=float(random.uniform(0.10, 0.21)),
        ear_width=float(random.uniform(0.07, 0.125)),
        ear_lop=float(random.beta(0.9, 0.9)),
        tail=float(random.choice([0.03, 0.08, 0.14, 0.2])),
        snout=float(random.uniform(0.8, 1.2)),
    )


def any_pose(random: np.random.Generator, posture: Posture) -> Pose:
    """A pose at random."""
    legs = random.normal(0, 1, (4, 3))
    if posture == Posture.STANDING:
        walking = random.random() < 0.5
        return Pose(
            posture,
            stride=float(random.uniform(0, 2 * math.pi)),
            reach=float(random.uniform(0.2, 0.5)) if walking else 0.0,
            bend=float(random.normal(0, 0.35)),
            yaw=float(random.normal(0, 0.4)),
            nod=float(random.choice([random.normal(0.45, 0.2), random.uniform(0.7, 1.25), random.normal(0.1, 0.15)])),
            legs=_legs(legs * [0.12, 0.06, 0.06]),
        )
    lying = posture == Posture.SIDE
    side = float(random.choice([-1.0, 1.0]))
    return Pose(
        posture,
        bend=float(random.normal(0, 0.45 if lying else 0.35)),
        yaw=float(random.normal(0, 0.3)),
        nod=float(random.normal(0.25, 0.25) if lying else random.choice([random.uniform(0.5, 0.85), 0.2])),
        roll=side * float(random.uniform(0.72, 1.0) if lying else random.uniform(0, 0.3)),
        legs=_legs(legs * ([0.4, 0.25, 0.35] if lying else [0.25, 0.12, 0.2])),
    )


def pig(build: Build, pose: Pose) -> Solid:
    """The animal on the floor, its middle about the origin, looking along x."""
    pitch = {Posture.SITTING: -0.55}.get(pose.posture, 0.0)
    trunk = join(_trunk(build), _tail(build))
    fore = [_leg(build, pose, number) for number in (0, 1)]
    hind = [_leg(build, pose, number) for number in (2, 3)]
    head = _head(build, pose)
    if pose.posture == Posture.SIDE:
        body = join(trunk, *fore, *hind, head)
        body = turned(body, about_x(-pose.roll * math.pi / 2 * 0.97), np.array([0.0, 0.0, 0.36]))
        # It lies on its shoulder and its ham: the head comes down to the floor.
        body = _rest(body, head_from=len(body.radii) - len(head.radii))
    elif pose.posture == Posture.CHEST:
        body = join(trunk, *fore, *hind, head)
        body = turned(body, about_x(-pose.roll * math.pi / 2), np.array([0.0, 0.0, 0.36]))
        body = _flattened(set_down(body, 0.05 * build.girth))
    elif pose.posture == Posture.SITTING:
        upper = turned(join(trunk, *fore, head), about_y(pitch), np.array([_HIND_X, 0.0, 0.34]))
        body = set_down(join(upper, *hind))
        body = _flattened(body)
    else:
        body = set_down(join(trunk, *fore, *hind, head))
    return bent(body, pose.bend)


def _legs(values: Doubles) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(a), float(b), float(c)) for a, b, c in values)


def _trunk(build: Build) -> Solid:
    x = np.array([-0.43, -0.38, -0.30, -0.18, -0.05, 0.06, 0.15, 0.22])
    radii = np.array([0.055, 0.105, 0.138, 0.146, 0.148, 0.140, 0.128, 0.105]) * build.girth
    z = np.array([0.40, 0.385, 0.375, 0.365, 0.36, 0.365, 0.38, 0.40])
    back = tube(np.stack([x, np.zeros(8), z], 1), radii, along=(0.0, 0.66))
    belly = tube(
        np.array([[-0.24, 0, 0.32], [-0.05, 0, 0.30], [0.10, 0, 0.32]]),
        np.array([0.11, 0.13, 0.11]) * build.girth,
        along=(0.2, 0.55),
        pink=0.6,
    )
    sides = []
    for side in (-1, 1):
        ham = np.array([[-0.37, 0.035 * side, 0.36], [-0.28, 0.055 * side, 0.34], [-0.20, 0.045 * side, 0.32]])
        sides.append(tube(ham, np.array([0.085, 0.11, 0.10]) * build.girth, along=(0.05, 0.25)))
        shoulder = np.array([[0.06, 0.05 * side, 0.35], [0.15, 0.05 * side, 0.34]])
        sides.append(tube(shoulder, np.array([0.10, 0.095]) * build.girth, along=(0.5, 0.6)))
    return join(back, belly, *sides)


def _tail(build: Build) -> Solid:
    turn = np.linspace(0, 1, 7)[:, None]
    curl = np.concatenate([-0.45 - 0.5 * build.tail * turn, 0.04 * np.sin(7 * turn), 0.42 - build.tail * turn**2], 1)
    return tube(curl, np.linspace(0.016, 0.008, 7), step=0.012, along=(0.0, 0.0), pink=0.5)


def _head(build: Build, pose: Pose) -> Solid:
    """Neck, cheeks, snout with its disc, eyes, ears; turned about the neck."""
    k = build.head
    lean = build.snout
    x = np.array([0.0, 0.07, 0.14, 0.20, 0.26 * lean, 0.30 * lean]) * k
    z = np.array([0.0, 0.012, 0.015, 0.0, -0.012, -0.015]) * k
    radii = np.array([0.108, 0.102, 0.092, 0.072, 0.052, 0.045]) * k
    line = np.stack([x, np.zeros(6), z], 1)
    skull = tube(line, radii, along=(0.64, 0.97))
    end = line[-1] + [0.018 * k, 0, 0]
    disc = tube(np.stack([end - [0.01, 0, 0], end]), np.array([0.044, 0.040]) * k, along=(1.0, 1.0), pink=1.0)
    holes = np.array([end + [0.028 * k, 0.016 * k * s, 0.006] for s in (-1, 1)])
    nostrils = Solid(holes, np.full(2, 0.013 * k), np.ones(2), np.ones(2), np.ones(2))
    eyes = Solid(
        np.array([[0.17 * k, 0.062 * k * s, 0.055 * k] for s in (-1, 1)]),
        np.full(2, 0.016 * k),
        np.full(2, 0.85),
        np.zeros(2),
        np.ones(2),
    )
    ears = [_ear(build, side) for side in (-1, 1)]
    jaw = tube(np.array([[0.03, 0, -0.05], [0.15, 0, -0.04]]) * k, np.array([0.085, 0.06]) * k, along=(0.68, 0.8))
    parts = join(skull, disc, nostrils, eyes, jaw, *ears)
    placed = Solid(parts.centres + _NECK, parts.radii, parts.along, parts.pink, parts.dark)
    return turned(turned(placed, about_y(pose.nod), _NECK), about_z(pose.yaw), _NECK)


def _ear(build: Build, side: int) -> Solid:
    k, lop = build.head, build.ear_lop
    root = np.array([0.085 * k, 0.075 * k * side, 0.075 * k])
    upright = np.array([-0.25, 0.75 * side, 0.75])
    hanging = np.array([0.8, 0.5 * side, -0.12])
    way = (1 - lop) * upright + lop * hanging
    way /= np.linalg.norm(way)
    across = np.cross(way, [0.0, float(side), 0.3])
    across /= max(float(np.linalg.norm(across)), 1e-9)
    return leaf(root, root + way * build.ear_length * k, across, build.ear_width * k, along=0.74)


def _leg(build: Build, pose: Pose, number: int) -> Solid:
    """Upper and lower part and the hoof; how they hang depends on the posture."""
    hind, side = number >= 2, 1 if number % 2 == 0 else -1
    swing, spread, knee = pose.legs[number]
    hip = np.array([_HIND_X if hind else _FORE_X, 0.075 * side * build.girth, 0.30])
    upper, lower = 0.15 * build.legs, 0.17 * build.legs
    if pose.posture == Posture.STANDING:
        phase = pose.stride + (math.pi if number in (1, 2) else 0.0)
        swing += pose.reach * math.sin(phase)
        knee += pose.reach * max(0.0, math.cos(phase)) * (0.8 if hind else 1.0)
        fold = -knee if hind else knee
    elif pose.posture == Posture.SIDE:
        swing += -0.35 if hind else 0.25
        fold = (-0.5 - abs(knee)) if hind else (0.5 + abs(knee))
    elif hind:  # folded forward under the flank, its foot beside the belly
        swing, fold, spread = 1.15 + 0.3 * swing, -0.3 + 0.5 * knee, 0.4 + abs(spread)
    elif pose.posture == Posture.SITTING:
        swing, fold = 0.55 + 0.3 * swing, 0.3 * knee
    else:  # fore legs stretched out or folded under the chest
        swing, fold = (1.25, 0.1) if swing > 0 else (0.7, 2.3)
        spread = 0.15 + abs(spread)
    first = _way(swing, spread * side)
    second = _way(swing - fold, spread * side * 0.6)
    joint = hip + upper * first
    foot = joint + lower * second
    low, hi = (0.036, 0.075) if hind else (0.033, 0.06)
    thigh = tube(
        np.stack([hip, joint]), np.array([hi * build.girth, low + 0.008]), along=(0.12, 0.1) if hind else (0.5, 0.5)
    )
    shank = tube(
        np.stack([joint, foot]), np.array([low + 0.004, low - 0.008]), along=(0.1, 0.1) if hind else (0.5, 0.5)
    )
    toe = tube(np.stack([foot, foot + 0.03 * second + [0.012, 0, 0]]), np.array([0.026, 0.022]), dark=0.8)
    return join(thigh, shank, toe)


def _way(swing: float, spread: float) -> Doubles:
    """Direction of a bone that hangs down, swung ahead and spread to the left."""
    return np.array([math.sin(swing) * math.cos(spread), math.sin(spread), -math.cos(swing) * math.cos(spread)])


def _rest(body: Solid, head_from: int) -> Solid:
    """Down to the floor, trunk and head each for itself; what would reach below is pressed flat."""
    trunk = slice(0, head_from)
    centres = body.centres.copy()
    low = (centres[:, 2] - body.radii)[trunk].min()
    # Legs that stick out below the trunk give way.
    low = max(low, float(np.quantile((centres[:, 2] - body.radii)[trunk], 0.05)))
    centres[:, 2] -= low
    head_low = float(np.quantile((centres[:, 2] - body.radii)[head_from:], 0.1))
    lean = np.clip((centres[head_from:, 0] - 0.15) / 0.25, 0, 1)
    centres[head_from:, 2] -= lean * max(0.0, head_low)
    centres[:, 2] = np.maximum(centres[:, 2], body.radii * 0.9)
    return Solid(centres, body.radii, body.along, body.pink, body.dark)


def _flattened(body: Solid) -> Solid:
    """Nothing reaches below the floor."""
    centres = body.centres.copy()
    centres[:, 2] = np.maximum(centres[:, 2], body.radii * 0.9)
    return Solid(centres, body.radii, body.along, body.pink, body.dark)
