"""Where each reader of the records stands: what it has taken over, and what of that it has taken over of late."""

from __future__ import annotations

import json
import sqlite3

STEP_S = 5.0
REPEAT_S = 60.0
"""So far back it is known what was acknowledged when."""

Log = tuple[str, str, str]
"""Consumer, stream, kind."""


def place(db: sqlite3.Connection, log: Log) -> int | None:
    """The last sequence that a consumer has taken over; None for one that is not known."""
    row = db.execute("SELECT sequence FROM consumers WHERE consumer = ? AND stream = ? AND kind = ?", log).fetchone()
    return row[0] if row else None


def place_before(db: sqlite3.Connection, log: Log, seconds: float) -> int:
    """Its place so many seconds before its last acknowledgement, or some five more; 0 for one that is not known."""
    steps = _steps(db, log)
    early = [before for time, before in steps if time >= steps[-1][0] - seconds - STEP_S]
    return early[0] if early else place(db, log) or 0


def welcome(db: sqlite3.Connection, log: Log, *, oldest: int, now: float) -> None:
    """Notes that a consumer is there; a new one begins at the oldest record."""
    db.execute(
        "INSERT INTO consumers (consumer, stream, kind, sequence, time) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (consumer, stream, kind) DO UPDATE SET time = excluded.time",
        (*log, oldest - 1, now),
    )


def move(db: sqlite3.Connection, log: Log, sequence: int, *, now: float) -> None:
    """Moves a consumer's place."""
    # A step that lies ahead is of a clock that was set back since.
    steps = [step for step in _steps(db, log) if now - REPEAT_S - 2 * STEP_S <= step[0] <= now]
    if not steps or now - steps[-1][0] >= STEP_S:
        steps.append((now, place(db, log) or 0))
    db.execute(
        "INSERT OR REPLACE INTO consumers (consumer, stream, kind, sequence, time, steps) VALUES (?, ?, ?, ?, ?, ?)",
        (*log, sequence, now, json.dumps(steps)),
    )


def backlog(db: sqlite3.Connection, consumer: str) -> dict[str, int]:
    """Records that a consumer has not acknowledged, of each stream that it is known to read."""
    rows = db.execute(
        "SELECT stream, sum(newest - sequence) FROM consumers JOIN logs USING (stream, kind) "
        "WHERE consumer = ? GROUP BY stream",
        (consumer,),
    )
    return dict(rows.fetchall())


def _steps(db: sqlite3.Connection, log: Log) -> list[tuple[float, int]]:
    """(time, place before it) of the first acknowledgement of each five seconds, oldest first."""
    row = db.execute("SELECT steps FROM consumers WHERE consumer = ? AND stream = ? AND kind = ?", log).fetchone()
    return [(time, before) for time, before in json.loads(row[0])] if row else []
