"""Darknet's two files: the .cfg that draws a network, and the .weights that fill it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.core.errors import InvalidArgument
from agent.core.types import Floats

MAX_CFG_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 1 << 30
_HEADER = re.compile(r"\[([a-zA-Z0-9_]+)\]")
# Darknet's own releases count to 0.2.5; a text read as numbers gives hundreds of millions.
_MAX_VERSION = 1000


def invalid(message: str) -> InvalidArgument:
    """The error of everything that is wrong with a network's files."""
    return InvalidArgument("MODEL_INVALID", message)


@dataclass(frozen=True, slots=True)
class Section:
    """One [section] of a .cfg."""

    kind: str
    number: int
    """The layer's number as Darknet counts, from 0; -1 is [net]."""
    values: Mapping[str, str]

    @property
    def place(self) -> str:
        """How an error names it."""
        return f"layer {self.number} [{self.kind}]" if self.number >= 0 else f"[{self.kind}]"

    def integer(self, key: str, default: int) -> int:
        """A whole number, or the default where the key is not set."""
        return self.integers(key)[0] if key in self.values else default

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty where the key is not set."""
        return tuple(int(number) for number in self._numbers(key, int))

    def number_of(self, key: str, default: float) -> float:
        """A number, or the default where the key is not set."""
        return self.numbers(key)[0] if key in self.values else default

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers; empty where the key is not set."""
        return tuple(self._numbers(key, float))

    def word(self, key: str, default: str) -> str:
        return self.values.get(key, default)

    def error(self, message: str) -> InvalidArgument:
        return invalid(f"{self.place}: {message}")

    def _numbers(self, key: str, kind: type[int] | type[float]) -> list[int | float]:
        text = self.values.get(key, "")
        try:
            numbers = [kind(part) for part in text.rstrip(",").split(",")] if key in self.values else []
        except ValueError:
            raise self.error(f"{key} = {text[:60]!r} is no number") from None
        if not all(map(math.isfinite, numbers)):
            raise self.error(f"{key} = {text[:60]!r} is not finite")
        return numbers


def read_cfg(path: Path) -> list[Section]:
    """The sections of a .cfg, [net] first. Raises InvalidArgument (MODEL_INVALID)."""
    data = _read(path, MAX_CFG_BYTES)
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise invalid(f"{path} is no Darknet cfg: it is not text") from None
    parts: list[tuple[str, dict[str, str]]] = []
    for number, line in enumerate(lines, 1):
        # Darknet drops all blanks, and takes the first of two equal keys.
        text = re.sub(r"\s+", "", line.split("#", maxsplit=1)[0].split(";", maxsplit=1)[0])
        header = _HEADER.fullmatch(text)
        if header:
            parts.append((header[1].lower(), {}))
        elif text:
            key, equals, value = text.partition("=")
            if not equals or not parts:
                raise invalid(f"{path} is no Darknet cfg: line {number} is {line.strip()[:40]!r}")
            parts[-1][1].setdefault(key, value)
    if not parts or parts[0][0] not in ("net", "network"):
        raise invalid(f"{path} is no Darknet cfg: it does not begin with [net]")
    return [Section(kind, number, values) for number, (kind, values) in enumerate(parts, -1)]


class Weights:
    """The numbers of a .weights file, read layer by layer: no more of it is in memory than one layer needs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = _size(path, MAX_WEIGHTS_BYTES)
        self._sum = hashlib.sha256()
        self._file = path.open("rb")
        try:
            self._offset = self._skip_header()
        except InvalidArgument:
            self._file.close()
            raise

    def __enter__(self) -> Weights:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of what was taken: after `finish`, of the file."""
        return self._sum.hexdigest()

    def take(self, count: int, section: Section) -> Floats:
        """The next `count` numbers. Raises InvalidArgument (MODEL_INVALID) telling the layer and the byte."""
        end = self._offset + 4 * count
        if end > self._size:
            raise invalid(
                f"{self._path} is too short: {section.place} needs the bytes {self._offset} to {end}, "
                f"the file ends at {self._size}; it is cut off, or belongs to another cfg"
            )
        values = np.frombuffer(self._next(4 * count), "<f4")
        if not np.isfinite(values).all():
            where = self._offset + 4 * int(np.argmin(np.isfinite(values)))
            raise invalid(f"{self._path} is damaged: {section.place} reads what is no number at byte {where}")
        self._offset = end
        return values.astype(np.float32, copy=False)

    def finish(self, section: Section) -> None:
        """Says that `section` was the last. Raises InvalidArgument (MODEL_INVALID) where bytes are left over."""
        left = self._size - self._offset
        if left:
            raise invalid(
                f"{self._path} is too long: {section.place}, the last, ends at byte {self._offset} and {left} bytes "
                "are left over; it belongs to another cfg"
            )

    def _next(self, count: int) -> bytes:
        data = self._file.read(count)
        self._sum.update(data)
        if len(data) != count:
            raise invalid(f"{self._path} became shorter while it was read")
        return data

    def _skip_header(self) -> int:
        """Three integers of version, then the count of pictures seen: 64 bits since version 0.2, before 32."""
        if self._size < 16:
            raise invalid(f"{self._path} is no Darknet weights file: it has only {self._size} bytes")
        major, minor, revision = np.frombuffer(self._next(12), "<i4").tolist()
        if not all(0 <= part < _MAX_VERSION for part in (major, minor, revision)):
            raise invalid(f"{self._path} is no Darknet weights file: it begins with no version")
        length = 20 if major * 10 + minor >= 2 else 16
        self._next(min(length, self._size) - 12)
        return length


def _size(path: Path, limit: int) -> int:
    """Bytes of a file that can be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise invalid(f"{path} cannot be read: {error.strerror}") from error
    if size > limit:
        raise invalid(f"{path} has more than the {limit >> 20} MiB that are allowed")
    return size


def _read(path: Path, limit: int) -> bytes:
    _size(path, limit)
    return path.read_bytes()
