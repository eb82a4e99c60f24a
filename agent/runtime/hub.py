"""Tells readers on the loop what is new; a slow reader drops its own oldest, counted."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any


class Reader:
    """One subscriber's bounded queue."""

    def __init__(self, size: int) -> None:
        self._items: deque[Any] = deque(maxlen=size)
        self._arrived = asyncio.Event()
        self.missed = 0

    def put(self, item: Any) -> None:
        if len(self._items) == self._items.maxlen:
            self.missed += 1
        self._items.append(item)
        self._arrived.set()

    async def get(self) -> Any:
        """The oldest item; waits for one."""
        await self._arrived.wait()
        item = self._items.popleft()
        if not self._items:
            self._arrived.clear()
        return item

    def take_missed(self) -> int:
        """How many items this reader was too slow for since the last call."""
        missed, self.missed = self.missed, 0
        return missed


class Hub:
    """Readers by topic. Only for the loop's thread, except `wanted`."""

    def __init__(self) -> None:
        self._readers: defaultdict[Hashable, set[Reader]] = defaultdict(set)

    @contextmanager
    def subscribe(self, topic: Hashable, size: int = 64) -> Iterator[Reader]:
        """A reader of everything that is published on the topic from now on."""
        reader = Reader(size)
        self._readers[topic].add(reader)
        try:
            yield reader
        finally:
            self._readers[topic].discard(reader)
            if not self._readers[topic]:
                del self._readers[topic]

    def wanted(self, topic: Hashable) -> bool:
        """Whether anybody reads the topic; may be asked from any thread."""
        return topic in self._readers

    def publish(self, topic: Hashable, item: Any) -> None:
        for reader in tuple(self._readers.get(topic, ())):
            reader.put(item)
