"""The files that a job left."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from agent.core.errors import FailedPrecondition, NotFound
from agent.core.types import ResultFile

log = logging.getLogger(__name__)


def list_results(folder: Path) -> tuple[ResultFile, ...]:
    """Name, size and sha256 of each file directly in the folder, by name; none where there is no folder."""
    if not folder.is_dir():
        return ()
    return tuple(file for path in sorted(folder.iterdir()) if _is_result(path) and (file := _described(path)))


def _is_result(path: Path) -> bool:
    """A link is none: it could lead a reader on another machine anywhere on this one."""
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")


def _described(path: Path) -> ResultFile | None:
    """None where the file cannot be read: the others are told all the same."""
    try:
        return describe_file(path)
    except OSError as error:
        log.error("the result %s cannot be read: %s", path, error)
        return None


def describe_file(path: Path) -> ResultFile:
    """A file as a job tells it. Raises OSError."""
    return ResultFile(path.name, path.stat().st_size, sha256(path))


def sha256(path: Path) -> str:
    """64 hex digits of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_piece(path: Path, file: ResultFile, offset: int, size: int) -> bytes:
    """At most `size` bytes of a result from `offset` on, fewer only at its end. Raises NotFound (RESULT_GONE) and
    FailedPrecondition (RESULT_CHANGED, RESULT_UNREADABLE).
    """
    try:
        # Opened for each piece: a reader that stands still or goes away holds no handle.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            present, data = os.fstat(handle).st_size, os.pread(handle, size, offset)
        finally:
            os.close(handle)
    except FileNotFoundError as error:
        raise NotFound("RESULT_GONE", f"{file.name} is no longer on the node; Compute again") from error
    except OSError as error:
        raise FailedPrecondition("RESULT_UNREADABLE", f"{file.name} cannot be read: {error.strerror}") from error
    if present != file.bytes or len(data) != min(size, file.bytes - offset):
        message = f"{file.name} has {present} bytes on the node and had {file.bytes} when the job ended; Compute again"
        raise FailedPrecondition("RESULT_CHANGED", message)
    return data
