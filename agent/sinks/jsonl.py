"""summaries.jsonl: one record a line, in the same JSON as on MQTT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.core.types import Record, Result


class JsonLines:
    """Writes each record at once: a crash loses none that was counted."""

    def __init__(self, path: Path, to_json: Callable[[Record], str]) -> None:
        self._to_json = to_json
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def write(self, result: Result) -> None:
        """Frames are not told here."""

    def record(self, record: Record) -> None:
        self._file.write(self._to_json(record) + "\n")

    def close(self) -> None:
        self._file.close()


def open_sink(folder: Path, *, to_json: Callable[[Record], str]) -> JsonLines:
    """Makes the file; OSError where it cannot be written. `to_json` gives one line."""
    return JsonLines(folder / "summaries.jsonl", to_json)
