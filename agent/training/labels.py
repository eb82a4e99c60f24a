"""Labelled pictures as files: NAME.jpg and beside it NAME.txt, the layout that YOLO tools and labelling programs write.

A row of NAME.txt is `class x y width height`: the middle and the size of a box as shares of the picture. Class -1 is
what is neither to be found nor left alone. A picture without a row, or without its .txt, shows no animal.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.core.errors import InvalidArgument
from agent.core.types import Floats, Ints

IGNORED = -1
_SUFFIXES = (".jpg", ".jpeg", ".png")


def pictures(folder: Path) -> list[Path]:
    """The pictures in a folder and below, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)


def read(picture: Path, width: int, height: int) -> tuple[Floats, Ints]:
    """(N, 4) left, top, right, bottom in pixels and (N,) classes of a picture. Raises InvalidArgument (BAD_LABELS)."""
    path = picture.with_suffix(".txt")
    rows = []
    if path.is_file():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.strip():
                rows.append(_row(path, number, line))
    table = np.array(rows, np.float32).reshape(-1, 5)
    middles, sizes = table[:, 1:3] * [width, height], table[:, 3:5] * [width, height]
    return np.concatenate([middles - sizes / 2, middles + sizes / 2], 1).astype(np.float32), table[:, 0].astype(
        np.int32
    )


def write(picture: Path, boxes: Floats, classes: Ints, width: int, height: int) -> None:
    """The .txt beside a picture."""
    scale = np.array([width, height] * 2, np.float64)
    shares = boxes.astype(np.float64) / scale
    rows = [
        f"{number} {(left + right) / 2:.5f} {(top + bottom) / 2:.5f} {right - left:.5f} {bottom - top:.5f}\n"
        for number, (left, top, right, bottom) in zip(classes, shares, strict=True)
    ]
    picture.with_suffix(".txt").write_text("".join(rows), "utf-8")


def _row(path: Path, number: int, line: str) -> list[float]:
    try:
        values = [float(part) for part in line.split()]
    except ValueError:
        values = []
    if len(values) != 5 or not all(np.isfinite(values)) or not all(-0.01 <= v <= 1.01 for v in values[1:]):
        why = (
            f"{path} line {number}: a row is `class x y width height`, shares from 0 to 1; it is {line.strip()[:60]!r}"
        )
        raise InvalidArgument("BAD_LABELS", why)
    return values
