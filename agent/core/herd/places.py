"""The zones and lines of a scene, over the animals of one job.

Animals are those of Motion: linked by place first, so that swapped ids neither visit nor cross anything. Where an
animal is follows the middle of its box with half a second's inertia. Every border has a margin of a tenth of a body
length on both sides, so that whoever stands on it stays where it was, unless it stays beyond for five seconds; and
whoever comes back within five seconds was not away: no new visit, no crossing. The unrest of boxes and that of animals
are so kept out of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeVar

from agent.core.herd.lines import Gate
from agent.core.herd.motion import Animals
from agent.core.herd.place_events import Occupancy, Visitors, line_crossed
from agent.core.herd.trails import Trails
from agent.core.herd.zones import Tally
from agent.core.scene import NO_SCENE, Scene
from agent.core.types import Doubles, Event, LineSummary, Totals, Tracks, ZoneSummary

_MOST_PAST: Final = 256
"""Names remembered that the scene does not have: somebody may try out many."""


_Place = TypeVar("_Place")


class Places:
    """The numbers and events of one job's zones and lines. Times never go back."""

    def __init__(self, labels: Sequence[str], totals: Totals, scene: Scene = NO_SCENE) -> None:
        self._labels = labels
        self._past_zones = dict(totals.zones)
        self._past_lines = dict(totals.lines)
        self._zones: list[Tally] = []
        self._lines: list[Gate] = []
        self._visitors: dict[str, Visitors] = {}
        self.set_scene(scene, (1, 1))

    def set_scene(self, scene: Scene, size: tuple[int, int]) -> list[Event]:
        """From the next frame on, of (height, width) pixels. Who is where is looked at anew; totals go on by name."""
        told = self.finish()
        zones = {**self._past_zones, **{tally.zone.name: tally.totals for tally in self._zones}}
        lines = {**self._past_lines, **{gate.line.name: gate.totals for gate in self._lines}}
        self._trails = Trails()
        self._zones = [Tally(zone, zones.pop(zone.name, ZoneSummary()), size) for zone in scene.zones]
        self._lines = [Gate(line, lines.pop(line.name, LineSummary()), size) for line in scene.lines]
        self._past_zones, self._past_lines = _newest(zones), _newest(lines)
        self._occupancies = {zone.name: Occupancy(zone.name) for zone in scene.zones}
        self._visitors = {zone.name: Visitors(zone.name, self._labels) for zone in scene.zones if zone.tell_visits}
        return told

    def add(
        self, time: float, animals: Animals, tracks: Tracks, lengths: Doubles, *, trusted: bool = True
    ) -> list[Event]:
        """The N animals of one frame: their numbers, as what they were seen, (N,) pixels of a body length; `trusted`:
        whether the picture is worth anything.
        """
        told = self.advance(time)
        if not (self._zones or self._lines):
            return told
        steps = self._trails.add(time, animals, tracks, lengths)
        for tally in self._zones:
            moves, name = tally.add(steps), tally.zone.name
            told += self._occupancies[name].add(time, tally.present, trusted=trusted)
            if name in self._visitors:
                told += self._visitors[name].add(steps, moves)
        for gate in self._lines:
            gate.add(steps)
        return told

    def look(self) -> None:
        """A window without a frame: the last one counts."""
        for tally in self._zones:
            tally.look()

    def cover(self, seconds: float) -> None:
        """The last frame stood for so long."""
        for tally in self._zones:
            tally.cover(seconds)

    def advance(self, time: float) -> list[Event]:
        """No more frames before this moment: who has not turned back by now has crossed, or left."""
        told = []
        for gate in self._lines:
            told += [line_crossed(gate.line.name, crossing, self._labels) for crossing in gate.settle(time)]
        for visitors in self._visitors.values():
            told += visitors.settle(time)
            visitors.forget(self._trails.known)
        return told

    def finish(self) -> list[Event]:
        """Nobody comes back any more."""
        return self.advance(math.inf)

    def zone_of(self, animal: int) -> str:
        """The first zone of the scene that an animal is in; "" for none."""
        slot = self._trails.slot(animal)
        return next((tally.zone.name for tally in self._zones if slot >= 0 and tally.holds(slot)), "")

    def take(self) -> tuple[dict[str, ZoneSummary], dict[str, LineSummary]]:
        """The zones and lines of the scene; a new window begins."""
        return (
            {tally.zone.name: tally.take() for tally in self._zones},
            {gate.line.name: gate.take() for gate in self._lines},
        )

    @property
    def past(self) -> tuple[dict[str, ZoneSummary], dict[str, LineSummary]]:
        """Totals of the zones and lines that the scene does not have."""
        return dict(self._past_zones), dict(self._past_lines)


def _newest(past: dict[str, _Place]) -> dict[str, _Place]:
    return dict(list(past.items())[-_MOST_PAST:])
