"""The simulated herd as a perfect tracker would tell it, with boxes that jitter and ids that are swapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from agent.core.herd.window import Herd
from agent.core.scene import NO_SCENE, Scene
from agent.core.simulation import State, Truth, body_length, builds, truth
from agent.core.types import Detections, Doubles, Floats, Frame, Image, Result, Summary, Totals, Tracks

WIDTH, HEIGHT = 640, 360
BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def tracks(
    boxes: Doubles | Floats | Sequence[Sequence[float]], ids: Sequence[int] | None = None, age: float = 60.0
) -> Tracks:
    """Pigs with a score of 0.9."""
    corners = np.asarray(boxes, np.float32).reshape(-1, 4)
    count = len(corners)
    return Tracks(
        np.arange(1, count + 1, dtype=np.int32) if ids is None else np.asarray(ids, np.int32),
        corners,
        np.full(count, 0.9, np.float32),
        np.zeros(count, np.int32),
        np.full(count, age, np.float32),
    )


def result(time: float, what: Tracks | None = None, image: Image = BLACK, index: int = 1) -> Result:
    return Result(Frame(index, time, image), Detections(), what or Tracks())


def herd(
    *,
    period_s: float = 10.0,
    known_count: int = 0,
    totals: Totals | None = None,
    live: bool = False,
    scene: Scene = NO_SCENE,
) -> Herd:
    return Herd(
        labels=("pig", "person"),
        period_s=period_s,
        known_count=known_count,
        totals=totals or Totals(),
        live=live,
        scene=scene,
    )


def fold(results: Iterable[Result], **values: object) -> list[Summary]:
    """All windows of a file."""
    made = herd(**values)  # type: ignore[arg-type]
    told = [body for one in results for body in made.add(one)]
    return summaries([*told, *made.finish()])


def summaries(told: Iterable[object]) -> list[Summary]:
    """Without the events."""
    return [body for body in told if isinstance(body, Summary)]


def film(animals: int, seconds: float, fps: float, seed: int = 1) -> list[Truth]:
    return list(islice(truth(animals, fps, seed, WIDTH, HEIGHT), round(seconds * fps)))


def followed(
    moments: Sequence[Truth], fps: float, *, jitter_px: float = 0.0, swaps: int = 0, seed: int = 1
) -> Iterator[Result]:
    """Each corner of each box jitters by itself, anew in each frame; `swaps` times two animals exchange their ids."""
    random = np.random.default_rng(seed)
    ids = np.arange(1, len(moments[0].boxes) + 1)
    when = set(random.choice(np.arange(1, len(moments)), swaps, replace=False).tolist()) if swaps else set()
    for index, moment in enumerate(moments):
        if index in when:
            one, other = random.choice(len(ids), 2, replace=False)
            ids[[one, other]] = ids[[other, one]]
        boxes = moment.boxes + random.normal(0, jitter_px, moment.boxes.shape) if jitter_px else moment.boxes
        yield result(index / fps, tracks(boxes, ids.tolist(), age=index / fps), index=index + 1)


@dataclass(frozen=True, slots=True)
class Told:
    """Figures of a whole film."""

    distance_bl: float
    activity: float
    moving_ratio: float
    longest_still_s: float


def told_truth(moments: Sequence[Truth], fps: float) -> Told:
    """By the definitions, of the true places: means of each second, each animal measured in the herd's length."""
    places = np.array([moment.poses[:, :2] for moment in moments])
    length = float(np.median([np.max(np.diff(m.boxes.reshape(-1, 2, 2), axis=1), axis=2) for m in moments]))
    seconds = round(len(moments) / fps)
    means = places.reshape(seconds, -1, *places.shape[1:]).mean(1)
    steps = np.linalg.norm(np.diff(means, axis=0), axis=2) / length
    walking = np.array([moment.states == State.WALKING for moment in moments])
    still = [np.argmax(one[::-1]) if one.any() else len(one) for one in walking.T]
    return Told(float(steps.sum()), float(60 * steps.mean()), float((steps > 0.1).mean()), float(max(still)) / fps)


def path_bl(moments: Sequence[Truth]) -> float:
    """What the herd went from frame to frame, in its mean length."""
    places = np.array([moment.poses[:, :2] for moment in moments])
    length = float((body_length(len(places[0]), WIDTH, HEIGHT) * builds(len(places[0]))).mean())
    return float(np.linalg.norm(np.diff(places, axis=0), axis=2).sum() / length)


def told(results: Iterable[Result]) -> Told:
    """The herd's own figures, in one window."""
    (one,) = fold(results, period_s=86_400.0)
    assert one.activity is not None
    assert one.moving_ratio is not None
    return Told(one.distance_bl, one.activity, one.moving_ratio, one.longest_still_s)
