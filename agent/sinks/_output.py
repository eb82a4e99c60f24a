"""What the sinks share: errors of the disk as words, names on boxes, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.core.errors import FailedPrecondition
from agent.core.picture import annotate
from agent.core.scene_picture import draw_scene
from agent.core.types import Image, Result


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError into FailedPrecondition (OUTPUT_NOT_WRITABLE)."""
    try:
        yield
    except OSError as error:
        raise not_writable(path, _cause(error)) from error


def not_writable(path: Path, cause: str) -> FailedPrecondition:
    """The error for a file that is not what it should be; `cause` goes on after a colon."""
    return FailedPrecondition("OUTPUT_NOT_WRITABLE", f"{path} cannot be written: {cause}")


def drawn(result: Result, labels: Sequence[str], canvas: Image | None = None) -> Image:
    """The picture with its scene and every track's box, label and id; on `canvas` where that is given and fits."""
    tracks = result.tracks
    texts = [f"{labels[number]} {track}" for number, track in zip(tracks.classes, tracks.ids, strict=True)]
    return annotate(draw_scene(result.frame.image, result.scene), tracks.boxes, tracks.ids, texts, canvas=canvas)


def part_of(path: Path) -> Path:
    """Where a file grows until it is whole: hidden beside it, with its ending."""
    return path.with_name(f".{path.stem}.part{path.suffix}")


def replace_whole(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a power cut, finds the old one or the new one. Raises OSError."""
    part = part_of(path)
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _cause(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; free some space"
    if isinstance(error, PermissionError):
        return "this program's user may not write there; mend the folder's rights"
    if isinstance(error, FileNotFoundError):
        return "its folder is gone"
    return f"{error.strerror or error}; check the disk"
