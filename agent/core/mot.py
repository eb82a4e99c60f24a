"""Rows of the MOT Challenge (motchallenge.net): `frame,id,left,top,width,height,score,...`, pixels, frames from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.errors import InvalidArgument
from agent.core.types import Detections, Doubles, Ints, Tracks

_FEWEST_COLUMNS = 7
_COLUMNS_WITH_CLASS = 9
_CLASS = 7
_LAST_FRAME = 10_000_000
"""Four days at 30 frames/s. A larger number is a time, or a slip, and every frame up to it would be gone through."""
_LAST_INT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rows:
    """The R rows of a file, in its order."""

    frames: Ints
    """(R,) from 1, in any order."""
    detections: Detections

    @property
    def last_frame(self) -> int:
        """0 where there is no row."""
        return int(self.frames.max(initial=0))

    def by_frame(self) -> Iterator[NDArray[np.intp]]:
        """The row numbers of each frame from 1 to the last, frames without rows too."""
        order = np.argsort(self.frames, kind="stable")
        ends = np.searchsorted(self.frames[order], np.arange(1, self.last_frame + 1), side="right")
        start = 0
        for end in ends.tolist():
            yield order[start:end]
            start = end


def parse(text: str, name: str) -> Rows:
    """The rows of a text; `name` is what errors call it. Raises InvalidArgument (BAD_ROW) with the line.

    Ids are passed over. The class is the 8th column of rows of exactly 9, as in our own tracks.txt and the challenge's
    ground truth; other rows have coordinates in the world there, or nothing, and are of class 0.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    table = _table(lines, name)
    corners = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1)
    classes = table[:, _CLASS] if table.shape[1] == _COLUMNS_WITH_CLASS else np.zeros(len(table))
    return Rows(
        table[:, 0].astype(np.int32),
        Detections(
            boxes=corners.astype(np.float32),
            scores=table[:, 6].astype(np.float32),
            classes=np.clip(classes, 0, _LAST_INT).astype(np.int32),
        ),
    )


def rows(frame: int, tracks: Tracks) -> str:
    """The lines `frame,id,left,top,width,height,score,class,1` of a frame."""
    columns = (tracks.ids.tolist(), tracks.boxes.tolist(), tracks.scores.tolist(), tracks.classes.tolist())
    return "".join(
        f"{frame},{track},{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f},{score:.2f},{number},1\n"
        for track, (left, top, right, bottom), score, number in zip(*columns, strict=True)
    )


def _table(lines: Sequence[tuple[int, str]], name: str) -> Doubles:
    if not lines:
        return np.zeros((0, _FEWEST_COLUMNS))
    try:
        table = np.loadtxt([line for _, line in lines], delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        raise _first_unreadable(lines, name) from error
    if table.shape[1] < _FEWEST_COLUMNS:
        raise _too_short(name, lines[0][0], table.shape[1])
    frames, sides = table[:, 0], table[:, 4:6]
    for bad, why in (
        (~np.isfinite(table).all(axis=1), "holds a figure that is not a finite number"),
        ((frames % 1 != 0) | (frames < 1), "the frame must be a whole number, and frames count from 1"),
        (frames > _LAST_FRAME, f"the frame is beyond {_LAST_FRAME}; frames are numbers, not times"),
        ((sides <= 0).any(axis=1), "width and height must be above 0"),
    ):
        if bad.any():
            raise _bad(name, lines[int(bad.argmax())][0], why)
    return table


def _first_unreadable(lines: Sequence[tuple[int, str]], name: str) -> InvalidArgument:
    """Line by line, which is slow, but only a file that cannot be used pays for it."""
    columns = lines[0][1].count(",") + 1
    for number, line in lines:
        have = line.count(",") + 1
        if have < _FEWEST_COLUMNS:
            return _too_short(name, number, have)
        if have != columns:
            return _bad(name, number, f"has {have} columns where the rows above have {columns}")
        try:
            np.loadtxt([line], delimiter=",", comments=None)
        except ValueError:
            return _bad(name, number, f"{line.strip()[:60]!r} is not a row of numbers with commas between them")
    return _bad(name, lines[0][0], "cannot be read")


def _too_short(name: str, number: int, columns: int) -> InvalidArgument:
    why = f"has {columns} columns; a row is frame,-1,left,top,width,height,score"
    return _bad(name, number, why)


def _bad(name: str, number: int, why: str) -> InvalidArgument:
    return InvalidArgument("BAD_ROW", f"{name}, line {number}: {why}")
