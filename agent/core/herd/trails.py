"""Where each animal is, with some inertia, and a slot for whatever else is to be remembered of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.core.herd.motion import Animals, middles
from agent.core.types import Doubles, Tracks

SLOTS: Final = 2048
"""Animals remembered at most."""
_INERTIA_S: Final = 0.5
"""While corners jitter by a twentieth of a body length, such averages move by a hundredth."""
_FORGET_S: Final = 10.0
"""As Motion does."""
_SWEEP_S: Final = 1.0

Slots = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Steps:
    """What N animals did from the frame in which each was seen before to this one."""

    time: float
    animals: Animals
    tracks: Tracks
    """As which the N were seen."""
    slots: Slots
    """(N,) 0..SLOTS - 1, the animal's own until it is forgotten."""
    fresh: NDArray[np.bool_]
    """(N,) not seen before: its slot may have been another's."""
    old: Doubles
    """(N, 2) pixels; of a fresh one the same as `new`."""
    new: Doubles
    lengths: Doubles
    """(N,) pixels of a body length."""


class Trails:
    """The animals of one job. Times never go back."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}
        self._free = list(range(SLOTS))
        self._places = np.zeros((SLOTS, 2))
        self._seen = np.zeros(SLOTS)
        self._next_sweep = -math.inf

    @property
    def known(self) -> set[int]:
        """The animals that have a slot."""
        return set(self._slots)

    def add(self, time: float, animals: Animals, tracks: Tracks, lengths: Doubles) -> Steps:
        """The N animals of one frame: their numbers, as what they were seen, and (N,) pixels of a body length."""
        places = middles(tracks.boxes.astype(np.float64))
        self._forget(time, len(animals))
        known = [self._slots.get(animal, -1) for animal in animals.tolist()]
        fresh = np.array(known, np.intp) < 0
        for animal in animals[fresh].tolist():
            self._slots[animal] = self._free.pop()
        slots = np.array([self._slots[animal] for animal in animals.tolist()], np.intp)
        old = np.where(fresh[:, None], places, self._places[slots])
        share = 1 - np.exp((self._seen[slots] - time) / _INERTIA_S)
        new = np.where(fresh[:, None], places, old + (places - old) * share[:, None])
        self._places[slots], self._seen[slots] = new, time
        return Steps(time, animals, tracks, slots, fresh, old, new, lengths)

    def slot(self, animal: int) -> int:
        """-1 for one that is not known."""
        return self._slots.get(animal, -1)

    def _forget(self, time: float, room: int) -> None:
        if time >= self._next_sweep:
            self._next_sweep = time + _SWEEP_S
            for animal, slot in tuple(self._slots.items()):
                if time - self._seen[slot] > _FORGET_S:
                    self._free.append(self._slots.pop(animal))
        if len(self._free) < room:
            # Only where the time stands still.
            self._slots.clear()
            self._free = list(range(SLOTS))
