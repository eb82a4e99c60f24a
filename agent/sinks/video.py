"""result.mp4: every frame with its tracks, MPEG-4 part 2 (the encoder that every OpenCV has)."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from agent.core.errors import HerdlinkError
from agent.core.ports import Sink
from agent.core.types import Image, Record, Result
from agent.sinks._output import drawn, not_writable, part_of, writing

DEFAULT_FPS: Final = 10.0
_LARGEST_SIDE: Final = 4096
_SPACE_CHECK_FRAMES: Final = 25
_SPARE_BYTES: Final = 16 << 20
"""A film whose index finds no room on the disk is lost as a whole: it ends while there is some."""


class VideoFile:
    """Grows under a hidden name and gets its own when it has been read back; without frames there is no file."""

    def __init__(self, path: Path, labels: Sequence[str], fps: float) -> None:
        self._path = path
        self._part = part_of(path)
        self._labels = labels
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._canvas: Image | None = None
        self._size = (0, 0)
        self._frames = 0

    def write(self, result: Result) -> None:
        """A frame of another size than the first is scaled to it."""
        image = self._canvas = drawn(result, self._labels, self._canvas)
        if self._frames % _SPACE_CHECK_FRAMES == 0:
            self._check_space()
        if self._writer is None:
            self._writer = self._open(image)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        self._writer.write(image)
        self._frames += 1

    def record(self, record: Record) -> None:
        """Windows are not told here."""

    def close(self) -> None:
        """Raises FailedPrecondition (OUTPUT_NOT_WRITABLE) where the film does not read back whole."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.release()
        with writing(self._path):
            try:
                self._check_film()
                self._part.replace(self._path)
            finally:
                self._part.unlink(missing_ok=True)

    def _open(self, image: Image) -> cv2.VideoWriter:
        # OpenCV drops the last row or column of odd sizes, and then every frame that still has it.
        scale = min(1.0, _LARGEST_SIDE / max(image.shape))
        self._size = (_even(image.shape[1] * scale), _even(image.shape[0] * scale))
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        with writing(self._path):
            # Says better than OpenCV why a file cannot be made.
            self._part.write_bytes(b"")
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._part), cv2.CAP_FFMPEG, fourcc, self._fps, self._size)
        if not writer.isOpened():
            self._part.unlink(missing_ok=True)
            raise not_writable(self._path, f"no MPEG-4 encoder for {self._size[0]}x{self._size[1]} in this OpenCV")
        return writer

    def _check_space(self) -> None:
        with writing(self._path):
            free = shutil.disk_usage(self._path.parent).free
        if free < _SPARE_BYTES:
            raise self._stopped("the disk is full; free some space")

    def _stopped(self, cause: str) -> HerdlinkError:
        """The frames so far are made a film, which close() does as well."""
        kept = self._frames
        self.close()
        return not_writable(self._path, f"{cause}; it ends after {kept} frames" if kept else cause)

    def _check_film(self) -> None:
        """OpenCV says nothing of a write that failed: only reading back does."""
        film = cv2.VideoCapture(str(self._part), cv2.CAP_FFMPEG)
        try:
            announced = int(film.get(cv2.CAP_PROP_FRAME_COUNT)) if film.isOpened() else 0
            readable = film.isOpened() and film.read()[0]
            if readable and announced > 1:
                readable = film.set(cv2.CAP_PROP_POS_FRAMES, announced - 1) and film.read()[0]
        finally:
            film.release()
        if not readable or announced != self._frames:
            found = f"{announced} of {self._frames} frames" if readable else "no film"
            raise not_writable(self._path, f"what reached the disk is {found}; is the disk full?")


def open_sink(folder: Path, *, labels: Sequence[str], fps: float) -> Sink:
    """Makes nothing before the first frame. A rate that is not known is taken as 10 frames a second."""
    rate = min(fps, 240.0) if math.isfinite(fps) and fps > 0 else DEFAULT_FPS
    return VideoFile(folder / "result.mp4", labels, rate)


def _even(side: float) -> int:
    return max(2, int(side) // 2 * 2)
