"""Hands items from one thread to the next, bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """No item will come any more."""


class Mailbox(Generic[T]):
    """A bounded queue between two threads.

    With `lossless` a full box makes the writer wait (a file: the decoder waits, nothing is lost); without, the oldest
    item gives way to the new one and is counted in `dropped` (a camera: the newest picture is the one that matters).
    """

    def __init__(self, *, size: int, lossless: bool) -> None:
        self._items: deque[T] = deque()
        self._size = size
        self._lossless = lossless
        self._closed = False
        self._changed = threading.Condition()
        self.dropped = 0

    def put(self, item: T) -> None:
        """Raises Closed once the box is closed."""
        with self._changed:
            if self._lossless:
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._size)
            elif len(self._items) >= self._size:
                self._items.popleft()
                self.dropped += 1
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout_s: float | None = None, *, unless: Callable[[], bool] = lambda: False) -> T | None:
        """The oldest item; None when none came in time, or before `unless` held (say so by `wake`). Raises Closed when
        the box is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items or unless(), timeout_s)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._closed:
                raise Closed
            return None

    def wake(self) -> None:
        """Has a waiting `get` look at its `unless` again."""
        with self._changed:
            self._changed.notify_all()

    def close(self, *, discard: bool = False) -> None:
        """No more items are taken; those inside can still be got unless they are discarded."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()
