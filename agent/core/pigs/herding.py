"""Who is where in a pen: scattered, in huddles, in rows at a trough, a sow with her litter, one before the lens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.core.pigs.anatomy import Posture
from agent.core.pigs.camera import Camera
from agent.core.types import Doubles

UP = (Posture.STANDING, Posture.STANDING, Posture.STANDING, Posture.SITTING)
DOWN = (Posture.SIDE, Posture.CHEST)
ANY = (Posture.STANDING, Posture.STANDING, Posture.SIDE, Posture.CHEST, Posture.SITTING)


@dataclass(frozen=True, slots=True)
class Stand:
    """One animal on the floor."""

    place: Doubles
    """(2,) in lengths."""
    heading: float
    """Radians to the left of x."""
    size: float
    """Its length, in lengths of a grown pig."""
    posture: Posture
    lifted: float = 0.0
    """How high it lies, on others."""


def herd(random: np.random.Generator, camera: Camera, count: int) -> list[Stand]:
    """`count` animals within what the camera sees, or partly beyond its edge; some places stay empty."""
    stands: list[Stand] = []
    if random.random() < 0.06 and count > 4:
        return _litter(random, camera, count)
    while len(stands) < count:
        left = count - len(stands)
        kind = random.random()
        middle = _somewhere(random, camera)
        if kind < 0.44 and left >= 3:
            group = _huddle(random, middle, int(random.integers(3, min(left, 22) + 1)))
        elif kind < 0.52 and left >= 3:
            group = _row(random, middle, int(random.integers(3, min(left, 10) + 1)))
        else:
            group = [_alone(random, middle)]
        tight = len(group) > 1
        for stand in group:
            if tight or _is_free(stand, stands):
                stands.append(stand)
        count -= 0 if tight else int(random.random() < 0.15)
    return stands


def close_up(random: np.random.Generator, camera: Camera) -> list[Stand]:
    """One to three right before the camera, mostly on their feet and looking into it."""
    stands: list[Stand] = []
    for number in range(int(random.choice([1, 1, 1, 2, 2, 3]))):
        for _ in range(8):
            place = random.normal(0, 0.15 if number == 0 else 0.6, 2) - [0, random.uniform(0, 0.4)]
            towards = camera.view(place)[1] + math.pi
            turn = random.choice(
                [random.normal(0, 0.5), random.choice([-1, 1]) * random.normal(1.5, 0.4), random.uniform(-3.2, 3.2)],
                p=[0.5, 0.3, 0.2],
            )
            posture = Posture(int(random.choice(4, p=[0.66, 0.12, 0.12, 0.1])))
            stand = Stand(place, float(towards + turn), _size(random), posture)
            if _is_free(stand, stands):
                stands.append(stand)
                break
    return stands


def _somewhere(random: np.random.Generator, camera: Camera) -> Doubles:
    """A place on the floor, even over the picture and a little beyond its edge."""
    for _ in range(20):
        pixel = random.uniform(-0.06, 1.06, 2) * [camera.width, camera.height]
        place = camera.floor(pixel[None])[0]
        if np.isfinite(place).all() and camera.view(place)[2] > 14:
            return np.asarray(place, np.float64)
    return np.zeros(2)


def _size(random: np.random.Generator) -> float:
    return float(np.clip(random.normal(1, 0.09), 0.7, 1.3))


def _alone(random: np.random.Generator, place: Doubles) -> Stand:
    posture = ANY[int(random.integers(len(ANY)))]
    return Stand(place, float(random.uniform(-math.pi, math.pi)), _size(random), posture)


def _is_free(stand: Stand, others: list[Stand]) -> bool:
    """Two bodies do not stand in each other; each is three discs."""
    for other in others:
        if np.hypot(*(stand.place - other.place)) > 1.1:
            continue
        own, its = _discs(stand), _discs(other)
        if np.hypot(*(own[:, None] - its[None]).transpose(2, 0, 1)).min() < 0.24:
            return False
    return True


def _discs(stand: Stand) -> Doubles:
    way = np.array([math.cos(stand.heading), math.sin(stand.heading)]) * stand.size
    return stand.place + np.array([[-0.3], [0.0], [0.3]]) * way


def _huddle(random: np.random.Generator, middle: Doubles, count: int) -> list[Stand]:
    """Side by side in rows, more or less in order, some upon others."""
    base = random.uniform(-math.pi, math.pi)
    apart, rows = random.uniform(0.2, 0.36), int(random.choice([1, 1, 2, 2, 3]))
    disorder = random.choice([0.1, 0.25, 0.6])
    columns = math.ceil(count / rows)
    ahead, aside = np.array([math.cos(base), math.sin(base)]), np.array([-math.sin(base), math.cos(base)])
    curve = random.normal(0, 0.5)
    stands = []
    for number in range(count):
        row, column = divmod(number, columns)
        x = (row - (rows - 1) / 2) * random.uniform(0.6, 1.0) + random.normal(0, 0.12)
        y = (column - (columns - 1) / 2) * apart + random.normal(0, 0.05)
        heading = base + random.normal(0, disorder) + (math.pi if random.random() < 0.3 else 0) + curve * y / 2
        posture = DOWN[int(random.integers(2))] if random.random() < 0.88 else Posture.STANDING
        lifted = float(random.uniform(0.05, 0.2)) if random.random() < 0.12 and posture in DOWN else 0.0
        stands.append(Stand(middle + ahead * x + aside * y, float(heading), _size(random), posture, lifted))
    return stands


def _row(random: np.random.Generator, middle: Doubles, count: int) -> list[Stand]:
    """Shoulder to shoulder at a trough."""
    base, apart = random.uniform(-math.pi, math.pi), random.uniform(0.26, 0.42)
    aside = np.array([-math.sin(base), math.cos(base)])
    return [
        Stand(
            middle + aside * (number - (count - 1) / 2) * apart + random.normal(0, 0.06, 2),
            float(base + random.normal(0, 0.2)),
            _size(random),
            UP[int(random.integers(4))],
        )
        for number in range(count)
    ]


def _litter(random: np.random.Generator, camera: Camera, count: int) -> list[Stand]:
    """A sow on her side and her piglets at her belly or beside her."""
    middle = _somewhere(random, camera)
    heading = random.uniform(-math.pi, math.pi)
    sow = Stand(middle, float(heading), float(random.uniform(1.3, 1.8)), DOWN[int(random.random() < 0.2)])
    ahead, aside = np.array([math.cos(heading), math.sin(heading)]), np.array([-math.sin(heading), math.cos(heading)])
    side, piglet = random.choice([-1, 1]), random.uniform(0.32, 0.6)
    stands = [sow]
    for _ in range(min(count - 1, 13)):
        at = middle + ahead * random.uniform(-0.5, 0.35) + aside * side * random.uniform(0.3, 0.6) * sow.size
        if random.random() < 0.25:
            at = middle + random.normal(0, 0.8, 2)
        turn = heading - side * math.pi / 2 + random.normal(0, 0.5)
        stands.append(Stand(at, float(turn), float(piglet * random.normal(1, 0.08)), ANY[int(random.integers(5))]))
    return stands
