"""The roll of tracks: who is on it, since when, last seen when, and whether enough speaks for it to be told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Ints

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
LOST_S = 3.0
"""How long a track that is told waits to be found again."""
ROUNDING_S = 1e-4
"""Seconds that add up are off by less; what is to hold for 3 s holds for 30 frames of 0.1 s."""
_MISSES_AT_ALL = 600
"""Frames after which it is over whatever the clock says: without it a clock that stands would fill the memory."""
FIXTURE_S = 3.0
"""A thing that stood still for so long, and never looked like an animal, is a part of the pen."""
FIXTURE_KEPT_S = 10.0
"""How long it is remembered while something else is before it."""
STRAYED = 1.0
"""Body lengths from where it began that a fixture never goes."""
_ID, _BORN, _UNSEEN, _MISSES, _RUN, _EVIDENCE, _NEED, _CLASS, _SCORE, _BEST, _X, _Y, _FIXTURE, _COLUMNS = range(14)


class Roll:
    """N tracks in the order they began; row i is track i. Ids count up from `first_id` as tracks are confirmed."""

    def __init__(self, *, first_id: int) -> None:
        self._roll: Doubles = np.zeros((_COLUMNS, 0))
        self._next_id = first_id
        self._now = 0.0
        self.frame = 0
        self.missed = False
        """Whether any track was not seen in the last frame that was dealt out. Mostly none: much need not be asked."""
        self.has_fixtures = False
        self.kinds: set[int] = set()
        """The classes of all tracks so far."""
        self._know()

    def __len__(self) -> int:
        return int(self._roll.shape[1])

    def _know(self) -> None:
        """What holds until a track comes, goes or gets its id."""
        self.told: Mask = self._roll[_ID] > 0
        """(N,) tracks that have an id."""
        rows = self.told.nonzero()[0]
        self.all_told = len(rows) == len(self)
        self._by_id = rows[self._roll[_ID, rows].argsort()]

    def advance(self, step_s: float) -> None:
        """The next frame, of a clock that never goes back."""
        self._now += step_s
        self.frame += 1
        self._roll[_UNSEEN] += step_s
        self._roll[_MISSES] += 1

    @property
    def classes(self) -> Doubles:
        """(N,) class numbers, of the detection that a track began with."""
        classes: Doubles = self._roll[_CLASS]
        return classes

    @property
    def scores(self) -> Doubles:
        """(N,) of the last detection of each."""
        scores: Doubles = self._roll[_SCORE]
        return scores

    @property
    def misses(self) -> Doubles:
        """(N,) frames since a track was last seen: 0 in the frame itself."""
        misses: Doubles = self._roll[_MISSES]
        return misses

    @property
    def unseen_s(self) -> Doubles:
        """(N,) seconds since a track was last seen."""
        unseen: Doubles = self._roll[_UNSEEN]
        return unseen

    @property
    def age_s(self) -> Doubles:
        """(N,) seconds since a track began."""
        age: Doubles = self._now - self._roll[_BORN]
        return age

    def see(self, seen: Mask, *, sure: Mask, scores: Doubles, evidence: Doubles | None) -> Doubles:
        """The tracks `seen` (N,) were seen in this frame; `sure`: by a confident detection; `evidence` adds up.

        Returns (N,) how many frames in a row they were surely seen.
        """
        roll = self._roll
        self.missed = int(np.count_nonzero(seen)) < len(seen)
        roll[_UNSEEN : _MISSES + 1] *= ~seen
        run: Doubles = roll[_RUN]
        run += 1
        run *= sure
        if evidence is not None:
            roll[_EVIDENCE] += evidence
        np.copyto(roll[_SCORE], scores, where=seen)
        np.maximum(roll[_BEST], scores, out=roll[_BEST], where=seen)
        return run

    def see_none(self) -> None:
        """No track was seen in this frame."""
        self.missed = len(self) > 0
        self._roll[_RUN] = 0

    def begin(self, classes: Ints, places: Doubles, *, scores: Doubles, evidence: Doubles, need: Doubles) -> None:
        """Appends a track for each of (M,) classes; it is told once its evidence reaches `need` (M,)."""
        fresh = np.zeros((_COLUMNS, len(classes)))
        fresh[_BORN], fresh[_RUN] = self._now, 1
        fresh[_EVIDENCE], fresh[_NEED], fresh[_CLASS] = evidence, need, classes
        fresh[_SCORE] = fresh[_BEST] = scores
        fresh[_X : _Y + 1] = places[:2]
        self._roll = np.concatenate([self._roll, fresh], axis=1)
        self.kinds.update(classes.tolist())
        self._know()

    def confirm(self) -> None:
        """Gives ids to the tracks seen in this frame for which enough speaks."""
        if self.all_told:
            return
        roll = self._roll
        ready = roll[_EVIDENCE] >= roll[_NEED]
        ready &= roll[_MISSES] == 0
        rows = (ready > self.told).nonzero()[0]
        if len(rows):
            roll[_ID, rows] = np.arange(self._next_id, self._next_id + len(rows))
            self._next_id += len(rows)
            self._know()

    @property
    def fixtures(self) -> Mask:
        """(N,) told tracks of what stands there and is no animal."""
        fixtures: Mask = self._roll[_FIXTURE] > 0
        return fixtures

    def judge(self, places: Doubles, level: float) -> bool:
        """Finds the fixtures: they never scored as high as `level`, nor strayed from where they began. Any there?"""
        roll = self._roll
        dull = roll[_BEST] < level
        dull &= roll[_BORN] <= self._now - FIXTURE_S + ROUNDING_S
        rows = dull.nonzero()[0]
        if len(rows) or self.has_fixtures:
            roll[_FIXTURE] = dull
            there = places[:, rows]
            away = np.square(there[:2] - roll[_X : _Y + 1, rows]).sum(axis=0)
            strayed = rows[away > STRAYED**2 * there[2] * there[3]]
            roll[_BEST, strayed] = np.inf
            roll[_FIXTURE, strayed] = 0
        self.has_fixtures = len(rows) > 0
        return self.has_fixtures

    def staying(self) -> Rows | None:
        """The tracks to keep; None: all. Those not told go once they miss a frame, told ones once lost for too long.

        One missed frame is always forgiven to those, however slow the camera.
        """
        if not self.missed:
            return None
        misses, unseen_s = self._roll[_MISSES], self._roll[_UNSEEN]
        patience = np.where(self.fixtures, FIXTURE_KEPT_S, LOST_S) if self.has_fixtures else LOST_S
        over = unseen_s > patience + ROUNDING_S
        over &= misses > 1
        over |= misses > _MISSES_AT_ALL
        over |= (misses > 0) > self.told
        return (~over).nonzero()[0] if np.count_nonzero(over) else None

    def keep(self, rows: Rows) -> None:
        """Forgets all other tracks."""
        self._roll = self._roll.take(rows, axis=1)
        self.missed = int(np.count_nonzero(self._roll[_MISSES])) > 0
        self._know()

    def seen_within(self, unseen_s: Doubles | float) -> tuple[Rows, Ints, NDArray[np.float32]]:
        """Rows of the told tracks seen at most `unseen_s` ago by growing id, their ids, and their ages in seconds.

        0.0 means in this frame, also where the clock stands.
        """
        rows, roll = self._by_id, self._roll
        if self.missed:
            seen = roll[_MISSES] == 0
            if isinstance(unseen_s, np.ndarray):
                seen |= roll[_UNSEEN] <= unseen_s + ROUNDING_S
            rows = rows[seen[rows]]
        if self.has_fixtures:
            rows = rows[roll[_FIXTURE, rows] == 0]
        ages = self._now - roll[_BORN, rows]
        return rows, roll[_ID, rows].astype(np.int32), ages.astype(np.float32)
