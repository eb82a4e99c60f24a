from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from herd_scene import herd, result, tracks

from agent.core.herd.place_events import Occupancy
from agent.core.scene import Line, Scene, Zone
from agent.core.types import Event, EventType, Result

FPS = 10
WEST = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
GATE = Line("gate", (0.5, 0.0), (0.5, 1.0), (0.9, 0.5))
LIGHT = np.random.default_rng(1).integers(80, 160, (360, 640, 3), np.uint8)


def shown(places: Iterable[Sequence[float]], scene: Scene, *, ids: int = 1) -> Iterator[Result]:
    """A pig of 60 x 26 pixels at each x of a frame."""
    for i, xs in enumerate(places):
        boxes = [[x - 30, 150, x + 30, 176] for x in xs]
        # A camera never sends the same picture twice.
        image = LIGHT + np.uint8(5 * (i % 2))
        one = result(i / FPS, tracks(boxes, [ids + n for n in range(len(xs))]), image)
        yield Result(one.frame, one.detections, one.tracks, scene)


def events(results: Iterable[Result], scene: Scene) -> list[Event]:
    made = herd(scene=scene)
    told = [body for one in results for body in made.add(one)]
    return [body for body in [*told, *made.finish()] if isinstance(body, Event)]


def words(told: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.event_type.value, event.place, event.direction) for event in told]


def walk(*stops: tuple[float, float]) -> list[list[float]]:
    """From stop to stop, (seconds, x) each."""
    seconds = np.arange(0, stops[-1][0], 1 / FPS)
    return [[x] for x in np.interp(seconds, *zip(*stops, strict=True)).tolist()]


def test_a_crossing_is_told_once_with_its_own_time() -> None:
    scene = Scene(lines=(GATE,))
    over_and_back = walk((0, 200), (8, 440), (20, 440), (28, 200), (40, 200))
    told = events(shown(over_and_back, scene, ids=7), scene)
    assert words(told) == [("line_crossed", "gate", "entered"), ("line_crossed", "gate", "left")]
    first = told[0]
    assert first.time == pytest.approx(4.7, abs=0.3)
    assert (first.label, first.track, first.message) == ("pig", 7, "a pig has entered over gate")
    assert events(shown(walk((0, 290), (1, 350), (2, 290), (9, 290)), scene), scene) == [], "to and fro"


def test_an_event_comes_before_the_summary_that_counts_it() -> None:
    scene = Scene(lines=(GATE,))
    made = herd(scene=scene, period_s=10.0)
    crossed = 0
    for one in shown(walk((0, 200), (8, 440), (60, 440)), scene):
        for body in made.add(one):
            if isinstance(body, Event):
                crossed += 1
            elif body.lines["gate"].total_entered != crossed:
                raise AssertionError("the number is ahead of the event or behind it")
    assert crossed == 1


def test_visits_are_told_where_a_zone_asks_for_them() -> None:
    places = walk((0, 500), (6, 260), (30, 260), (36, 500), (50, 500))
    told = []
    for tell in (False, True):
        scene = Scene(zones=(Zone("west", WEST, tell),))
        told.append([e for e in events(shown(places, scene), scene) if "zone_e" not in e.event_type or e.direction])
    assert told[0] == []
    assert words(told[1]) == [("zone_entered", "west", "entered"), ("zone_left", "west", "left")]
    left = told[1][1]
    assert left.duration_s == pytest.approx(27, abs=1)
    assert left.time == pytest.approx(32, abs=1)
    assert left.message == f"a pig has left west after {left.duration_s:.0f} s"


def test_who_is_lost_sight_of_has_not_left() -> None:
    scene = Scene(zones=(Zone("west", WEST, True),))
    places = [*walk((0, 500), (6, 260), (9, 260)), *([[]] * 300)]
    told = [event.event_type for event in events(shown(places, scene), scene)]
    assert EventType.ZONE_LEFT not in told


def test_a_zone_that_fills_and_empties() -> None:
    scene = Scene(zones=(Zone("west", WEST),))
    places = [[500.0]] * 150 + walk((0, 500), (6, 260), (30, 260), (36, 500), (60, 500))
    told = events(shown(places, scene), scene)
    assert words(told) == [("zone_occupied", "west", ""), ("zone_empty", "west", "")]
    occupied, empty = told
    assert (occupied.count, empty.count) == (1, 0)
    assert occupied.time == pytest.approx(15 + 5 + 2, abs=1)
    assert empty.duration_s == pytest.approx(27, abs=1)
    assert empty.message == f"west is empty, after {empty.duration_s:.0f} s with somebody in it"


def occupancy(counts: Iterable[int], *, every_s: float = 0.5, trusted: bool = True) -> list[str]:
    one = Occupancy("spot")
    return [
        event.event_type.value
        for i, count in enumerate(counts)
        for event in one.add(i * every_s, count, trusted=trusted)
    ]


def test_what_a_zone_is_at_first_is_no_news() -> None:
    assert occupancy([1] * 100) == []
    assert occupancy([0] * 100) == []


def test_flicker_is_waited_out_and_occupied_told_once_a_minute() -> None:
    empty, full = [0] * 30, [2] * 10
    assert occupancy([*empty, *([2, 0] * 100)]) == []
    assert occupancy([*empty, *full, *([2, 2, 2, 0, 0] * 100)]) == ["zone_occupied"]
    told = occupancy([*empty, *(full + empty) * 12])
    assert len(told) <= 2 + 2 * (12 * 20) / 60
    assert told[:2] == ["zone_occupied", "zone_empty"]


def test_nothing_is_told_of_pictures_that_cannot_be_trusted() -> None:
    assert occupancy([0] * 30 + [1] * 100, trusted=False) == []
    one = Occupancy("spot")
    told = []
    for i in range(100):
        told += one.add(i / 2, 1, trusted=True)
    for i in range(100):
        told += one.add(50 + i / 2, 0, trusted=False)
    assert told == [], "it has grown dark"
