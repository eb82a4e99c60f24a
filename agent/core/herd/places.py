"""The zones and lines of a scene, over the animals of one job.

Animals are those of Motion: linked by place first, so that swapped ids neither visit nor cross anything. Where an
animal is follows the middle of its box with half a second's inertia. Every border has a margin of a tenth of a body
length on both sides, so that whoever stands on it stays where it was, unless it stays beyond for five seconds; and
whoever comes back within five seconds was not away: no new visit, no crossing. The unrest of boxes and that of animals
are so kept out of the numbers.
"""

from __future__ import annotations

import math
from typing import Final, TypeVar

from agent.core.herd.lines import Gate
from agent.core.herd.motion import Animals
from agent.core.herd.trails import Trails
from agent.core.herd.zones import Tally
from agent.core.scene import NO_SCENE, Scene
from agent.core.types import Doubles, LineSummary, Totals, ZoneSummary

_MOST_PAST: Final = 256
"""Names remembered that the scene does not have: somebody may try out many."""


_Place = TypeVar("_Place")


class Places:
    """The numbers of one job's zones and lines. Times never go back."""

    def __init__(self, totals: Totals, scene: Scene = NO_SCENE) -> None:
        self._past_zones = dict(totals.zones)
        self._past_lines = dict(totals.lines)
        self._trails = Trails()
        self._zones: list[Tally] = []
        self._lines: list[Gate] = []
        self.set_scene(scene, (1, 1))

    def set_scene(self, scene: Scene, size: tuple[int, int]) -> None:
        """From the next frame on, of (height, width) pixels. Who is where is looked at anew; totals go on by name."""
        self.finish()
        zones = {**self._past_zones, **{tally.zone.name: tally.totals for tally in self._zones}}
        lines = {**self._past_lines, **{gate.line.name: gate.totals for gate in self._lines}}
        self._trails = Trails()
        self._zones = [Tally(zone, zones.pop(zone.name, ZoneSummary()), size) for zone in scene.zones]
        self._lines = [Gate(line, lines.pop(line.name, LineSummary()), size) for line in scene.lines]
        self._past_zones, self._past_lines = _newest(zones), _newest(lines)

    def add(self, time: float, animals: Animals, middles: Doubles, lengths: Doubles) -> None:
        """The N animals of one frame: their numbers, (N, 2) places in pixels, (N,) pixels of a body length."""
        self.advance(time)
        if not (self._zones or self._lines):
            return
        steps = self._trails.add(time, animals, middles, lengths)
        for tally in self._zones:
            tally.add(steps)
        for gate in self._lines:
            gate.add(steps)

    def look(self) -> None:
        """A window without a frame: the last one counts."""
        for tally in self._zones:
            tally.look()

    def cover(self, seconds: float) -> None:
        """The last frame stood for so long."""
        for tally in self._zones:
            tally.cover(seconds)

    def advance(self, time: float) -> None:
        """No more frames before this moment."""
        for gate in self._lines:
            gate.settle(time)

    def finish(self) -> None:
        """Counts what is open: nobody comes back any more."""
        self.advance(math.inf)

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
