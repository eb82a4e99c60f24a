"""tracks.txt in the form of the MOT Challenge (motchallenge.net), with classes.txt beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.core.mot import rows
from agent.core.ports import Sink
from agent.core.types import Record, Result
from agent.sinks._output import writing


class Mot:
    """Rows `frame,id,left,top,width,height,score,class,1`; frames from 1, classes are lines of classes.txt from 0."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="ascii")

    def write(self, result: Result) -> None:
        """A frame's rows are with the system before the next frame's: a killed program loses one at most."""
        lines = rows(result.frame.index, result.tracks)
        with writing(self._path):
            self._file.write(lines)
            self._file.flush()

    def record(self, record: Record) -> None:
        """Windows are not told here."""

    def close(self) -> None:
        with writing(self._path):
            self._file.close()


def open_sink(folder: Path, *, labels: Sequence[str], fps: float) -> Sink:
    """Makes both files. Raises FailedPrecondition (OUTPUT_NOT_WRITABLE)."""
    classes, path = folder / "classes.txt", folder / "tracks.txt"
    with writing(classes):
        classes.write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
    with writing(path):
        return Mot(path)
