"""The roll of tracks: who is on it, since when, last seen when, and whether enough speaks for it to be told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Ints

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
LOST_S = 3.0
"""How long a track that is told waits to be found again."""
_MISSES_AT_ALL = 600
"""Frames after which it is over whatever the clock says: without it a clock that stands would fill the memory."""
FIXTURE_S = 3.0
"""A thing that stood still for so long, and never looked like an animal, is a part of the pen."""
FIXTURE_KEPT_S = 10.0
"""How long it is remembered while something else is before it."""
STRAYED = 1.0
"""Body lengths from where it began that a fixture never goes."""
_ID, _BORN, _SEEN, _FRAME, _RUN, _EVIDENCE, _NEED, _CLASS, _BEST, _X, _Y, _FIXTURE, _COLUMNS = range(13)


class Roll:
    """N tracks in the order they began; row i is track i. Ids count up from `first_id` as tracks are confirmed."""

    def __init__(self, *, first_id: int) -> None:
        self._roll: Doubles = np.zeros((_COLUMNS, 0))
        self._next_id = first_id
        self.now = 0.0
        """Seconds, of a clock that never goes back."""
        self.frame = 0

    def __len__(self) -> int:
        return int(self._roll.shape[1])

    def advance(self, step_s: float) -> None:
        """The next frame."""
        self.now += step_s
        self.frame += 1

    @property
    def told(self) -> Mask:
        """(N,) tracks that have an id."""
        told: Mask = self._roll[_ID] > 0
        return told

    @property
    def classes(self) -> Doubles:
        """(N,) class numbers, of the detection that a track began with."""
        classes: Doubles = self._roll[_CLASS]
        return classes

    @property
    def misses(self) -> Doubles:
        """(N,) frames since a track was last seen: 0 in the frame itself."""
        misses: Doubles = self.frame - self._roll[_FRAME]
        return misses

    @property
    def unseen_s(self) -> Doubles:
        """(N,) seconds since a track was last seen."""
        unseen: Doubles = self.now - self._roll[_SEEN]
        return unseen

    def see(self, rows: Rows, *, sure: Mask, evidence: Doubles, scores: Doubles) -> tuple[Doubles, Mask]:
        """Tracks `rows` were seen in this frame; `sure`: by a confident detection; `evidence` adds up.

        Returns how many frames in a row they were surely seen, and which of them are told.
        """
        roll = self._roll[:, rows]
        run = roll[_RUN]
        run *= roll[_FRAME] == self.frame - 1
        run += 1
        run *= sure
        roll[_SEEN] = self.now
        roll[_FRAME] = self.frame
        roll[_EVIDENCE] += evidence
        roll[_BEST] = np.maximum(roll[_BEST], scores)
        self._roll[:, rows] = roll
        return run, roll[_ID] > 0

    def begin(self, classes: Ints, places: Doubles, *, scores: Doubles, evidence: Doubles, need: Doubles) -> None:
        """Appends a track for each of (M,) classes; it is told once its evidence reaches `need` (M,)."""
        fresh = np.zeros((_COLUMNS, len(classes)))
        fresh[_BORN] = fresh[_SEEN] = self.now
        fresh[_FRAME], fresh[_RUN] = self.frame, 1
        fresh[_EVIDENCE], fresh[_NEED], fresh[_CLASS] = evidence, need, classes
        fresh[_BEST] = scores
        fresh[[_X, _Y]] = places[:2]
        self._roll = np.concatenate([self._roll, fresh], axis=1)

    def confirm(self) -> None:
        """Gives ids to the tracks seen in this frame for which enough speaks."""
        if self.told.all():
            return
        ready = self._roll[_EVIDENCE] >= self._roll[_NEED]
        ready &= self._roll[_ID] == 0
        if ready.any():
            rows = (ready & (self._roll[_FRAME] == self.frame)).nonzero()[0]
            self._roll[_ID][rows] = np.arange(self._next_id, self._next_id + len(rows))
            self._next_id += len(rows)

    @property
    def fixtures(self) -> Mask:
        """(N,) told tracks of what stands there and is no animal."""
        fixtures: Mask = self._roll[_FIXTURE] > 0
        return fixtures

    def judge(self, places: Doubles, level: float) -> bool:
        """Finds the fixtures: they never scored as high as `level`, nor strayed from where they began. Any there?"""
        roll = self._roll
        dull = roll[_BEST] < level
        dull &= roll[_BORN] <= self.now - FIXTURE_S
        roll[_FIXTURE] = dull
        rows = dull.nonzero()[0]
        if len(rows):
            there = places[:, rows]
            away = np.square(there[:2] - roll[_X : _Y + 1, rows]).sum(axis=0)
            strayed = rows[away > STRAYED**2 * there[2] * there[3]]
            roll[_BEST, strayed] = np.inf
            roll[_FIXTURE, strayed] = 0
        return len(rows) > 0

    def over(self) -> Mask:
        """(N,) tracks to forget: those not told that missed a frame, told ones that were lost for too long.

        One missed frame is always forgiven to those, however slow the camera.
        """
        misses = self.misses
        if not misses.any():
            return np.zeros(len(self), np.bool_)
        patience = np.where(self.fixtures, FIXTURE_KEPT_S, LOST_S)
        lost = (self.unseen_s > patience) & (misses > 1) | (misses > _MISSES_AT_ALL)
        return np.where(self.told, lost, misses > 0)

    def keep(self, mask: Mask) -> None:
        """Forgets the tracks outside an (N,) mask."""
        self._roll = self._roll[:, mask]

    def seen_within(self, unseen_s: Doubles | float) -> tuple[Rows, Ints, NDArray[np.float32]]:
        """Rows of the told tracks seen at most `unseen_s` ago by growing id, their ids, and their ages in seconds.

        0.0 means in this frame, also where the clock stands.
        """
        seen = self._roll[_FRAME] == self.frame
        if isinstance(unseen_s, np.ndarray):
            seen |= self.unseen_s <= unseen_s
        rows = (seen & self.told & ~self.fixtures).nonzero()[0]
        ids = self._roll[_ID][rows]
        order = ids.argsort()
        rows = rows[order]
        return rows, ids[order].astype(np.int32), (self.now - self._roll[_BORN][rows]).astype(np.float32)
