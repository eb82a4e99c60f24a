"""Objects that walk about, as a detector would tell them: missed now and then, boxes that tremble."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Detections, Floats, Tracks

FPS = 30.0


def detections(
    boxes: object, *, scores: object = 0.9, classes: object = 0, features: NDArray[np.float32] | None = None
) -> Detections:
    """Of N boxes; a single score or class is everyone's."""
    array = np.asarray(boxes, np.float32).reshape(-1, 4)
    count = len(array)
    return Detections(
        array,
        np.broadcast_to(np.asarray(scores, np.float32), count).copy(),
        np.broadcast_to(np.asarray(classes, np.int32), count).copy(),
        np.zeros((count, 0), np.float32) if features is None else features,
    )


def walk(seed: int, *, frames: int = 60, count: int = 8, width: int = 0) -> list[Detections]:
    """`count` objects of two classes in a picture of 1000 x 1000; `width`: of their features, one direction each."""
    random = np.random.default_rng(seed)
    places, speeds = random.uniform(0, 1000, (count, 2)), random.normal(0, 3, (count, 2))
    sizes, looks = random.uniform(40, 120, (count, 2)), random.normal(0, 1, (count, width))
    told = []
    for _ in range(frames):
        speeds += random.normal(0, 0.3, (count, 2))
        places += speeds
        seen = random.random(count) > 0.1
        corners = np.concatenate([places - sizes / 2, places + sizes / 2], axis=1) + random.normal(0, 1.5, (count, 4))
        scores = random.uniform(0.5, 1, count)
        classes = np.arange(count) % 2
        features = units(looks + random.normal(0, 0.1, looks.shape)) if width else None
        told.append(detections(corners, scores=scores, classes=classes, features=features)[seen])
    return told


def noise(random: np.random.Generator, count: int) -> Detections:
    """Boxes anywhere, that nothing stands behind."""
    corners = random.uniform(0, 4000, (count, 2))
    return detections(np.concatenate([corners, corners + random.uniform(20, 100, (count, 2))], axis=1))


def units(vectors: NDArray[np.float64]) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def same(first: Tracks, second: Tracks) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("ids", "boxes", "scores", "classes", "ages")
    )
