"""How long a body is in the picture."""

from __future__ import annotations

import numpy as np

from agent.core.types import Doubles, Floats, Ints

_MEMORY_S = 60.0
_UNKNOWN_PX = 1.0


class BodyLengths:
    """The body length (BL) of each label: the median of the longer side of its boxes, averaged over a minute.

    Each label has its own, so that a person in a pen is not measured in pigs. Seen from above, an animal's upright
    box keeps its longer side when the animal turns (1 to 1.1 lengths), not its width or area.
    """

    def __init__(self, labels: int) -> None:
        self._lengths = np.full(max(labels, 1), _UNKNOWN_PX)
        self._seen_s = np.zeros(max(labels, 1))

    def add(self, boxes: Floats, classes: Ints, interval_s: float) -> None:
        """The (N, 4) boxes of one frame, pixels; `interval_s` is the usual time between frames."""
        sides = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        for label in set(classes.tolist()):
            side = max(_median(sides[classes == label]), _UNKNOWN_PX)
            self._seen_s[label] = min(self._seen_s[label] + interval_s, _MEMORY_S)
            share = min(1.0, interval_s / self._seen_s[label])
            self._lengths[label] += share * (side - self._lengths[label])

    def of(self, classes: Ints) -> Doubles:
        """(N,) pixels for (N,) labels."""
        return np.asarray(self._lengths[classes], np.float64)


def _median(values: Floats) -> float:
    """Of one or more; numpy's own takes ten times as long for a few."""
    ordered = sorted(values.tolist())
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
