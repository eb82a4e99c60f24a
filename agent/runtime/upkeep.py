"""The node's housekeeping: keeps the journal within its bounds, watches the disk, and tries again what is owed."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from agent.core.errors import HerdlinkError
from agent.core.events import DiskWatch
from agent.core.names import NODE_LOG
from agent.runtime.clock import clock_synced
from agent.runtime.engine import Engine

log = logging.getLogger(__name__)

LOOK_S = 2.0
TRIM_S = 60.0


class Upkeep:
    """Runs beside the engine. `free_bytes` is what is left on the fullest of the disks."""

    def __init__(
        self,
        *,
        engine: Engine,
        folders: Sequence[Path],
        min_free_bytes: float,
    ) -> None:
        self.free_bytes = float("inf")
        self.min_free_bytes = min_free_bytes
        self._engine = engine
        self._folders = folders
        self._disk = DiskWatch(min_free_bytes)
        self._serving = True

    @property
    def disk_low(self) -> bool:
        """Whether less is free than the settings ask for."""
        return self._disk.low

    async def run(self, tell_serving: Callable[[bool], Awaitable[None]]) -> None:
        """Until it is cancelled. `tell_serving` hears when the node cannot do its work, and when it can again."""
        next_trim = 0.0
        while True:
            self.look()
            self._engine.owed.settle()
            now = time.monotonic()
            if now >= next_trim or self._engine.journal.unwritable:
                next_trim = now + TRIM_S
                await asyncio.to_thread(self._trim)
            await self._tell(tell_serving)
            await asyncio.sleep(LOOK_S)

    async def _tell(self, tell_serving: Callable[[bool], Awaitable[None]]) -> None:
        """A node whose journal cannot be written does not serve; that it hangs is for the watchdog to see."""
        serving = not self._engine.journal.unwritable
        if serving != self._serving:
            self._serving = serving
            await tell_serving(serving)

    def look(self) -> None:
        """At the disks."""
        self.free_bytes = min((_free(folder) for folder in self._folders), default=float("inf"))
        event = self._disk.add(self.free_bytes, time.time())
        if event is not None:
            log.warning("%s", event.message)
            # On a disk that is full at once it is told when there is room again.
            self._engine.owed.do("disk_low", partial(self._engine.recorder.record, NODE_LOG, event))

    def _trim(self) -> None:
        """Of a clock that cannot be trusted nothing is too old."""
        try:
            lost = self._engine.journal.trim(now=time.time() if clock_synced() else None, low=self.disk_low)
        except HerdlinkError as error:
            log.debug("the journal is not trimmed: %s", error)
            return
        if lost:
            log.warning("%d records were trimmed before they were read", lost)


def _free(folder: Path) -> float:
    """Bytes that may still be written there; infinite where nobody can say."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        figures = os.statvfs(folder)
    except OSError:
        return float("inf")
    return float(figures.f_bavail * figures.f_frsize)
