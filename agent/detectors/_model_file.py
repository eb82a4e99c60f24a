"""The model's file, known to be the one that its sidecar describes: what is checked is what runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.core.errors import FailedPrecondition, NotFound
from agent.core.model import ModelSpec

# A larger one is not held in memory beside what ONNX Runtime makes of it, which is three times its size for a moment.
MAX_HELD_BYTES = 8 << 20
_PIECE_BYTES = 1 << 20


@contextmanager
def checked_file(path: Path, spec: ModelSpec) -> Iterator[bytes | str]:
    """What a session is to be made of within the block: the file's bytes, or its path where it is large.

    Raises NotFound (MODEL_NOT_FOUND), FailedPrecondition (MODEL_CHANGED); the latter also at the end of the block,
    where the file was changed meanwhile.
    """
    try:
        before = _state(path)
        digest, held = hashlib.sha256(), bytearray()
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                if before[1] <= MAX_HELD_BYTES:
                    held += piece
    except OSError as error:
        raise NotFound("MODEL_NOT_FOUND", f"{path} cannot be read: {error.strerror}") from error
    if digest.hexdigest() != spec.sha256:
        found = digest.hexdigest()[:8]
        raise _changed(path, f"its sha256 begins with {found}, the description beside it says {spec.sha256[:8]}")
    if before[1] <= MAX_HELD_BYTES:
        yield bytes(held)
        return
    yield str(path)
    if _state(path) != before:
        raise _changed(path, "it was changed while it was loaded")


def _state(path: Path) -> tuple[int, int, int]:
    """Changes with the file: which one it is, its bytes, its time."""
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _changed(path: Path, what: str) -> FailedPrecondition:
    return FailedPrecondition("MODEL_CHANGED", f"{path} is not the file it was: {what}; import the model again")
