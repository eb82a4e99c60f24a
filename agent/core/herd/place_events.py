"""What zones and lines are worth a call: line_crossed, zone_occupied and zone_empty, zone_entered and zone_left.

Whoever turned back within seconds has done nothing (lines.py, zones.py), so that a crossing and a leave-taking are told
five seconds later, with their own times. A zone is told to be occupied or empty once it has been so for a while, and
occupied at most once a minute. Of the first frames it is learnt which it is, which is no news; of pictures that cannot
be trusted nothing is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.core.herd.lines import Crossing
from agent.core.herd.trails import Steps
from agent.core.herd.zones import RETURN_S, Moves
from agent.core.types import Event, EventType, Severity

OCCUPIED_S: Final = 2.0
EMPTY_S: Final = 10.0
"""An animal under another or behind a rail is hidden for some seconds."""
AGAIN_S: Final = 60.0
_GAP_S: Final = 2.0
"""After so long without a picture what has lasted before tells nothing."""


def line_crossed(place: str, crossing: Crossing, labels: Sequence[str]) -> Event:
    """One animal over one line."""
    direction, label = ("entered" if crossing.entered else "left"), labels[crossing.label]
    return Event(
        crossing.time,
        EventType.LINE_CROSSED,
        Severity.INFO,
        f"a {label} has {direction} over {place}",
        place=place,
        direction=direction,
        label=label,
        track=crossing.track,
    )


class Occupancy:
    """zone_occupied and zone_empty of one zone."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._told: bool | None = None
        self._told_at = self._occupied_at = -math.inf
        self._state = False
        self._since = self._last = -math.inf

    def add(self, time: float, count: int, *, trusted: bool) -> list[Event]:
        """How many are in the zone in one frame; `trusted`: whether the picture is worth anything."""
        state = count > 0
        if not trusted or state is not self._state or time - self._last > _GAP_S:
            self._state, self._since = state, time
        self._last = time
        if state is self._told or time - self._since < (OCCUPIED_S if state else EMPTY_S):
            return []
        if state and time - self._occupied_at < AGAIN_S:
            return []
        first, lasted_s = self._told is None, self._since - self._told_at
        self._told, self._told_at = state, self._since
        if first:
            return []
        if state:
            self._occupied_at = time
        return [self._event(time, count, lasted_s)]

    def _event(self, time: float, count: int, lasted_s: float) -> Event:
        kind = EventType.ZONE_OCCUPIED if count else EventType.ZONE_EMPTY
        lasted = f"after {lasted_s:.0f} s with {'nobody' if count else 'somebody'} in it"
        text = f"{self._place} is {'occupied' if count else 'empty'}, {lasted}"
        return Event(time, kind, Severity.INFO, text, place=self._place, count=count, duration_s=lasted_s)


@dataclass(frozen=True, slots=True)
class _Leaving:
    time: float
    track: int
    label: int
    stayed_s: float | None


class Visitors:
    """zone_entered and zone_left of one zone that asks for them."""

    def __init__(self, place: str, labels: Sequence[str]) -> None:
        self._place = place
        self._labels = labels
        self._came: dict[int, float] = {}
        self._leaving: dict[int, _Leaving] = {}

    def add(self, steps: Steps, moves: Moves) -> list[Event]:
        """One frame."""
        animals, tracks = steps.animals.tolist(), steps.tracks
        for row in np.nonzero(moves.inside)[0]:
            self._leaving.pop(animals[row], None)
        for row in np.nonzero(moves.gone)[0]:
            came = self._came.get(animals[row])
            stayed_s = None if came is None else steps.time - came
            self._leaving[animals[row]] = _Leaving(steps.time, int(tracks.ids[row]), int(tracks.classes[row]), stayed_s)
        told = []
        for row in np.nonzero(moves.came)[0]:
            self._came[animals[row]] = steps.time
            label = self._labels[int(tracks.classes[row])]
            text = f"a {label} has come into {self._place}"
            told.append(self._event(steps.time, EventType.ZONE_ENTERED, text, label, int(tracks.ids[row]), None))
        return told

    def settle(self, time: float) -> list[Event]:
        """Those who left and did not come back by now."""
        settled = [(animal, one) for animal, one in self._leaving.items() if time - one.time >= RETURN_S]
        told = []
        for animal, one in settled:
            del self._leaving[animal]
            self._came.pop(animal, None)
            label = self._labels[one.label]
            text = f"a {label} has left {self._place}"
            if one.stayed_s is not None:
                text += f" after {one.stayed_s:.0f} s"
            told.append(self._event(one.time, EventType.ZONE_LEFT, text, label, one.track, one.stayed_s))
        return told

    def forget(self, known: set[int]) -> None:
        """Animals that are not known any more did not leave: they were lost sight of."""
        self._came = {animal: time for animal, time in self._came.items() if animal in known}

    def _event(
        self, time: float, kind: EventType, text: str, label: str, track: int, duration_s: float | None
    ) -> Event:
        direction = "entered" if kind is EventType.ZONE_ENTERED else "left"
        return Event(
            time,
            kind,
            Severity.INFO,
            text,
            place=self._place,
            direction=direction,
            label=label,
            track=track,
            duration_s=duration_s,
        )
