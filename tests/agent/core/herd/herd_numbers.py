"""Herd numbers against the simulated truth. As a program it writes the table of docs/numbers.md: `make numbers`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from herd_scene import fold, followed, result, tracks

from agent.core.geometry import homography, inside, project
from agent.core.pen import Painter
from agent.core.pipeline import Pipeline
from agent.core.scene import Ground, Line, Scene, Zone, pixels
from agent.core.simulation import Truth, truth
from agent.core.trackers.herd import make
from agent.core.types import Doubles, Frame, Result
from agent.detectors.scripted import open_detector
from agent.embedders.none import open_embedder

WIDTH, HEIGHT, FPS = 640, 360, 10
RETURN_S: Final = 5.0
METRES: Final = (6.4, 3.6)
SCENE: Final = Scene(
    zones=(
        Zone("feeder", ((0.05, 0.05), (0.45, 0.05), (0.45, 0.35), (0.05, 0.35))),
        Zone("drinker", ((0.8, 0.55), (0.95, 0.55), (0.95, 0.9), (0.8, 0.9))),
    ),
    lines=(Line("middle", (0.5, 0.0), (0.5, 1.0), (0.9, 0.5)),),
    ground=Ground(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), *METRES),
)
PAGE: Final = Path(__file__).parents[4] / "docs" / "numbers.md"
MARKS: Final = ("<!-- figures -->\n", "<!-- end of figures -->\n")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a whole film; by definition for the truth, by the herd's own numbers otherwise."""

    count: float
    animal_s: float
    distance_m: float
    dwell_s: tuple[float, ...]
    visits: tuple[int, ...]
    entered: int
    left: int


def film(animals: int, seconds: float, seed: int) -> list[Truth]:
    return list(islice(truth(animals, FPS, seed, WIDTH, HEIGHT), round(seconds * FPS)))


def true_figures(moments: Sequence[Truth]) -> Figures:
    """Of the true middles: dwell frame by frame, crossings and visits without those that last less than 5 s."""
    places = np.array([moment.poses[:, :2] for moment in moments])
    frames, animals = places.shape[:2]
    held = [inside(places.reshape(-1, 2), pixels(zone.polygon, (HEIGHT, WIDTH))) for zone in SCENE.zones]
    zones = [one.reshape(frames, animals) for one in held]
    entered = left = 0
    for beyond in (places[..., 0] > WIDTH / 2).T:
        turns = lasting_turns(beyond)
        entered += sum(turns)
        left += sum(not turn for turn in turns)
    means = places[: frames // FPS * FPS].reshape(frames // FPS, FPS, animals, 2).mean(1)
    steps = np.diff(means, axis=0) * np.array(METRES) / [WIDTH, HEIGHT]
    return Figures(
        animals,
        frames / FPS * animals,
        float(np.linalg.norm(steps, axis=2).sum()),
        tuple(float(zone.sum()) / FPS for zone in zones),
        tuple(sum(sum(lasting_turns(one, gaps_only=True)) for one in zone.T) for zone in zones),
        entered,
        left,
    )


def lasting_turns(states: np.ndarray, *, gaps_only: bool = False) -> list[bool]:
    """What a state turned to, without turns that are taken back within 5 s; `gaps_only`: only turns to false are."""
    turns = (np.nonzero(np.diff(states.astype(int)))[0] + 1).tolist()
    kept: list[tuple[int, bool]] = []
    for at in turns:
        to = bool(states[at])
        if kept and at - kept[-1][0] <= RETURN_S * FPS and (to or not gaps_only):
            kept.pop()
        else:
            kept.append((at, to))
    return [to for _, to in kept]


def told_figures(results: Iterable[Result]) -> Figures:
    """The herd's numbers in windows of 10 s."""
    summaries = fold(results, scene=SCENE)
    last = summaries[-1]
    names = [zone.name for zone in SCENE.zones]
    return Figures(
        float(np.mean([one.count for one in summaries])),
        last.total_animal_s,
        last.total_distance_m,
        tuple(last.zones[name].total_animal_s for name in names),
        tuple(last.zones[name].total_visits for name in names),
        last.lines["middle"].total_entered,
        last.lines["middle"].total_left,
    )


def tracked(moments: Sequence[Truth], seed: int) -> Iterator[Result]:
    """The way of a job: pictures, the detector of drawn animals, the tracker."""
    painter = Painter(seed, WIDTH, HEIGHT)
    pipeline = Pipeline(
        detector=open_detector(), embedder=open_embedder(), tracker=make(threshold=0.3, first_id=1), threshold=0.3
    )
    pipeline.set_scene(SCENE)
    for index, moment in enumerate(moments):
        frame = Frame(index + 1, index / FPS, painter.draw(moment))
        yield pipeline.track(frame, pipeline.detect([frame])[0])


def with_scene(results: Iterable[Result], scene: Scene = SCENE) -> Iterator[Result]:
    for one in results:
        yield Result(one.frame, one.detections, one.tracks, scene)


CASES: Final = {
    "boxes that jitter by 1 px": lambda moments, seed: with_scene(followed(moments, FPS, jitter_px=1, seed=seed)),
    "the same, 20 swaps": lambda moments, seed: with_scene(followed(moments, FPS, jitter_px=1, swaps=20, seed=seed)),
    "boxes that jitter by 3 px": lambda moments, seed: with_scene(followed(moments, FPS, jitter_px=3, seed=seed)),
    "the same, 20 swaps ": lambda moments, seed: with_scene(followed(moments, FPS, jitter_px=3, swaps=20, seed=seed)),
    "pictures, found and tracked": tracked,
}


VIEWS: Final = {
    "from 45 degrees or so": ((0.1, 0.1), (0.9, 0.1), (0.98, 0.95), (0.02, 0.95)),
    "flat": ((0.32, 0.15), (0.68, 0.15), (0.98, 0.95), (0.02, 0.95)),
}
"""Where the corners of the pen lie in a tilted camera's picture."""


def distance_errors(view: str, moments: Sequence[Truth], tries: int) -> tuple[float, float]:
    """(rms error of distance_m, mean of distance_error_ratio): each corner is half a percent of the picture off,
    and the tape is one percent off, anew in each try (1 sigma).
    """
    random = np.random.default_rng(1)
    shown = [(i / FPS, boxes + random.normal(0, 1, boxes.shape)) for i, boxes in enumerate(tilted(view, moments))]
    true, wrong, told = true_figures(moments).distance_m, [], []
    for _ in range(tries):
        clicked = np.clip(np.array(VIEWS[view]) + random.normal(0, 0.005, (4, 2)), 0, 1)
        width_m, length_m = np.array(METRES) * (1 + random.normal(0, 0.01, 2))
        scene = Scene(ground=Ground(tuple((x, y) for x, y in clicked.tolist()), float(width_m), float(length_m)))
        (one,) = fold(with_scene((result(time, tracks(boxes)) for time, boxes in shown), scene), period_s=86_400.0)
        assert one.distance_m is not None
        assert one.distance_error_ratio is not None
        wrong.append(one.distance_m / true - 1)
        told.append(one.distance_error_ratio)
    return float(np.sqrt(np.mean(np.square(wrong)))), float(np.mean(told))


def tilted(view: str, moments: Sequence[Truth]) -> Iterator[Doubles]:
    """(N, 4) boxes around what the camera sees of the true ones."""
    size = np.array([WIDTH, HEIGHT], float)
    pen = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    to_picture = homography(pen, np.array(VIEWS[view]) * size)
    for moment in moments:
        left, top, right, bottom = moment.boxes.T.astype(float)
        corners = np.stack([[left, right, right, left], [top, top, bottom, bottom]], 2).transpose(1, 0, 2)
        seen = project(to_picture, corners.reshape(-1, 2)).reshape(-1, 4, 2)
        yield np.concatenate([seen.min(1), seen.max(1)], 1)


def error(told: float, true: float) -> float:
    return told / true - 1 if true else float(told != true)


def rows(animals: int, seconds: float, seeds: Sequence[int], cases: Iterable[str] = CASES) -> dict[str, list[str]]:
    """Of each case the cells of its row, over all seeds."""
    films = {seed: film(animals, seconds, seed) for seed in seeds}
    truths = {seed: true_figures(moments) for seed, moments in films.items()}
    return {
        name: cells([(told_figures(CASES[name](films[seed], seed)), truths[seed]) for seed in seeds]) for name in cases
    }


def cells(pairs: Sequence[tuple[Figures, Figures]]) -> list[str]:
    def worst(of: Iterable[float]) -> str:
        return f"{100 * max(of, key=abs):+.1f} %"

    return [
        f"{max((told.count - true.count for told, true in pairs), key=abs):+.2f}",
        worst(error(told.animal_s, true.animal_s) for told, true in pairs),
        worst(error(told.distance_m, true.distance_m) for told, true in pairs),
        worst(error(*both) for told, true in pairs for both in zip(told.dwell_s, true.dwell_s, strict=True)),
        f"{sum(sum(told.visits) for told, _ in pairs)} of {sum(sum(true.visits) for _, true in pairs)}",
        f"{sum(told.entered for told, _ in pairs)} of {sum(true.entered for _, true in pairs)}",
        f"{sum(told.left for told, _ in pairs)} of {sum(true.left for _, true in pairs)}",
    ]


def main() -> None:
    made = rows(20, 300, (1, 2, 3))
    head = ["", "count", "animal seconds", "distance", "dwell", "visits", "entered", "left"]
    lines = [head, ["---"] * len(head), *([name.strip(), *row] for name, row in made.items())]
    table = in_markdown(lines) + "\n" + in_markdown(distance_lines())
    before, after = PAGE.read_text().split(MARKS[0])[0], PAGE.read_text().split(MARKS[1])[1]
    PAGE.write_text(before + MARKS[0] + table + MARKS[1] + after)
    sys.stdout.write(table)


def distance_lines() -> list[list[str]]:
    moments = film(20, 60, 1)
    lines = [["the camera looks", "distance off by (rms of 24)", "distance_error_ratio"], ["---"] * 3]
    for view in VIEWS:
        off, told = distance_errors(view, moments, 24)
        lines.append([view, f"{100 * off:.1f} %", f"{100 * told:.1f} %"])
    return lines


def in_markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
