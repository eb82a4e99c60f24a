"""What a job counts of itself while it works."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

RECENT = 64


class Figures:
    """Frames, their rate and where the time goes. Each stage is told by one thread alone; anyone may read."""

    def __init__(self) -> None:
        self.frames = 0
        self.rested = 0
        """Of them, those that the model did not look at."""
        self._began = 0.0
        self._animals = 0
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._stages: dict[str, float] = {}

    def begin(self) -> None:
        """The first picture is there; the mean rate counts from here."""
        self._began = self._began or time.monotonic()

    def add_frame(self, animals: int) -> None:
        """One more frame is analysed, with so many tracks in it."""
        self.frames += 1
        self._animals += animals
        self._recent.append(time.monotonic())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time within to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begin)

    def add(self, stage: str, seconds: float) -> None:
        """Adds time that was taken elsewhere to a stage."""
        self._stages[stage] = self._stages.get(stage, 0.0) + seconds

    @property
    def fps(self) -> float:
        """Frames a second over the newest ones; 0 where too few."""
        seen = tuple(self._recent)
        return (len(seen) - 1) / (seen[-1] - seen[0]) if len(seen) > 1 and seen[-1] > seen[0] else 0.0

    @property
    def mean_fps(self) -> float:
        """Frames a second from the first picture on."""
        elapsed = time.monotonic() - self._began
        return self.frames / elapsed if self.frames and elapsed > 0 else 0.0

    @property
    def count_mean(self) -> float:
        """Tracks a frame."""
        return self._animals / self.frames if self.frames else 0.0

    @property
    def stage_ms(self) -> dict[str, float]:
        """Milliseconds a frame of each stage. Stages, and frames within `detect`, overlap on different threads."""
        return {name: seconds * 1000 / self.frames for name, seconds in self._stages.items() if self.frames}
