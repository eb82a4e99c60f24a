"""What the sources that decode with FFmpeg share: one open capture as a Source, and the clock of a file.

RTSP goes over TCP without a word from us: where OPENCV_FFMPEG_CAPTURE_OPTIONS is not set, OpenCV passes
`rtsp_flags=prefer_tcp`. That variable holds for the whole process, so it is left to whoever runs it.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import cv2
import numpy as np

from agent.core.errors import HerdlinkError, InvalidArgument, Unavailable
from agent.core.types import Frame, Image, InputInfo
from agent.core.uri import mask

OPEN_TIMEOUT_MS: Final = 3000
READ_TIMEOUT_MS: Final = 2000
"""FFmpeg gives up after three of these: a camera that freezes is told after 6 s."""
VIDEO_SUFFIXES: Final = frozenset(
    (
        *(".3gp", ".asf", ".avi", ".dav", ".flv", ".h264", ".h265", ".hevc", ".m2ts", ".m4v", ".mkv", ".mov"),
        *(".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"),
    )
)
_LONGEST_GAP_S: Final = 600.0
_LONGEST_BACKLOG_S: Final = 10.0
_HIGHEST_FPS: Final = 240.0


def open_file(target: str, name: str, *, timeouts: bool) -> Video | None:
    """A finite video, or None where FFmpeg finds none there. `name` stands in its messages; no secrets in it."""
    capture, first = _open(target, timeouts=timeouts)
    return None if first is None else Video(capture, first, name, live=False)


def open_camera(target: str, name: str) -> Video:
    """A camera at a picture of this moment. Raises Unavailable (CAMERA_UNREACHABLE)."""
    capture, first = _open(target, timeouts=True)
    if first is None:
        raise unreachable(name)
    return Video(capture, _newest(capture, first), name, live=True)


def unreachable(name: str, cure: str = "this machine reaches it") -> HerdlinkError:
    """The error for an address that gives no video; `cure` goes on after "check that"."""
    return Unavailable(
        "CAMERA_UNREACHABLE", f"{name} gives no video; check its address, user and password, and that {cure}"
    )


def address(uri: str) -> str:
    """The URI as FFmpeg wants it. Raises InvalidArgument (BAD_URI) where it names no host, or an odd port."""
    name, _, rest = uri.partition(":")
    try:
        parts = urlsplit(uri)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise InvalidArgument(
            "BAD_URI",
            f"{mask(uri)} names no host; write {name.lower()}://user:password@host/path, "
            "with / ? # @ in a password as %2F %3F %23 %40",
        )
    return f"{name.lower()}:{rest}"


class Video:
    """An open capture whose first picture has been read. The reading thread alone ever waits for FFmpeg."""

    def __init__(self, capture: cv2.VideoCapture, first: Image, name: str, *, live: bool) -> None:
        self._capture = capture
        self._next: Image | None = first
        self._position_s = 0.0
        self._name = name
        self._closed = False
        self._reading = threading.Lock()
        self._info = InputInfo(live, *_rate_and_total(capture, live=live), _codec(capture))

    @property
    def info(self) -> InputInfo:
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Until the end of the file, or of the camera: Unavailable (CAMERA_LOST), InvalidArgument (INPUT_TRUNCATED)."""
        clock = FileClock(self._info.fps)
        index, at = 0, 0.0
        while (image := self._read()) is not None:
            index += 1
            at = time.monotonic() if self._info.live else clock.time(self._position_s)
            yield Frame(index, at, image)
        if self._closed:
            return
        if self._info.live:
            raise Unavailable("CAMERA_LOST", f"{self._name} sends no more pictures")
        self._check_complete(index, at)

    def close(self) -> None:
        """Never releases under a read in another thread: that read's thread does it when FFmpeg comes back."""
        self._closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._reading.release()

    def _read(self) -> Image | None:
        with self._reading:
            image, self._next = self._next, None
            if image is None and not self._closed:
                image = _read_picture(self._capture)
            self._position_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not self._closed:
                return image
            self._capture.release()
            return None

    def _check_complete(self, read: int, last_s: float) -> None:
        """A file that announces more frames, and more time, than it has was cut off.

        Some containers announce a time and no number, so that the number is guessed of a variable rate: a file whose
        last picture comes at the announced end is whole however few pictures it had.
        """
        total, fps = self._info.total_frames, self._info.fps
        slack = max(2.0, 0.02 * total)
        if fps and read < total - slack and last_s < (total - slack) / fps:
            raise InvalidArgument(
                "INPUT_TRUNCATED", f"{self._name} ended after {read} of {total} frames; what was read is kept"
            )


class FileClock:
    """Seconds since a file's first picture, always growing, from what the decoder says of each picture's place."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps if fps else 0.04
        self._gap = max(_LONGEST_GAP_S, 10 * self._step)
        self._offset = 0.0
        self._last: float | None = None

    def time(self, position_s: float) -> float:
        """The next picture's time. A place that stands still, jumps back or far ahead counts as one step."""
        if self._last is None:
            self._offset, self._last = -_finite(position_s), 0.0
            return 0.0
        position_s = _finite(position_s)
        now = position_s + self._offset
        if not self._last < now < self._last + self._gap:
            now = self._last + self._step
            self._offset = now - position_s
        self._last = now
        return now


def _open(target: str, *, timeouts: bool) -> tuple[cv2.VideoCapture, Image | None]:
    _silence()
    # One thread a stream: streams make use of the cores. More would keep a camera's newest pictures back, one a thread.
    limits = [cv2.CAP_PROP_N_THREADS, 1]
    if timeouts:
        limits += [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
    capture = cv2.VideoCapture(target, cv2.CAP_FFMPEG, limits)
    first = _read_picture(capture) if capture.isOpened() else None
    if first is None:
        capture.release()
    return capture, first


def _silence() -> None:
    """FFmpeg reports broken pictures by the thousand, with addresses in it; we say once what is wrong.

    OpenCV asks for the variable when it uses FFmpeg for the first time; -8 is AV_LOG_QUIET. Who sets it has the say.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _read_picture(capture: cv2.VideoCapture) -> Image | None:
    done, image = capture.read()
    return np.asarray(image, np.uint8) if done and image is not None and image.size else None


def _newest(capture: cv2.VideoCapture, first: Image) -> Image:
    """Passes over what piled up while FFmpeg probed the stream (3 s of RTSP): what must be waited for is new."""
    fps = _rate_and_total(capture, live=True)[0] or 25.0
    for _ in range(int(_LONGEST_BACKLOG_S * fps)):
        begin = time.monotonic()
        if not capture.grab():
            return first
        if time.monotonic() - begin > 0.25 / fps:
            break
    done, image = capture.retrieve()
    return np.asarray(image, np.uint8) if done else first


def _codec(capture: cv2.VideoCapture) -> str:
    number = int(capture.get(cv2.CAP_PROP_FOURCC))
    return number.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ") if number > 0 else ""


def _rate_and_total(capture: cv2.VideoCapture, *, live: bool) -> tuple[float, int]:
    """Frames a second and in all, 0 where the container says nothing that can be true."""
    fps = _finite(capture.get(cv2.CAP_PROP_FPS))
    total = _finite(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    fps = fps if 0 < fps <= _HIGHEST_FPS else 0.0
    return fps, int(total) if not live and 0 < total < 1e9 else 0


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
