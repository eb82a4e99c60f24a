"""A file on its way to this machine.

It grows as NAME.<8 digits of its sha256>.part and gets its name once it is whole. So what lies under its name is
complete, a transfer that broke goes on where it stopped, and never as part of another job's file.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType

from agent.core.errors import FailedPrecondition
from herdlink.v1 import types_pb2

BLOCK_BYTES = 1024 * 1024


class Part:
    """The beginning of the file that will lie at `path`, and its digest. Every method raises FailedPrecondition
    (OUTPUT_NOT_WRITABLE) where the disk does not take it.
    """

    def __init__(self, path: Path, file: types_pb2.ResultFile) -> None:
        self.file = file
        self._path = path
        self._part = path.with_name(f"{path.name}.{file.sha256[:8]}.part")
        try:
            self._part.touch()
            # Not "ab": of two that fetch the same, each writes the same bytes to the same place.
            self._handle = self._part.open("r+b")
        except OSError as error:
            raise self._unwritable(error) from error
        self.size = 0
        self._digest = hashlib.sha256()
        while block := self._handle.read(BLOCK_BYTES):
            self._digest.update(block)
            self.size += len(block)
        if self.size > file.bytes:
            self.clear()

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._handle.close()
        except OSError as failed:
            # A full disk is first told by what was buffered; the earlier error is the better one.
            if error is None:
                raise self._unwritable(failed) from failed

    def append(self, data: bytes) -> None:
        """Takes what follows."""
        try:
            self._handle.write(data)
        except OSError as error:
            raise self._unwritable(error) from error
        self._digest.update(data)
        self.size += len(data)

    def is_right(self) -> bool:
        """Whether all that is here has the digest of the whole file."""
        return self._digest.hexdigest() == self.file.sha256

    def clear(self) -> None:
        """Begins anew."""
        self._handle.seek(0)
        self._handle.truncate()
        self.size = 0
        self._digest = hashlib.sha256()

    def keep(self) -> None:
        """Gives it its name, on the disk for good."""
        try:
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._part.rename(self._path)
        except OSError as error:
            raise self._unwritable(error) from error

    def drop(self) -> None:
        """Removes it."""
        self._part.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> FailedPrecondition:
        message = f"{self._part} cannot be written: {error.strerror}; what came is kept"
        return FailedPrecondition("OUTPUT_NOT_WRITABLE", message)
