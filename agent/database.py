"""The journal's file: its tables, and how it is opened, upgraded or set aside."""

from __future__ import annotations

import secrets
import sqlite3
import time
from pathlib import Path

from agent.core.errors import HerdlinkError, InvalidArgument, ResourceExhausted

SCHEMA_VERSION = 3
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE streams (stream TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, state TEXT NOT NULL,
                   body TEXT NOT NULL);
CREATE INDEX jobs_by_stream ON jobs (stream, number);
CREATE TABLE logs (stream TEXT, kind TEXT, newest INTEGER NOT NULL, PRIMARY KEY (stream, kind)) WITHOUT ROWID;
CREATE TABLE records (stream TEXT, kind TEXT, sequence INTEGER, body TEXT NOT NULL, time REAL NOT NULL,
                      PRIMARY KEY (stream, kind, sequence)) WITHOUT ROWID;
CREATE TABLE consumers (consumer TEXT, stream TEXT, kind TEXT, sequence INTEGER NOT NULL, time REAL NOT NULL,
                        steps TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (consumer, stream, kind)) WITHOUT ROWID;
CREATE TABLE commands (caller TEXT, method TEXT, request_id TEXT, hash BLOB NOT NULL, answer BLOB NOT NULL,
                       time REAL NOT NULL, PRIMARY KEY (caller, method, request_id));
CREATE TABLE tracks (stream TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
"""
# From each version to the next.
UPGRADES = {
    # What is there counts as written now.
    1: """
    ALTER TABLE records ADD COLUMN time REAL NOT NULL DEFAULT 0;
    ALTER TABLE consumers ADD COLUMN time REAL NOT NULL DEFAULT 0;
    UPDATE records SET time = strftime('%s', 'now');
    UPDATE consumers SET time = strftime('%s', 'now');
    """,
    2: "ALTER TABLE consumers ADD COLUMN steps TEXT NOT NULL DEFAULT '[]';",
}


def open_file(path: Path | None) -> tuple[sqlite3.Connection, Path | None]:
    """Opens the file or makes it; None: in memory. Also where a damaged file was set aside. Raises HerdlinkError."""
    try:
        return _connect(path), None
    except sqlite3.OperationalError as error:
        raise unwritable(error) from error
    except sqlite3.DatabaseError:
        if path is None:
            raise
        # Nobody on site can repair it; a new journal has a new id, so no consumer takes its numbers for old ones.
        aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        path.rename(aside)
        for leftover in (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")):
            leftover.unlink(missing_ok=True)
        return _connect(path), aside


def unwritable(error: sqlite3.OperationalError) -> HerdlinkError:
    """The error of a disk that is full or cannot be written."""
    return ResourceExhausted(
        "JOURNAL_UNWRITABLE", f"the journal in state_dir cannot be written ({error}); make room or mend the disk"
    )


def _connect(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        # Of a new file only: what is deleted can go back to the disk.
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION};")
            db.execute("INSERT INTO meta VALUES ('journal', ?)", (secrets.token_hex(4),))
            db.execute("COMMIT")
        elif version < SCHEMA_VERSION:
            steps = "".join(UPGRADES[step] for step in range(version, SCHEMA_VERSION))
            db.executescript(f"BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version > SCHEMA_VERSION:
            raise InvalidArgument("JOURNAL_TOO_NEW", f"{path} was written by a newer herdlink; install that one")
    except BaseException:
        db.close()
        raise
    return db
