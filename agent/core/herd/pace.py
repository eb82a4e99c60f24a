"""How often pictures come, and what time they cover."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Final

_FIRST_S: Final = 0.1
_PATIENCE_S: Final = 2.0
"""How long the first picture stands, as long as the pace is not known."""


class Pace:
    """The times of a job's pictures. Each stands until the next one, or for twice the usual time between two."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=15)
        self._last = -math.inf
        self._covered_to = -math.inf
        self._usual_s = 0.0

    def add(self, time: float) -> None:
        """A picture came; `cover` was called up to it. Two at the same time tell nothing of the pace."""
        if math.isfinite(self._last) and time > self._last:
            self._gaps.append(time - self._last)
            self._usual_s = median(self._gaps)
        self._last = self._covered_to = time

    def cover(self, until: float) -> float:
        """Seconds that the last picture stands for since the last call, up to this moment."""
        until = min(until, self._last + (2 * self._usual_s or _PATIENCE_S))
        seconds = until - self._covered_to if until > self._covered_to else 0.0
        self._covered_to += seconds
        return seconds

    @property
    def usual_s(self) -> float:
        """Between two pictures, in seconds; a tenth as long as there is no telling."""
        return self._usual_s or _FIRST_S

    @property
    def end(self) -> float:
        """Where the last picture ends, if all goes as usual; -inf without one."""
        return self._last + self.usual_s
