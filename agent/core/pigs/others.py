"""What is in a pen, or before a camera, and is no pig: people, dogs, hens, buckets, sacks, hoses; as solids."""

from __future__ import annotations

import math

import numpy as np

from agent.core.pigs.solid import Solid, about_x, about_z, join, set_down, tube, turned
from agent.core.types import Doubles

PARTS = 8
"""`along` of these solids is a part's number / PARTS: each part has a colour of its own."""
SKIN, HAIR, TOP, LEGS, BOOTS, THING, TRIM = range(7)


def any_other(random: np.random.Generator) -> Solid:
    """One of them at random."""
    return random.choice([_person, _person, _person, _person, _boots, _dog, _hen, _bucket, _sack, _hose])(random)  # type: ignore[arg-type, no-any-return]


def _part(number: int) -> tuple[float, float]:
    return (number / PARTS, number / PARTS)


def _line(*points: Doubles | list[float]) -> Doubles:
    return np.array(points, np.float64)


def _person(random: np.random.Generator) -> Solid:
    """Standing, walking, bending or crouching; 1.45 lengths tall."""
    tall, wide = random.uniform(1.2, 1.6) / 1.45, random.uniform(0.85, 1.25)
    stoop = random.choice([0.05, 0.15, 0.6, 1.1])
    crouch = random.choice([1.0, 1.0, 1.0, 0.6])
    stride = random.normal(0, 0.3)
    hip = np.array([0.0, 0.0, 0.75 * tall * crouch])
    spine = np.array([math.sin(stoop), 0, math.cos(stoop)]) * 0.42 * tall
    neck = hip + spine
    parts = [
        tube(_line(hip, hip + spine * 0.5, neck), np.array([0.125, 0.12, 0.11]) * wide, along=_part(TOP)),
        tube(
            _line(neck + [0, -0.13 * wide, -0.02], neck + [0, 0.13 * wide, -0.02]),
            np.array([0.075, 0.075]),
            along=_part(TOP),
        ),
        tube(_line(neck, neck + [0.02, 0, 0.1]), np.array([0.05, 0.05]), along=_part(SKIN)),
        tube(_line(neck + [0.035, 0, 0.14], neck + [0.045, 0, 0.18]), np.array([0.085, 0.09]), along=_part(SKIN)),
        tube(_line(neck + [0.01, 0, 0.17], neck + [0.02, 0, 0.21]), np.array([0.092, 0.092]), along=_part(HAIR)),
    ]
    bare = SKIN if random.random() < 0.4 else TOP
    for side in (-1, 1):
        swing = stride * side + random.normal(0.1, 0.35)
        shoulder = neck + [0, 0.17 * wide * side, -0.02]
        elbow = shoulder + 0.24 * tall * np.array([math.sin(swing), 0.1 * side, -math.cos(swing)])
        bend = swing + random.uniform(0.1, 1.4)
        hand = elbow + 0.24 * tall * np.array([math.sin(bend), 0, -math.cos(bend)])
        parts.append(tube(_line(shoulder, elbow), np.array([0.055, 0.045]) * wide, along=_part(TOP)))
        parts.append(tube(_line(elbow, hand), np.array([0.042, 0.035]) * wide, along=_part(bare)))
        parts.append(tube(_line(hand, hand + [0.03, 0, -0.03]), np.array([0.04, 0.035]), along=_part(SKIN)))
        swing = -stride * side
        fold = 0.15 if crouch == 1 else 1.3
        joint = (
            hip
            + [0, 0.07 * side, 0]
            + 0.36 * tall * np.array([math.sin(swing + fold / 2), 0, -math.cos(swing + fold / 2)])
        )
        foot = joint + 0.36 * tall * np.array([math.sin(swing - fold / 2), 0, -math.cos(swing - fold / 2)])
        parts.append(tube(_line(hip + [0, 0.07 * side, 0], joint), np.array([0.085, 0.065]) * wide, along=_part(LEGS)))
        parts.append(tube(_line(joint, foot), np.array([0.06, 0.045]) * wide, along=_part(LEGS)))
        parts.append(_boot(foot))
    return set_down(join(*parts))


def _boot(foot: Doubles) -> Solid:
    shaft = tube(_line(foot + [0, 0, 0.2], foot), np.array([0.06, 0.052]), along=_part(BOOTS))
    return join(shaft, tube(_line(foot, foot + [0.13, 0, -0.02]), np.array([0.05, 0.04]), along=_part(BOOTS)))


def _boots(random: np.random.Generator) -> Solid:
    """Legs in boots, the rest of the person beyond the picture."""
    parts = []
    for side in (-1, 1):
        foot = np.array([random.normal(0, 0.12), side * random.uniform(0.08, 0.16), 0.05])
        parts += [
            _boot(foot),
            tube(_line(foot + [0, 0, 0.2], foot + [0.02, 0, 0.6]), np.array([0.07, 0.09]), along=_part(LEGS)),
        ]
    return set_down(join(*parts))


def _dog(random: np.random.Generator) -> Solid:
    """Slender, long-legged, with a brush of a tail and a short muzzle: what a pig is not."""
    girth, legs = random.uniform(0.065, 0.085), random.uniform(0.34, 0.42)
    fur = _part(THING)
    parts = [
        tube(
            _line([-0.25, 0, legs], [-0.1, 0, legs + 0.01], [0.12, 0, legs]),
            np.array([1.0, 0.85, 1.25]) * girth,
            along=fur,
        ),
        tube(_line([0.14, 0, legs + 0.03], [0.24, 0, legs + 0.17]), np.array([0.075, 0.055]), along=fur),
        tube(
            _line([0.25, 0, legs + 0.19], [0.30, 0, legs + 0.18], [0.38, 0, legs + 0.15]),
            np.array([0.065, 0.06, 0.03]),
            along=fur,
        ),
        tube(
            _line([0.39, 0, legs + 0.15], [0.40, 0, legs + 0.15]), np.array([0.02, 0.02]), along=_part(BOOTS), dark=0.8
        ),
        tube(
            _line([-0.27, 0, legs + 0.04], [-0.4, 0, legs + 0.12], [-0.48, 0, legs + random.uniform(0, 0.25)]),
            np.array([0.03, 0.035, 0.015]),
            along=fur,
        ),
    ]
    for side in (-1, 1):
        parts.append(
            tube(
                _line([0.24, 0.045 * side, legs + 0.22], [0.23, 0.06 * side, legs + 0.29]),
                np.array([0.025, 0.008]),
                along=_part(TRIM),
            )
        )
        for x in (-0.24, 0.12):
            swing = random.normal(0, 0.12)
            parts.append(
                tube(
                    _line(
                        [x, 0.05 * side, legs - 0.03], [x - 0.02, 0.05 * side, legs / 2], [x + swing, 0.05 * side, 0.02]
                    ),
                    np.array([0.04, 0.024, 0.02]),
                    along=fur,
                )
            )
    return set_down(join(*parts))


def _hen(random: np.random.Generator) -> Solid:
    """A body, a neck, a fan of a tail."""
    k = random.uniform(0.8, 1.2)
    body = tube(
        _line([-0.1, 0, 0.14], [0.04, 0, 0.15], [0.1, 0, 0.2]) * k, np.array([0.07, 0.1, 0.06]) * k, along=_part(THING)
    )
    neck = tube(_line([0.1, 0, 0.2], [0.14, 0, 0.3]) * k, np.array([0.045, 0.035]) * k, along=_part(THING))
    comb = tube(_line([0.15, 0, 0.32], [0.18, 0, 0.3]) * k, np.array([0.02, 0.015]) * k, along=_part(TRIM))
    tail = tube(_line([-0.12, 0, 0.18], [-0.2, 0, 0.3]) * k, np.array([0.05, 0.02]) * k, along=_part(THING))
    return set_down(join(body, neck, comb, tail))


def _bucket(random: np.random.Generator) -> Solid:
    """A round of tubes, its inside dark."""
    wide, tall = random.uniform(0.1, 0.2), random.uniform(0.15, 0.35)
    turn = np.linspace(0, 2 * math.pi, 22)
    rings = [
        tube(
            np.stack([r * np.cos(turn), r * np.sin(turn), np.full(22, z)], 1),
            np.full(22, 0.016),
            along=_part(TRIM if last else THING),
        )
        for r, z, last in (
            (wide * 0.8, 0.02, False),
            (wide * 0.85, tall / 3, False),
            (wide * 0.92, tall * 2 / 3, False),
            (wide, tall, True),
        )
    ]
    bottom = tube(_line([0, 0, 0.0], [0, 0, 0.05]), np.array([wide * 0.8, wide * 0.75]), along=_part(BOOTS), dark=0.6)
    walls = [
        tube(
            _line([wide * 0.8 * c, wide * 0.8 * s, 0.02], [wide * c, wide * s, tall]),
            np.array([0.03, 0.03]),
            along=_part(THING),
        )
        for c, s in zip(np.cos(turn), np.sin(turn), strict=True)
    ]
    return set_down(join(bottom, *walls, *rings))


def _sack(random: np.random.Generator) -> Solid:
    """One lump or several: sacks, bags, stones, balls, a heap."""
    count = int(random.integers(1, 5))
    middles = random.normal(0, 0.12, (count, 3)) * [1, 1, 0.3] + [0, 0, 0.12]
    lumps = []
    for middle in middles:
        end = middle + random.normal(0, 0.13, 3) * [1, 1, 0.2]
        lumps.append(
            tube(_line(middle, end), random.uniform(0.07, 0.15, 2), along=_part(int(random.choice([THING, TRIM]))))
        )
    return set_down(join(*lumps))


def _hose(random: np.random.Generator) -> Solid:
    """A hose, pipe, rope or log on the floor."""
    thick = random.choice([random.uniform(0.012, 0.03), random.uniform(0.03, 0.12)])
    turns = np.cumsum(random.normal(0, 0.25 if thick > 0.03 else 0.6, 14))
    way = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], 1) * random.uniform(0.04, 0.12), 0)
    points = np.concatenate([way - way.mean(0), np.full((14, 1), thick)], 1)
    solid = tube(points, np.full(14, thick), step=max(0.012, thick / 4), along=_part(THING))
    if random.random() < 0.3:
        return turned(set_down(solid), about_z(float(random.uniform(0, 6))), np.zeros(3))
    return set_down(turned(solid, about_x(float(random.normal(0, 0.05))), np.zeros(3)))
