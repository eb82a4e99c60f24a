"""A folder of pictures as a film: images:/folder?fps=5, in natural order (2.jpg before 10.jpg)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from agent.core import uri as uris
from agent.core.errors import InvalidArgument, NotFound, PermissionDenied
from agent.core.ports import Source
from agent.core.types import Frame, Image, InputInfo
from agent.core.uri import Parameter

SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"))
_FPS: Final = Parameter(5, 0.001, 240, whole=False)


def local_path(uri: str) -> Path:
    """The folder. Raises InvalidArgument (BAD_URI)."""
    return Path(uris.path(uri))


def is_live(uri: str) -> bool:
    """A folder has an end."""
    return False


def check(uri: str) -> None:
    """Raises HerdlinkError where there is no folder with pictures."""
    uris.query(uri, {"fps": _FPS})
    _pictures(local_path(uri))


def open_source(uri: str) -> Source:
    """The folder's pictures; they are read one at a time, when asked for."""
    folder = local_path(uri)
    return Images(folder, _pictures(folder), uris.query(uri, {"fps": _FPS})["fps"])


class Images:
    """Every picture at the size of the first: others are scaled to fit, their rest grey, for tracks need one ground.

    A picture that cannot be read keeps its number and its time.
    """

    def __init__(self, folder: Path, paths: list[Path], fps: float) -> None:
        self._folder = folder
        self._paths = paths
        self._fps = fps
        self._closed = False

    @property
    def info(self) -> InputInfo:
        return InputInfo(False, self._fps, len(self._paths))

    def frames(self) -> Iterator[Frame]:
        """Raises InvalidArgument (INPUT_DAMAGED) after the last where some could not be read."""
        size: tuple[int, int] | None = None
        damaged: list[Path] = []
        for position, path in enumerate(self._paths):
            if self._closed:
                return
            image = _read(path)
            if image is None:
                damaged.append(path)
                continue
            size = size or (image.shape[1], image.shape[0])
            yield Frame(position + 1, position / self._fps, _fitted(image, size))
        if damaged:
            raise InvalidArgument("INPUT_DAMAGED", self._told(damaged))

    def close(self) -> None:
        self._closed = True

    def _told(self, damaged: list[Path]) -> str:
        pictures = f"{len(damaged)} of {len(self._paths)} pictures in {self._folder} could not be read"
        kept = "; the others were used" if len(damaged) < len(self._paths) else ""
        return f"{pictures}, first {damaged[0].name}{kept}"


def _pictures(folder: Path) -> list[Path]:
    """The pictures in natural order. Raises HerdlinkError where there are none."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file()]
    except PermissionError as error:
        raise PermissionDenied(
            "INPUT_UNREADABLE", f"{folder} may not be read by this program's user; mend its rights"
        ) from error
    except NotADirectoryError as error:
        raise InvalidArgument(
            "INPUT_IS_FILE", f"{folder} is a file; images: wants a folder, a video goes by its path alone"
        ) from error
    except OSError as error:
        raise NotFound("INPUT_NOT_FOUND", f"no folder {folder} on this machine; check the path") from error
    found = [name for name in names if Path(name).suffix.lower() in SUFFIXES]
    if not found:
        raise InvalidArgument("INPUT_EMPTY", f"no pictures in {folder}; it reads {' '.join(sorted(SUFFIXES))}")
    return [folder / name for name in sorted(found, key=_natural)]


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Orders numbers by value within names."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], name


def _read(path: Path) -> Image | None:
    """None where it is no picture. From memory, since imread complains on the terminal."""
    try:
        data = np.fromfile(path, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Scaled to fit within (width, height), in the middle of grey."""
    width, height = size
    high, wide = image.shape[:2]
    if (wide, high) == size:
        return image
    scale = min(width / wide, height / high)
    inner = (max(1, round(wide * scale)), max(1, round(high * scale)))
    scaled = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.full((height, width, 3), 114, np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas
