"""Track ids of a stream: reserved ahead in the journal, so that a crash cannot give one out twice."""

from __future__ import annotations

import logging
import time

from agent.core.errors import HerdlinkError
from agent.core.types import Tracks
from agent.journal import Journal

log = logging.getLogger(__name__)

RESERVED = 1000
AGAIN_S = 5.0


class TrackIds:
    """The ids that one job gives out, from `first` on."""

    def __init__(self, journal: Journal, stream: str) -> None:
        self._journal = journal
        self._stream = stream
        self.first = journal.next_track(stream)
        self.newest = self._reserved = self.first - 1
        self._next_try = 0.0

    @property
    def used(self) -> int:
        """How many."""
        return self.newest - self.first + 1

    def saw(self, tracks: Tracks) -> None:
        """Reserves more where these come near the end of what is reserved."""
        self.newest = max(self.newest, int(tracks.ids.max(initial=0)))
        if self.newest <= self._reserved or time.monotonic() < self._next_try:
            return
        try:
            self._journal.set_next_track(self._stream, self.newest + RESERVED + 1)
            self._reserved = self.newest + RESERVED
        except HerdlinkError as unwritable:
            # The work goes on; the ids are at risk only where the agent dies before the disk can be written again.
            self._next_try = time.monotonic() + AGAIN_S
            log.error("track ids of stream %s are not reserved: %s", self._stream, unwritable)

    def close(self) -> None:
        """Gives back what was reserved and not used. Raises HerdlinkError where the journal cannot be written."""
        if self.used:
            self._journal.set_next_track(self._stream, self.newest + 1)
