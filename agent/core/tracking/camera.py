"""A camera that is knocked, shaken or turned: all bodies are off at once, and alike.

Nothing but the boxes tells of it. A shift is believed where the bodies differ about it by far less than it is wide;
one that is small is left to the bodies' own motion, which has learned a steady pan already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles

FEWEST = 4
"""Bodies that can speak of the camera."""
FAR = 0.15
"""Body lengths below which a shift is none."""
AGREED = 2.5
"""A shift is so many times as wide as the bodies differ about it in the middle."""


def shift(off: Doubles, places: Doubles, speak: NDArray[np.bool_]) -> Doubles | None:
    """How far the picture jumped, (2, 1) pixels to the right and down; None: it did not.

    Args:
        off: (4, N) pixels by which N bodies are off from where they should be, as centre, width and height.
        places: (4, N) where they should be.
        speak: (N,) those that are to be asked; what is said of others says nothing.
    """
    count = int(np.count_nonzero(speak))
    if count < FEWEST:
        return None
    # Mostly nothing jumped, and the mean, which costs little, shows it.
    right, down, *_ = off.dot(speak) / count
    least = FAR**2 * float((places[2] * places[3]).dot(speak)) / count
    if right * right + down * down < least:
        return None
    heard = off[:2, speak]
    middle = np.median(heard, axis=1, keepdims=True)
    size = float(np.square(middle).sum())
    spread = float(np.median(np.square(heard - middle).sum(axis=0)))
    return middle if size >= least and size >= AGREED**2 * spread else None
