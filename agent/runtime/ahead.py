"""Looks at pictures before it is their turn: the model works on several at once, the tracker gets them in order.

On a CPU, one picture on each core does about twice what all cores on one picture do: nothing waits for the slowest part
of a layer. The pool is the node's: jobs put group after group of pictures into its line, which shares it fairly.

A model leaves the processor's caches cold: what comes after it takes four times as long as it would again. So the
pictures of a file go in groups, and each step is done for a whole group. A camera's go one by one: they must not wait.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from agent.core.types import Detections, Frame

Group = Sequence[Frame]
Detect = Callable[[Group], Sequence[Detections]]
Seen = tuple[Frame, Detections, float]
"""A picture, what is in it, and the seconds that it took."""


class Ahead:
    """The groups of pictures of one job that are with the model, at most `depth`. For the job's thread."""

    def __init__(self, pool: Executor, detect: Detect, *, depth: int, on_ready: Callable[[], None]) -> None:
        self._pool = pool
        self._detect = detect
        self._depth = depth
        self._on_ready = on_ready
        self._line: deque[Future[list[Seen]]] = deque()

    def __len__(self) -> int:
        return len(self._line)

    @property
    def full(self) -> bool:
        return len(self._line) >= self._depth

    def is_ready(self) -> bool:
        """Whether `take` would not wait."""
        return bool(self._line) and self._line[0].done()

    def add(self, group: Group) -> None:
        """Puts pictures in the line; `on_ready` is called, on another thread, when they are done."""
        future = self._pool.submit(self._look, group)
        self._line.append(future)
        future.add_done_callback(lambda _: self._on_ready())

    def take(self) -> list[Seen]:
        """The oldest group; waits for it. Raises what the model raised."""
        return self._line.popleft().result()

    def drop(self) -> None:
        """Forgets all of them; what the model is at goes on to its end, for nobody."""
        while self._line:
            self._line.popleft().cancel()

    def _look(self, group: Group) -> list[Seen]:
        begin = time.perf_counter()
        found = self._detect(group)
        share_s = (time.perf_counter() - begin) / max(1, len(group))
        return [(frame, detections, share_s) for frame, detections in zip(group, found, strict=True)]
