"""Where the node's records are made: numbered, kept, then told. Used from any thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from agent.core.errors import HerdlinkError
from agent.core.types import Body, Job, Record
from agent.journal import Journal
from agent.runtime.clock import clock_synced

log = logging.getLogger(__name__)

SAY_AGAIN_S = 60.0


class Recorder:
    """Keeps records under the node's name; `told` gets each once it is durable."""

    def __init__(self, *, node: str, journal: Journal, told: Callable[[Record], None]) -> None:
        self._lost = 0
        self._say_next = 0.0
        self._node = node
        self._journal = journal
        self._told = told
        self._lock = threading.Lock()

    def keep(self, stream: str, body: Body, job: Job | None = None) -> Record | None:
        """The record; None where the journal cannot be written: it is lost then, and counted."""
        try:
            return self.record(stream, body, job)
        except HerdlinkError as error:
            self._count(stream, error)
            return None

    def record(self, stream: str, body: Body, job: Job | None = None) -> Record:
        """The same, but raises HerdlinkError where the journal cannot be written, and counts nothing."""
        with self._journal.transaction():
            record = self.add(stream, body, job)
            self._note_lost()
            return record

    @property
    def lost(self) -> int:
        """Records since the journal began that could not be kept, or not until they were read."""
        return self._journal.lost + self._lost

    def _count(self, stream: str, error: HerdlinkError) -> None:
        """Said once a minute: the log may lie on the same full disk."""
        with self._lock:
            self._lost += 1
            lost, due = self._lost, time.monotonic() >= self._say_next
            if due:
                self._say_next = time.monotonic() + SAY_AGAIN_S
        if due:
            log.error("a record of stream %s is lost, %d in all: %s", stream, lost, error)

    def _note_lost(self) -> None:
        """The journal can be written again: it learns how many records it could not take."""
        with self._lock:
            lost = self._lost
        if lost:
            self._journal.count_lost(lost)
            self._journal.after_commit(lambda: self._forget(lost))

    def _forget(self, lost: int) -> None:
        with self._lock:
            self._lost -= lost

    def add(self, stream: str, body: Body, job: Job | None = None) -> Record:
        """The same within a transaction of the caller's, which it stands and falls with.

        The figures of a job that runs are kept with it: what a kill leaves tells how far the job came.
        """

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
        if job and not job.state.ended:
            self._journal.put_job(job)
        self._journal.after_commit(lambda: self._told(record))
        return record
