"""A pen through a day, as a detector would tell it: animals hide behind others, go out and come in; pictures fail."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from agent.core.simulation import truth
from agent.core.types import Detections, Doubles, Floats

FPS = 10.0
WIDTH, HEIGHT = 1280, 720
ANIMALS = 24
"""Of which about 20 are in the pen at a time."""
_OUT_S, _IN_S = 120.0, 600.0
"""How long an animal is out, and in, on average."""
_HIDDEN = 0.5
"""Of its box that another covers, from which on an animal is mostly missed."""


def day(seconds: float, seed: int = 1) -> Iterator[tuple[float, Detections]]:
    """Time and detections of each picture that did not fail, 10 a second."""
    random = np.random.default_rng(seed)
    away = random.random(ANIMALS) < _OUT_S / (_OUT_S + _IN_S)
    gone = 0
    for index, moment in enumerate(islice(truth(ANIMALS, FPS, seed, WIDTH, HEIGHT), round(seconds * FPS))):
        away ^= random.random(ANIMALS) < 1 / FPS / np.where(away, _OUT_S, _IN_S)
        # One picture of a hundred fails, and once in five minutes all for some seconds.
        gone = max(gone - 1, int(random.random() < 0.01), int(random.integers(60)) * (random.random() < 1 / 300 / FPS))
        if not gone:
            yield index / FPS, _found(random, moment.boxes[~away])


def _found(random: np.random.Generator, boxes: Floats) -> Detections:
    """What a detector makes of animals: poor boxes or none of the hidden, boxes that tremble, some of nothing."""
    covered = _covered(boxes.astype(np.float64))
    scores = np.clip(random.normal(0.85, 0.08, len(boxes)) - 0.6 * covered, 0.05, 1)
    seen = random.random(len(boxes)) > np.where(covered > _HIDDEN, 0.8, 0.03)
    trembling = boxes + random.normal(0, 1.5, boxes.shape)
    ghosts = random.uniform((0, 0), (WIDTH - 80, HEIGHT - 80), (random.poisson(0.1), 2))
    corners = np.concatenate([trembling[seen], np.concatenate([ghosts, ghosts + random.uniform(30, 80)], axis=1)])
    told = np.concatenate([scores[seen], random.uniform(0.1, 0.6, len(ghosts))])
    return Detections(corners.astype(np.float32), told.astype(np.float32), np.zeros(len(told), np.int32))


def _covered(boxes: Doubles) -> Doubles:
    """(N,) the largest share of each box that lies under a later one."""
    low, high = np.maximum(boxes[:, None, :2], boxes[:, :2]), np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = np.triu(np.maximum(high - low, 0).prod(axis=2), 1)
    share: Doubles = shared.max(axis=1, initial=0.0) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return share
