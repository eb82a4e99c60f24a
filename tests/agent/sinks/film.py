"""Results to write: a picture that changes, and one track that walks."""

from __future__ import annotations

import numpy as np

from agent.core.types import Detections, Frame, Result, Tracks


def result(index: int, *, width: int = 320, height: int = 240, tracks: int = 1, noise: bool = False) -> Result:
    """Frame `index` at 10 frames a second; track k is of class k % 2."""
    random = np.random.default_rng(index)
    level = 60 + index % 100
    image = np.full((height, width, 3), level, np.uint8)
    if noise:
        image = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    count = np.arange(tracks)
    boxes = np.stack([10.5 + index + 40 * count, 50 + 0 * count, 40.5 + index + 40 * count, 90.25 + 0 * count], 1)
    return Result(
        Frame(index, (index - 1) / 10, image),
        Detections(),
        Tracks(
            ids=(count + 1).astype(np.int32),
            boxes=boxes.astype(np.float32),
            scores=np.full(tracks, 0.876, np.float32),
            classes=(count % 2).astype(np.int32),
            ages=np.zeros(tracks, np.float32),
        ),
    )
