"""A pen holds so many animals: whoever turns up once all are known is one that was lost.

Tracks come from a tracker that knows nothing of this. Here each is given the place of an animal, and its id. A newcomer
that may only be one lost animal gets its place soon; the others wait, and are then dealt out together, so that the sum
of what they cost is least. A newcomer waits as long as no place is free, which is mostly for ever: it was none.
Nothing that was told is taken back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.pairs import best
from agent.core.types import Doubles, Floats, Ints, Tracks

Rows = NDArray[np.intp]
WAIT_S = 1.0
"""How long a newcomer is watched before it is said who it is, where that is open."""
GLANCE_S = 0.3
"""How long where it is not, and in the company of one that waited long enough."""
GONE_S = 0.7
"""An animal is not lost before it was unseen for so long: its own track mostly finds it."""
SLIP, PACE = 1.0, 0.4
"""Body lengths that a lost animal may be off at once, and each second: a newcomer so far away costs 1."""
CLEAR, NEAR = 0.5, 3.0
"""It may only be one animal where that costs so much less than any other, and less than so much."""
FOREIGN = 6.0
"""What it costs at most to be a lost animal while there is room for another."""
GHOST_S = 3.0
"""A place that was in sight for less than this in all, and is gone for as long, was no animal's and is given back."""
_PLACE = np.dtype(
    [
        ("id", np.int32),
        ("holder", np.int32),  # the tracker's id of the track that the animal goes by
        ("box", np.float32, 4),  # left, top, right, bottom where it was last
        ("born", np.float64),  # seconds
        ("seen", np.float64),  # seconds
        ("in_sight", np.float64),  # for how many seconds in all
    ]
)


class Population:
    """Gives the tracks of one tracker the ids of `count` animals."""

    def __init__(self, *, count: int, first_id: int) -> None:
        self._count = count
        self._next_id = first_id
        self._places: NDArray[np.void] = np.zeros(0, _PLACE)
        self._now = 0.0

    def name(self, tracks: Tracks, step_s: float) -> Tracks:
        """The tracks of a frame, `step_s` after the last one, under the animals' ids; those who wait are left out.

        A score of 0 says that a track was not seen in this frame.
        """
        self._now += step_s
        self._give_back(tracks.ids)
        seen = tracks.scores > 0
        fresh = np.flatnonzero(seen & (self._held(tracks.ids) < 0))
        if len(fresh):
            self._settle(tracks, fresh)
        place = self._held(tracks.ids)
        known = np.flatnonzero(place >= 0)
        known = known[np.argsort(self._places["id"][place[known]])]
        at, watched = place[known], seen[known]
        self._places["box"][at] = tracks.boxes[known]
        self._places["seen"][at[watched]] = self._now
        self._places["in_sight"][at[watched]] += step_s
        ages = (self._now - self._places["born"][at]).astype(np.float32)
        return Tracks(self._places["id"][at], tracks.boxes[known], tracks.scores[known], tracks.classes[known], ages)

    def _give_back(self, ids: Ints) -> None:
        places = self._places
        ghost = (places["in_sight"] < GHOST_S) & (self._now - places["seen"] > GHOST_S)
        if ghost.any():
            self._places = places[~ghost | np.isin(places["holder"], ids)]

    def _held(self, ids: Ints) -> Rows:
        """The place of each track, -1 where it has none."""
        holders = self._places["holder"]
        if not len(holders):
            return np.full(len(ids), -1)
        order = np.argsort(holders)
        at = order[np.minimum(np.searchsorted(holders, ids, sorter=order), len(order) - 1)]
        return np.where(holders[at] == ids, at, -1)

    def _settle(self, tracks: Tracks, fresh: Rows) -> None:
        """Gives the tracks `fresh` places of lost animals, or new ones while there is room."""
        room = self._count - len(self._places)
        ripe = tracks.ages[fresh] >= WAIT_S
        lost = np.flatnonzero(self._now - self._places["seen"] > GONE_S)
        if len(lost):
            cost = self._cost(tracks.boxes[fresh], lost)
            may = ripe | (tracks.ages[fresh] >= GLANCE_S) & (_clear(cost) | ripe.any())
            rows, columns = np.nonzero(may[:, None] & (cost < (FOREIGN if room > 0 else np.inf)))
            chosen = best(rows, columns, cost.max() + 1 - cost[rows, columns])
            rows, columns = rows[chosen], columns[chosen]
            self._places["holder"][lost[columns]] = tracks.ids[fresh[rows]]
            ripe[rows] = False
        # The first second's are who they are: nobody was lost yet.
        self._enrol(tracks, fresh[ripe | (self._now < WAIT_S)][:room])

    def _enrol(self, tracks: Tracks, rows: Rows) -> None:
        """New animals."""
        new = np.zeros(len(rows), _PLACE)
        new["id"] = np.arange(self._next_id, self._next_id + len(rows))
        new["holder"], new["box"] = tracks.ids[rows], tracks.boxes[rows]
        new["born"], new["seen"] = self._now - tracks.ages[rows], self._now
        self._next_id += len(rows)
        self._places = np.concatenate([self._places, new])

    def _cost(self, boxes: Floats, lost: Rows) -> Doubles:
        """(M, L) of each of (M, 4) boxes being each of the lost: its distance over what that may have gone."""
        there = self._places["box"][lost].astype(np.float64)
        apart = (boxes[:, None, :2] + boxes[:, None, 2:] - there[:, :2] - there[:, 2:]) / 2
        length = np.sqrt((there[:, 2] - there[:, 0]) * (there[:, 3] - there[:, 1]))
        distance: Doubles = np.sqrt(np.square(apart).sum(axis=2)) / length
        return distance / (SLIP + PACE * (self._now - self._places["seen"][lost]))


def _clear(cost: Doubles) -> NDArray[np.bool_]:
    """(M,) rows of (M, L > 0) that leave no doubt which column they belong to."""
    ordered = np.sort(cost, axis=1)
    clear: NDArray[np.bool_] = ordered[:, 0] < NEAR
    return clear & (ordered[:, 0] + CLEAR < ordered[:, 1]) if cost.shape[1] > 1 else clear
