"""A camera that is knocked, shaken or turned: all bodies are off at once, and alike.

Nothing but the boxes tells of it. A shift is believed where the bodies differ about it by far less than it is wide;
one that is small is left to the bodies' own motion, which has learned a steady pan already.
"""

from __future__ import annotations

import numpy as np

from agent.core.types import Doubles

FEWEST = 4
"""Bodies that can speak of the camera."""
FAR = 0.15
"""Body lengths below which a shift is none."""
AGREED = 2.5
"""A shift is so many times as wide as the bodies differ about it in the middle."""


def shift(off: Doubles, area: Doubles) -> Doubles | None:
    """How far the picture jumped, (2, 1) pixels to the right and down; None: it did not.

    Args:
        off: (2, N) pixels by which N bodies are off from where they should be.
        area: (N,) of their boxes, in pixels.
    """
    count = off.shape[1]
    if count < FEWEST:
        return None
    least = FAR**2 * float(area.sum()) / count
    # Mostly nothing jumped, and the mean, which costs little, shows it.
    if float(np.square(off.sum(axis=1) / count).sum()) < least:
        return None
    middle = np.median(off, axis=1, keepdims=True)
    size = float(np.square(middle).sum())
    spread = float(np.median(np.square(off - middle).sum(axis=0)))
    return middle if size >= least and size >= AGREED**2 * spread else None
