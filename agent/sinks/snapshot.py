"""snapshot.jpg: the newest picture with its tracks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.core.picture import to_jpeg
from agent.core.ports import Sink
from agent.core.types import Record, Result
from agent.sinks._output import drawn, replace_whole, writing

PERIOD_S: Final = 10.0


class Snapshot:
    """Writes the first picture at once, then at most one in 10 s, and the last; the file is always a whole one."""

    def __init__(self, path: Path, labels: Sequence[str]) -> None:
        self._path = path
        self._labels = labels
        self._unwritten: Result | None = None
        self._next_s = float("-inf")

    def write(self, result: Result) -> None:
        self._unwritten = result
        if time.monotonic() >= self._next_s:
            self._save(result)
            self._next_s = time.monotonic() + PERIOD_S

    def record(self, record: Record) -> None:
        """Windows are not told here."""

    def close(self) -> None:
        if self._unwritten is not None:
            self._save(self._unwritten)

    def _save(self, result: Result) -> None:
        with writing(self._path):
            replace_whole(self._path, to_jpeg(drawn(result, self._labels)))
        self._unwritten = None


def open_sink(folder: Path, *, labels: Sequence[str], fps: float) -> Sink:
    """Makes nothing yet: a job without pictures leaves no snapshot."""
    return Snapshot(folder / "snapshot.jpg", labels)
