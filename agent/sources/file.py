"""A video file: a path or file:///path."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent.core import uri as uris
from agent.core.errors import InvalidArgument, NotFound, PermissionDenied
from agent.core.names import shorten
from agent.core.ports import Source
from agent.sources._ffmpeg import open_file

_HEAD_BYTES = 1024
_TEXT_SUFFIXES = (".txt", ".nfo", ".asc", ".ans", ".diz")
"""FFmpeg films the letters of these whatever their encoding."""


def local_path(uri: str) -> Path:
    """The file. Raises InvalidArgument (BAD_URI)."""
    return Path(uris.path(uri) if uri[:5].lower() == "file:" else uri)


def is_live(uri: str) -> bool:
    """A file has an end."""
    return False


def check(uri: str) -> None:
    """Raises HerdlinkError where there is no file that can be read."""
    path = local_path(uri)
    try:
        _check_kind(path, path.stat())
        path.open("rb").close()
    except PermissionError as error:
        raise PermissionDenied(
            "INPUT_UNREADABLE", f"{path} may not be read by this program's user; mend its rights"
        ) from error
    except OSError as error:
        # Masked: it may be a camera's address whose scheme was forgotten.
        raise NotFound(
            "INPUT_NOT_FOUND", f"no file {shorten(uris.mask(str(path)), 200)} on this machine; check the path"
        ) from error


def open_source(uri: str) -> Source:
    """The video with its first picture decoded. Raises InvalidArgument (INPUT_UNREADABLE) saying what was found."""
    check(uri)
    path = local_path(uri)
    # An absolute path cannot be taken for one of FFmpeg's protocols ("concat:", "pipe:").
    video = None if _found(path) in ("0 bytes", "text") else open_file(str(path.absolute()), str(path), timeouts=False)
    if video is None:
        raise InvalidArgument("INPUT_UNREADABLE", f"{path} is no video that can be read: {_found(path)}")
    return video


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise InvalidArgument(
            "INPUT_IS_DIRECTORY", f"{path} is a folder; name a video in it, or write images:{path} for its pictures"
        )
    if not stat.S_ISREG(status.st_mode):
        raise InvalidArgument("INPUT_UNREADABLE", f"{path} is no ordinary file; name a video file")


def _found(path: Path) -> str:
    """What a file is, in words. Text is told apart since FFmpeg would follow a playlist, or film the letters."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return "0 bytes"
    if _is_text(head) or path.suffix.lower() in _TEXT_SUFFIXES:
        return "text"
    size = path.stat().st_size
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
        return f"an MP4 file of {size} bytes without index or video; was the recording cut off before its end?"
    return f"{size} bytes in which no video was found"


def _is_text(head: bytes) -> bool:
    """Whether the bytes are letters alone; the last letter may be cut."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\r\n\t\f\ufeff" for letter in text)
