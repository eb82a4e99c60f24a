"""The files that a job left."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agent.core.types import ResultFile


def list_results(folder: Path) -> tuple[ResultFile, ...]:
    """Name, size and sha256 of each file directly in the folder, by name; none where there is no folder."""
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return tuple(ResultFile(path.name, path.stat().st_size, _sha256(path)) for path in files)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
