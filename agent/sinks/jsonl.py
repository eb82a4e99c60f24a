"""summaries.jsonl and events.jsonl: one record a line, in the same JSON as on MQTT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.core.types import EVENT, SUMMARY, Record, Result

NAMES = {SUMMARY: "summaries.jsonl", EVENT: "events.jsonl"}


class JsonLines:
    """Writes each record at once: a crash loses none that was counted."""

    def __init__(self, folder: Path, to_json: Callable[[Record], str]) -> None:
        self._to_json = to_json
        self._files = {kind: (folder / name).open("w", encoding="utf-8", buffering=1) for kind, name in NAMES.items()}

    def write(self, result: Result) -> None:
        """Frames are not told here."""

    def record(self, record: Record) -> None:
        self._files[record.kind].write(self._to_json(record) + "\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def open_sink(folder: Path, *, to_json: Callable[[Record], str]) -> JsonLines:
    """Makes both files; OSError where they cannot be written. `to_json` gives one line."""
    return JsonLines(folder, to_json)
