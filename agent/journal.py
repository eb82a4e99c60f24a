"""The one durable file: streams as commands have set them, jobs, records, consumers' places, commands done.

SQLite in WAL mode with synchronous FULL: what was committed survives kill -9 and a power cut (records are few, so this
is cheap). One connection behind one lock: the loop and the jobs' threads take turns, each for one short transaction.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import consumers, database
from agent.core import stored
from agent.core.errors import InvalidArgument
from agent.core.types import SUMMARY, Job, JobState, Record, Summary, Totals
from agent.trimming import Bounds, count_lost, trim, trim_log

COMMANDS_KEPT = 100_000
COMMANDS_KEPT_S = 7 * 86_400.0
TRIM_EVERY = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one log in order, and where the log stands."""

    records: tuple[Record, ...]
    oldest: int
    """The first sequence still kept; newest + 1 where nothing is kept."""
    newest: int


class Journal:
    """Opens the file, or makes it; None keeps everything in memory. A file that is damaged is set aside."""

    def __init__(self, path: Path | None, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._lock = threading.RLock()
        self._after_commit: list[Callable[[], None]] = []
        self._depth = 0
        self.unwritable = ""
        """Why the last transaction could not be kept; empty while all is well."""
        self._db, self.set_aside = database.open_file(path)
        self.id = self._meta("journal")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when it ends; transactions within it join it."""
        with self._lock:
            if self._depth:
                yield
                return
            self._depth = 1
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                self._after_commit.clear()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    self.unwritable = str(error)
                    raise database.unwritable(error) from error
                raise
            finally:
                self._depth = 0
            self.unwritable = ""
            due, self._after_commit = self._after_commit, []
        for action in due:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Does something in the world once the transaction around this call is durable; never if it fails."""
        self._after_commit.append(action)

    # -- streams --------------------------------------------------------------------------------------------------

    def streams(self) -> dict[str, dict[str, Any]]:
        """What commands have set, a stream."""
        with self._lock:
            return {name: json.loads(body) for name, body in self._db.execute("SELECT stream, body FROM streams")}

    def put_stream(self, stream: str, values: dict[str, Any]) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO streams VALUES (?, ?)", (stream, json.dumps(values)))

    def drop_stream(self, stream: str) -> None:
        with self.transaction():
            self._db.execute("DELETE FROM streams WHERE stream = ?", (stream,))

    # -- jobs -----------------------------------------------------------------------------------------------------

    def add_job(self, make: Callable[[str], Job]) -> Job:
        """Keeps a new job; `make` gets its id, "<journal>-<number>"."""
        with self.transaction():
            row = self._db.execute("INSERT INTO jobs (stream, state, body) VALUES ('', '', '')").lastrowid
            job = make(f"{self.id}-{row}")
            self.put_job(job)
        return job

    def put_job(self, job: Job) -> None:
        with self.transaction():
            self._db.execute(
                "UPDATE jobs SET stream = ?, state = ?, body = ? WHERE number = ?",
                (job.stream, job.state.value, stored.job_text(job), self._job_number(job.job_id)),
            )

    def job(self, job_id: str) -> Job | None:
        with self._lock:
            row = self._db.execute("SELECT body FROM jobs WHERE number = ?", (self._job_number(job_id),)).fetchone()
        return stored.job(row[0]) if row else None

    def jobs(self, stream: str = "", limit: int = 100) -> list[Job]:
        """The newest first; of every stream where none is named."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM jobs WHERE ?1 = '' OR stream = ?1 ORDER BY number DESC LIMIT ?2", (stream, limit)
            ).fetchall()
        return [stored.job(body) for (body,) in rows]

    def open_jobs(self) -> list[Job]:
        """Jobs that have not ended, oldest first: after a start, those that a crash has cut."""
        ended = [state.value for state in JobState if state.ended]
        marks = ",".join("?" * len(ended))
        with self._lock:
            rows = self._db.execute(
                f"SELECT body FROM jobs WHERE state NOT IN ({marks}) ORDER BY number", ended
            ).fetchall()
        return [stored.job(body) for (body,) in rows]

    def _job_number(self, job_id: str) -> int:
        journal, _, number = job_id.rpartition("-")
        return int(number) if journal == self.id and number.isascii() and number.isdigit() and len(number) < 16 else -1

    # -- track ids ------------------------------------------------------------------------------------------------

    def next_track(self, stream: str) -> int:
        """The first track id that was never used or reserved in the stream."""
        with self._lock:
            row = self._db.execute("SELECT next FROM tracks WHERE stream = ?", (stream,)).fetchone()
        return row[0] if row else 1

    def set_next_track(self, stream: str, number: int) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO tracks VALUES (?, ?)", (stream, number))

    # -- records --------------------------------------------------------------------------------------------------

    def append(self, stream: str, kind: str, make: Callable[[int], Record]) -> Record:
        """Keeps a record under the next number, which `make` gets."""
        with self.transaction():
            sequence = self.newest(stream, kind) + 1
            record = make(sequence)
            self._db.execute("INSERT OR REPLACE INTO logs VALUES (?, ?, ?)", (stream, kind, sequence))
            self._db.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?)",
                (stream, kind, sequence, stored.record_text(record), time.time() if record.clock_synced else 0.0),
            )
            if sequence % TRIM_EVERY == 0:
                trim_log(self._db, stream, kind, sequence - self.bounds.records)
        return record

    def trim(self, *, now: float | None, low: bool) -> int:
        """Deletes what is out of bounds; see trimming.trim. What it lay on goes back to the disk."""
        with self.transaction():
            # A transaction that writes nothing would not tell whether it can.
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('trimmed', ?)", (time.time(),))
            lost = trim(self._db, self.bounds, now=now, low=low)
        with self._lock:
            self._db.execute("PRAGMA incremental_vacuum")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return lost

    def count_lost(self, records: int) -> None:
        """Adds to `lost` what could not be written."""
        with self.transaction():
            count_lost(self._db, records)

    @property
    def lost(self) -> int:
        """Records since the journal began that a consumer has not got and will not get."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE key = 'lost'").fetchone()
        return int(row[0]) if row else 0

    @property
    def rows(self) -> int:
        """Records kept, of all logs."""
        with self._lock:
            logs = self._db.execute("SELECT stream, kind, newest FROM logs").fetchall()
            # Without counting: a log has no gaps.
            return sum(newest + 1 - self.oldest(stream, kind) for stream, kind, newest in logs)

    def newest(self, stream: str, kind: str) -> int:
        """The newest sequence of a log; 0 where it is empty."""
        with self._lock:
            row = self._db.execute("SELECT newest FROM logs WHERE stream = ? AND kind = ?", (stream, kind)).fetchone()
        return row[0] if row else 0

    def oldest(self, stream: str, kind: str) -> int:
        """The oldest sequence kept of a log; newest + 1 where nothing is."""
        with self._lock:
            row = self._db.execute(
                "SELECT min(sequence) FROM records WHERE stream = ? AND kind = ?", (stream, kind)
            ).fetchone()
            return self.newest(stream, kind) + 1 if row[0] is None else int(row[0])

    def records(self, stream: str, kind: str, after: int, limit: int) -> Page:
        """At most `limit` records whose sequence is greater than `after`."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM records WHERE stream = ? AND kind = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                (stream, kind, after, limit),
            ).fetchall()
            oldest, newest = self.oldest(stream, kind), self.newest(stream, kind)
        return Page(tuple(stored.record(body) for (body,) in rows), oldest, newest)

    def totals(self, stream: str) -> Totals:
        """Where the stream's totals stand: those of its newest summary."""
        page = self.records(stream, SUMMARY, self.newest(stream, SUMMARY) - 1, 1)
        last = page.records[0].body if page.records else None
        if not isinstance(last, Summary):
            return Totals()
        return Totals(
            last.total_animal_s,
            last.total_distance_bl,
            last.total_distance_m,
            {**last.past_zones, **last.zones},
            {**last.past_lines, **last.lines},
        )

    # -- consumers ------------------------------------------------------------------------------------------------

    def place(self, consumer: str, stream: str, kind: str) -> int:
        """The last sequence that this consumer has taken over; 0 for a new one."""
        with self._lock:
            return consumers.place(self._db, (consumer, stream, kind)) or 0

    def place_before(self, consumer: str, stream: str, kind: str, seconds: float) -> int:
        """Its place so many seconds before its last acknowledgement, but not what is no longer kept."""
        with self._lock:
            before = consumers.place_before(self._db, (consumer, stream, kind), seconds)
            return max(before, min(self.place(consumer, stream, kind), self.oldest(stream, kind) - 1))

    def welcome(self, consumer: str, stream: str, kind: str) -> None:
        """Notes that a consumer reads a log; what is trimmed from now on before it has read it is lost to it."""
        with self.transaction():
            oldest = self.oldest(stream, kind)
            consumers.welcome(self._db, (consumer, stream, kind), oldest=oldest, now=time.time())

    def acknowledge(
        self, consumer: str, stream: str, kind: str, sequence: int, *, on_gap: Callable[[int], None] = lambda lost: None
    ) -> int:
        """Moves a consumer's place forward, never back; returns the place. `on_gap` hears, within the transaction, how
        many records it has stepped over because they were trimmed before it had read them.
        """
        log = (consumer, stream, kind)
        with self.transaction():
            known = consumers.place(self._db, log)
            place = known or 0
            if sequence <= place:
                return place
            if sequence > self.newest(stream, kind):
                raise InvalidArgument(
                    "NOT_WRITTEN", f"record {sequence} was not written yet; acknowledge what you read"
                )
            gap = min(self.oldest(stream, kind) - 1, sequence) - place
            consumers.move(self._db, log, sequence, now=time.time())
            if known is not None and gap > 0:
                on_gap(gap)
        return sequence

    def backlog(self, consumer: str) -> dict[str, int]:
        """Records that a consumer has not acknowledged, of each stream that it is known to read."""
        with self._lock:
            return consumers.backlog(self._db, consumer)

    # -- commands done --------------------------------------------------------------------------------------------

    def answer(self, caller: str, method: str, request_id: str) -> tuple[bytes, bytes] | None:
        """(hash of the request, answer) of a command that was done under this key."""
        with self._lock:
            row: tuple[bytes, bytes] | None = self._db.execute(
                "SELECT hash, answer FROM commands WHERE caller = ? AND method = ? AND request_id = ?",
                (caller, method, request_id),
            ).fetchone()
        return row

    def remember(self, caller: str, method: str, request_id: str, *, digest: bytes, answer: bytes) -> None:
        """Keeps the answer of a command; call it within the transaction of its effect."""
        with self.transaction():
            row = self._db.execute(
                "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?)",
                (caller, method, request_id, digest, answer, time.time()),
            ).lastrowid
            if row and row % TRIM_EVERY == 0:
                self._db.execute(
                    "DELETE FROM commands WHERE rowid <= ? OR time < ?",
                    (row - COMMANDS_KEPT, time.time() - COMMANDS_KEPT_S),
                )

    def _meta(self, key: str) -> str:
        return str(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])
