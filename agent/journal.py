"""The one durable file: streams as commands have set them, jobs, records, consumers' places, commands done.

SQLite in WAL mode with synchronous FULL: what was committed survives kill -9 and a power cut (records are few, so this
is cheap). One connection behind one lock: the loop and the jobs' threads take turns, each for one short transaction.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.core import stored
from agent.core.errors import HerdlinkError, InvalidArgument, ResourceExhausted
from agent.core.types import SUMMARY, Job, JobState, Record, Summary, Totals

SCHEMA_VERSION = 1
RECORDS_KEPT = 100_000
COMMANDS_KEPT = 100_000
COMMANDS_KEPT_S = 7 * 86_400.0
TRIM_EVERY = 500

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE streams (stream TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, state TEXT NOT NULL,
                   body TEXT NOT NULL);
CREATE INDEX jobs_by_stream ON jobs (stream, number);
CREATE TABLE logs (stream TEXT, kind TEXT, newest INTEGER NOT NULL, PRIMARY KEY (stream, kind)) WITHOUT ROWID;
CREATE TABLE records (stream TEXT, kind TEXT, sequence INTEGER, body TEXT NOT NULL,
                      PRIMARY KEY (stream, kind, sequence)) WITHOUT ROWID;
CREATE TABLE consumers (consumer TEXT, stream TEXT, kind TEXT, sequence INTEGER NOT NULL,
                        PRIMARY KEY (consumer, stream, kind)) WITHOUT ROWID;
CREATE TABLE commands (caller TEXT, method TEXT, request_id TEXT, hash BLOB NOT NULL, answer BLOB NOT NULL,
                       time REAL NOT NULL, PRIMARY KEY (caller, method, request_id));
CREATE TABLE tracks (stream TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one log in order, and where the log stands."""

    records: tuple[Record, ...]
    oldest: int
    """The first sequence still kept; newest + 1 where nothing is kept."""
    newest: int


class Journal:
    """Opens the file, or makes it; None keeps everything in memory. A file that is damaged is set aside."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        self._after_commit: list[Callable[[], None]] = []
        self._depth = 0
        self.set_aside: Path | None = None
        self._db = self._open(path)
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
                    raise _unwritable(error) from error
                raise
            finally:
                self._depth = 0
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
                "INSERT INTO records VALUES (?, ?, ?, ?)", (stream, kind, sequence, stored.record_text(record))
            )
            if sequence % TRIM_EVERY == 0:
                self._db.execute(
                    "DELETE FROM records WHERE stream = ? AND kind = ? AND sequence <= ?",
                    (stream, kind, sequence - RECORDS_KEPT),
                )
        return record

    def newest(self, stream: str, kind: str) -> int:
        """The newest sequence of a log; 0 where it is empty."""
        with self._lock:
            row = self._db.execute("SELECT newest FROM logs WHERE stream = ? AND kind = ?", (stream, kind)).fetchone()
        return row[0] if row else 0

    def records(self, stream: str, kind: str, after: int, limit: int) -> Page:
        """At most `limit` records whose sequence is greater than `after`."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM records WHERE stream = ? AND kind = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                (stream, kind, after, limit),
            ).fetchall()
            newest = self.newest(stream, kind)
            oldest = self._db.execute(
                "SELECT min(sequence) FROM records WHERE stream = ? AND kind = ?", (stream, kind)
            ).fetchone()[0]
        return Page(tuple(stored.record(body) for (body,) in rows), newest + 1 if oldest is None else oldest, newest)

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
            row = self._db.execute(
                "SELECT sequence FROM consumers WHERE consumer = ? AND stream = ? AND kind = ?",
                (consumer, stream, kind),
            ).fetchone()
        return row[0] if row else 0

    def acknowledge(self, consumer: str, stream: str, kind: str, sequence: int) -> int:
        """Moves a consumer's place forward, never back; returns the place."""
        with self.transaction():
            place = self.place(consumer, stream, kind)
            if sequence <= place:
                return place
            if sequence > self.newest(stream, kind):
                raise InvalidArgument(
                    "NOT_WRITTEN", f"record {sequence} was not written yet; acknowledge what you read"
                )
            self._db.execute("INSERT OR REPLACE INTO consumers VALUES (?, ?, ?, ?)", (consumer, stream, kind, sequence))
        return sequence

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

    # -- the file -------------------------------------------------------------------------------------------------

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is None:
            return _connect(None)
        try:
            return _connect(path)
        except sqlite3.OperationalError as error:
            raise _unwritable(error) from error
        except sqlite3.DatabaseError:
            # Nobody on site can repair it; a new journal has a new id, so no consumer takes its numbers for old ones.
            self.set_aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            path.rename(self.set_aside)
            for leftover in (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")):
                leftover.unlink(missing_ok=True)
            return _connect(path)

    def _meta(self, key: str) -> str:
        return str(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])


def _connect(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
            db.execute("INSERT INTO meta VALUES ('journal', ?)", (secrets.token_hex(4),))
            db.execute("COMMIT")
        elif version > SCHEMA_VERSION:
            raise InvalidArgument("JOURNAL_TOO_NEW", f"{path} was written by a newer herdlink; install that one")
    except BaseException:
        db.close()
        raise
    return db


def _unwritable(error: sqlite3.OperationalError) -> HerdlinkError:
    return ResourceExhausted(
        "JOURNAL_UNWRITABLE", f"the journal in state_dir cannot be written ({error}); make room or mend the disk"
    )
