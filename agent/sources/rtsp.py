"""A network camera: rtsp://user:password@host:port/path, also rtsps."""

from __future__ import annotations

from pathlib import Path

from agent.core.ports import Source
from agent.core.uri import mask
from agent.sources._ffmpeg import address, open_camera


def local_path(uri: str) -> Path | None:
    """Nothing on this machine."""
    return None


def is_live(uri: str) -> bool:
    """A camera has no end."""
    return True


def check(uri: str) -> None:
    """Raises InvalidArgument (BAD_URI) where no host is named."""
    address(uri)


def open_source(uri: str) -> Source:
    """The camera with its first picture. Raises Unavailable (CAMERA_UNREACHABLE)."""
    return open_camera(address(uri), mask(uri))
