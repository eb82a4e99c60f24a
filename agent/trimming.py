"""How much of the past the journal keeps: bounds by number, by age and by what is free on the disk.

Nobody's absence holds a record back. What goes before every consumer that is known to read its log has acknowledged it
is counted as lost. The newest record of each log stays whatever its age: the stream's totals go on from it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

CONSUMER_KEPT_S = 30 * 86_400.0
"""Who has not come back for so long is forgotten, and no longer has records to lose."""
LEFT_WHEN_LOW = 1000
"""So many records of each log stay however full the disk is: others have filled it, and they are a few megabytes."""
SHARE_WHEN_LOW = 10
"""Of the other records a tenth goes each time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept."""

    records: int = 100_000
    """Of each log."""
    age_s: float = 90 * 86_400.0
    jobs: int = 10_000


def trim(db: sqlite3.Connection, bounds: Bounds, *, now: float | None, low: bool) -> int:
    """Deletes what is out of bounds, and more where the disk is `low`; returns how many records were lost by it.

    `now` in seconds since 1970; None where the clock cannot be trusted: then nothing is too old.
    """
    if now is not None:
        forgotten = "SELECT consumer FROM consumers GROUP BY consumer HAVING max(time) < ?"
        db.execute(f"DELETE FROM consumers WHERE consumer IN ({forgotten})", (now - CONSUMER_KEPT_S,))
    db.execute(
        "DELETE FROM jobs WHERE number <= (SELECT max(number) FROM jobs) - ? "
        "AND state IN ('DONE', 'FAILED', 'CANCELLED')",
        (bounds.jobs,),
    )
    logs = db.execute("SELECT stream, kind, newest FROM logs").fetchall()
    return sum(
        trim_log(db, stream, kind, _last_to_go(db, stream, kind, newest, bounds, now=now, low=low))
        for stream, kind, newest in logs
    )


def trim_log(db: sqlite3.Connection, stream: str, kind: str, last: int) -> int:
    """Deletes a log's records up to one; returns how many of them a known consumer had not acknowledged."""
    row = db.execute("SELECT min(sequence) FROM consumers WHERE stream = ? AND kind = ?", (stream, kind)).fetchone()
    acknowledged = last if row[0] is None else row[0]
    (lost,) = db.execute(
        "SELECT count(*) FROM records WHERE stream = ? AND kind = ? AND sequence > ? AND sequence <= ?",
        (stream, kind, acknowledged, last),
    ).fetchone()
    db.execute("DELETE FROM records WHERE stream = ? AND kind = ? AND sequence <= ?", (stream, kind, last))
    if lost:
        count_lost(db, lost)
    return int(lost)


def count_lost(db: sqlite3.Connection, records: int) -> None:
    """Adds to the records that were lost since the journal began."""
    db.execute(
        "INSERT INTO meta VALUES ('lost', ?1) ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + ?1",
        (records,),
    )


def _last_to_go(
    db: sqlite3.Connection, stream: str, kind: str, newest: int, bounds: Bounds, *, now: float | None, low: bool
) -> int:
    """The sequence up to which a log is out of bounds; 0 where nothing is."""
    last = newest - bounds.records
    if now is not None:
        last = max(last, _last_too_old(db, stream, kind, newest, now - bounds.age_s))
    if low:
        row = db.execute("SELECT min(sequence) FROM records WHERE stream = ? AND kind = ?", (stream, kind)).fetchone()
        spare = newest - LEFT_WHEN_LOW - (row[0] or newest) + 1
        last = max(last, (row[0] or newest) - 1 + (spare + SHARE_WHEN_LOW - 1) // SHARE_WHEN_LOW if spare > 0 else 0)
    return min(last, newest - 1)


def _last_too_old(db: sqlite3.Connection, stream: str, kind: str, newest: int, limit: float) -> int:
    """The last record written before `limit` that has none written later before it; 0 where there is none.

    Records of an untrusted clock have no time (0); they go with the next one that has. Only what is too old is read,
    and the first that is not: of a million records that would take a second otherwise, each minute.
    """
    log = "FROM records WHERE stream = ? AND kind = ?"
    row = db.execute(f"SELECT sequence {log} AND time >= ? ORDER BY sequence LIMIT 1", (stream, kind, limit)).fetchone()
    young = row[0] if row else newest + 1
    row = db.execute(
        f"SELECT sequence {log} AND sequence < ? AND time > 0 ORDER BY sequence DESC LIMIT 1", (stream, kind, young)
    ).fetchone()
    return int(row[0]) if row else 0
