"""Video over HTTP: a camera's MJPEG or HLS stream, or a file on a web server; also https."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from agent.core.ports import Source
from agent.core.uri import mask
from agent.sources._ffmpeg import VIDEO_SUFFIXES, address, open_camera, open_file, unreachable


def local_path(uri: str) -> Path | None:
    """Nothing on this machine."""
    return None


def is_live(uri: str) -> bool:
    """A path that ends like a video file is one; all else is a camera."""
    try:
        path = urlsplit(uri).path
    except ValueError:
        return True
    return PurePosixPath(path).suffix.lower() not in VIDEO_SUFFIXES


def check(uri: str) -> None:
    """Raises InvalidArgument (BAD_URI) where no host is named."""
    address(uri)


def open_source(uri: str) -> Source:
    """The stream or file with its first picture. Raises Unavailable (CAMERA_UNREACHABLE)."""
    if is_live(uri):
        return open_camera(address(uri), mask(uri))
    video = open_file(address(uri), mask(uri), timeouts=True)
    if video is None:
        # FFmpeg asks for the index at the end of an MP4 by a range; Python's http.server, for one, serves none.
        raise unreachable(mask(uri), "the web server serves ranges (an MP4 wants them)")
    return video
