"""A herd in a pen seen from above: how it moves, and the truth about where everyone is. core/pen.py draws it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Floats

MAX_ANIMALS: Final = 60
WIDTH_TO_LENGTH: Final = 0.42
WALL_PX: Final = 4
_MEAN_S: Final = np.array([25.0, 10.0, 7.0])
"""How long an animal lies, walks, stands."""
_NEXT: Final = np.array([[0.0, 0.3, 1.0], [0.15, 0.15, 1.0], [0.4, 1.0, 1.0]])
"""Row: the state left; cumulated chances of lying, walking, standing next."""
_WALK_BL_S: Final = 0.45
_TURN_RAD_S: Final = 1.6


class State(IntEnum):
    """What an animal does."""

    LYING = 0
    WALKING = 1
    STANDING = 2


@dataclass(frozen=True, slots=True)
class Truth:
    """Where N animals are in one frame; row i is the animal of ink i."""

    boxes: Floats
    """(N, 4) left, top, right, bottom of the whole outline in pixels, covered parts too."""
    poses: Doubles
    """(N, 3) x and y of the middle in pixels, heading in radians clockwise from rightwards."""
    sizes: Doubles
    """(N, 2) length and width in pixels."""
    states: NDArray[np.intp]
    """(N,) State."""


class Simulation:
    """A herd that lies, stands and walks about a pen of `width` x `height` pixels; the same for the same seed."""

    def __init__(self, animals: int, fps: float, seed: int, width: int, height: int) -> None:
        self._random = np.random.default_rng(seed)
        self._dt = 1 / fps
        self._room = np.array([width, height], np.float64)
        self._length = body_length(animals, width, height) * builds(animals)
        self._states = self._random.integers(0, 3, animals)
        self._left_s = self._random.exponential(_MEAN_S[self._states])
        self._headings = self._random.uniform(-math.pi, math.pi, animals)
        self._turns = np.zeros(animals)
        self._speeds = np.zeros(animals)
        self._breath = self._random.uniform(0, 2 * math.pi, animals)
        self._places = self._first_places(animals)
        for _ in range(60):
            self._part()

    def step(self) -> Truth:
        """Moves everything by one frame and tells where it is then."""
        self._decide()
        self._steer()
        ahead = np.stack([np.cos(self._headings), np.sin(self._headings)], 1)
        self._places += ahead * (self._speeds * self._dt)[:, None]
        self._part()
        self._breath += 2 * math.pi * 0.5 * self._dt
        return self._truth()

    def _first_places(self, animals: int) -> Doubles:
        """Spread over a grid with some disorder, so that nobody begins on top of another."""
        columns = max(1, round(math.sqrt(animals * self._room[0] / self._room[1])))
        rows = math.ceil(animals / columns)
        cells = self._random.permutation(columns * rows)[:animals]
        grid = np.stack([cells % columns, cells // columns], 1) + 0.5
        jitter = self._random.uniform(-0.2, 0.2, (animals, 2))
        return np.asarray((grid + jitter) * self._room / [columns, rows], np.float64)

    def _decide(self) -> None:
        """Whoever has done one thing long enough begins the next."""
        self._left_s -= self._dt
        for i in np.nonzero(self._left_s <= 0)[0]:
            self._states[i] = np.searchsorted(_NEXT[self._states[i]], self._random.random(), side="right")
            self._left_s[i] = self._random.exponential(_MEAN_S[self._states[i]]) + 1.0

    def _steer(self) -> None:
        """Walkers wander and turn away from walls and from whoever is ahead; speeds change gently."""
        walking = self._states == State.WALKING
        drift = self._random.normal(0, 1, len(walking))
        self._turns += (drift * 2.0 * math.sqrt(self._dt)) - self._turns * min(1.0, 1.5 * self._dt)
        push = self._pushes()
        side = np.cos(self._headings) * push[:, 1] - np.sin(self._headings) * push[:, 0]
        against = np.cos(self._headings) * push[:, 0] + np.sin(self._headings) * push[:, 1]
        # Straight against a wall there is no better side: the drift's own one is taken.
        side = np.where((against < -0.3) & (np.abs(side) < 0.3), np.copysign(1.0, self._turns), side)
        turn = np.clip(self._turns + 3.0 * side, -_TURN_RAD_S, _TURN_RAD_S)
        self._headings += np.where(walking, turn * self._dt, 0.0)
        wanted = np.where(walking, _WALK_BL_S * self._length * np.clip(1 + against, 0.15, 1.0), 0.0)
        self._speeds += (wanted - self._speeds) * min(1.0, 3 * self._dt)

    def _pushes(self) -> Doubles:
        """(N, 2) how strongly, and where to, walls and others ahead drive each animal; about 1 close by."""
        eyes = self._places + 0.5 * self._length[:, None] * np.stack(
            [np.cos(self._headings), np.sin(self._headings)], 1
        )
        reach = self._length[:, None]
        push = np.clip(1 - eyes / reach, 0, 1) - np.clip(1 - (self._room - eyes) / reach, 0, 1)
        apart = eyes[:, None] - self._places[None]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-6)
        near = np.clip(1.1 - distance / self._length[None], 0, 1)
        np.fill_diagonal(near, 0)
        return np.asarray(push + (apart / distance[..., None] * near[..., None]).sum(1), np.float64)

    def _part(self) -> None:
        """Pushes bodies, three discs each, out of one another and of the walls; who lies gives way least."""
        discs, radii = self._discs()
        count = len(self._places)
        apart = discs[:, None] - discs[None]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-6)
        deep = np.clip(radii[:, None] + radii[None] - distance, 0, None)
        owner = np.tile(np.arange(count), 3)
        deep[owner[:, None] == owner[None]] = 0
        weight = np.where(self._states == State.LYING, 0.15, 1.0)[owner]
        share = weight[:, None] / (weight[:, None] + weight[None])
        moves = (apart / distance[..., None] * (deep * share)[..., None]).sum(1)
        self._places += 0.5 * moves.reshape(3, count, 2).mean(0)
        extent = self._extents()
        low, high = extent + WALL_PX, self._room - extent - WALL_PX
        self._places = np.clip(self._places, np.minimum(low, high), np.maximum(low, high))

    def _discs(self) -> tuple[Doubles, Doubles]:
        """Middles and radii of all heads' ends, then all middles, then all tails' ends."""
        ahead = np.stack([np.cos(self._headings), np.sin(self._headings)], 1) * self._length[:, None]
        discs = np.concatenate([self._places + 0.3 * ahead, self._places, self._places - 0.3 * ahead])
        half = 0.5 * WIDTH_TO_LENGTH * self._length
        return discs, np.concatenate([0.8 * half, half, 0.8 * half])

    def _sizes(self) -> Doubles:
        """Length and width; lying flanks rise and fall."""
        breath = np.where(self._states == State.LYING, 1.05 + 0.03 * np.sin(self._breath), 1.0)
        return np.stack([self._length, self._length * WIDTH_TO_LENGTH * breath], 1)

    def _extents(self) -> Doubles:
        """(N, 2) half the width and half the height of each upright box."""
        half, cos, sin = self._sizes() / 2, np.cos(self._headings), np.sin(self._headings)
        return np.stack([np.hypot(half[:, 0] * cos, half[:, 1] * sin), np.hypot(half[:, 0] * sin, half[:, 1] * cos)], 1)

    def _truth(self) -> Truth:
        extent = self._extents()
        boxes = np.concatenate([self._places - extent, self._places + extent], 1).astype(np.float32)
        poses = np.concatenate([self._places, self._headings[:, None]], 1)
        return Truth(boxes, poses, self._sizes(), self._states.copy())


def truth(animals: int, fps: float, seed: int, width: int, height: int) -> Iterator[Truth]:
    """The truth of every frame, without an end: what `Simulation` with the same figures does."""
    simulation = Simulation(animals, fps, seed, width, height)
    while True:
        yield simulation.step()


def body_length(animals: int, width: int, height: int) -> float:
    """Length in pixels of an animal of ordinary build; what a herd of this size leaves room for."""
    return min(0.6 * math.sqrt(width * height / animals), 0.3 * min(width, height))


def builds(animals: int) -> Doubles:
    """(N,) size of each animal to the ordinary one."""
    return np.asarray(1.0 + 0.08 * np.sin(2.4 * np.arange(animals)), np.float64)
