"""Where the node's records are made: numbered, kept, then told. Used from any thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from agent.core.errors import HerdlinkError
from agent.core.types import Body, Job, Record
from agent.journal import Journal
from agent.runtime.clock import clock_synced

log = logging.getLogger(__name__)


class Recorder:
    """Keeps records under the node's name; `told` gets each once it is durable."""

    def __init__(self, *, node: str, journal: Journal, told: Callable[[Record], None]) -> None:
        self.lost = 0
        """Records that the journal could not take since the start."""
        self._node = node
        self._journal = journal
        self._told = told
        self._lock = threading.Lock()

    def keep(self, stream: str, body: Body, job: Job | None = None) -> Record | None:
        """The record; None where the journal cannot be written: it is lost then, and counted."""
        try:
            with self._journal.transaction():
                return self.add(stream, body, job)
        except HerdlinkError as error:
            with self._lock:
                self.lost += 1
            log.error("a record of stream %s is lost: %s", stream, error)
            return None

    def add(self, stream: str, body: Body, job: Job | None = None) -> Record:
        """The same within a transaction of the caller's, which it stands and falls with."""

        def make(sequence: int) -> Record:
            return Record(
                node=self._node,
                stream=stream,
                journal=self._journal.id,
                sequence=sequence,
                job_id=job.job_id if job else "",
                model=job.model if job else "",
                clock_synced=clock_synced(),
                body=body,
            )

        record = self._journal.append(stream, body.kind, make)
        self._journal.after_commit(lambda: self._told(record))
        return record
