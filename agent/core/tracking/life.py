"""The life of tracks: begun by a detection, confirmed by hits, over when long unseen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Ints

Rows = NDArray[np.intp]
UNCONFIRMED = 0
_MISSES_AT_ALL = 600
"""Frames after which a lost track is over whatever the clock says: 10 s at 60 fps. Only a clock that stands gets here;
without it the memory of a broken source's tracker would grow for ever."""
_TRACK = np.dtype(
    [
        ("id", np.int32),  # UNCONFIRMED, or a number that no other track gets
        ("label", np.int32),  # index into the detector's labels, for life
        ("born", np.float64),  # seconds
        ("seen", np.float64),  # seconds
        ("hits", np.int32),  # frames with a detection
        ("misses", np.int32),  # frames since the last detection
    ]
)


class Life:
    """N tracks, row i is track i, in the order they began. Ids count up from `first_id` as tracks are confirmed."""

    def __init__(self, *, first_id: int, hits_to_confirm: int, lost_s: float) -> None:
        self._rows: NDArray[np.void] = np.zeros(0, _TRACK)
        self._next_id = first_id
        self._hits_to_confirm = hits_to_confirm
        self._lost_s = lost_s

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> Ints:
        """(N,) UNCONFIRMED where none is given yet."""
        return self._rows["id"]

    @property
    def classes(self) -> Ints:
        """(N,) of the detection that a track began with."""
        return self._rows["label"]

    @property
    def confirmed(self) -> NDArray[np.bool_]:
        confirmed: NDArray[np.bool_] = self.ids != UNCONFIRMED
        return confirmed

    @property
    def misses(self) -> Ints:
        """(N,) frames since a track was last seen."""
        return self._rows["misses"]

    def ages(self, rows: Rows, now: float) -> NDArray[np.float32]:
        """Seconds since the tracks were first seen."""
        return (now - self._rows["born"][rows]).astype(np.float32)

    def over(self, now: float) -> NDArray[np.bool_]:
        """(N,) tracks to forget: unconfirmed ones that missed a frame, others that were lost for too long.

        One missed frame is always forgiven, however slow the camera.
        """
        misses, lost = self._rows["misses"], now - self._rows["seen"] > self._lost_s
        return np.where(self.confirmed, ((misses > 1) & lost) | (misses > _MISSES_AT_ALL), misses > 0)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forgets the tracks outside an (N,) mask."""
        self._rows = self._rows[mask]

    def see(self, rows: Rows, now: float) -> None:
        """One frame: `rows` were seen in it, all others were missed."""
        self._rows["misses"] += 1
        self._rows["misses"][rows] = 0
        self._rows["hits"][rows] += 1
        self._rows["seen"][rows] = now

    def begin(self, classes: Ints, now: float) -> Rows:
        """Appends a track a detection; returns their rows."""
        fresh = np.zeros(len(classes), _TRACK)
        fresh["label"], fresh["born"], fresh["seen"], fresh["hits"] = classes, now, now, 1
        self._rows = np.concatenate([self._rows, fresh])
        return np.arange(len(self) - len(fresh), len(self))

    def confirm(self, *, at_once: bool) -> None:
        """Gives ids to the tracks with enough hits; `at_once`: to all that were seen in this frame."""
        enough = self._rows["misses"] == 0 if at_once else self._rows["hits"] >= self._hits_to_confirm
        fresh = np.flatnonzero(enough & ~self.confirmed)
        self._rows["id"][fresh] = np.arange(self._next_id, self._next_id + len(fresh))
        self._next_id += len(fresh)
