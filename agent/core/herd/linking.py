"""Which of the animals in this frame is which of those followed so far: by place first, by track id second.

Trackers swap and lose ids; animals do not jump. So an id is believed only where the animal can have walked there, and
two animals that exchange their ids in one frame keep their own places, and with them what they have walked.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Ints

_BOX_SHIFT_BL: Final = 0.25
"""How far a box's middle comes to lie off without a step: a head turned, a part hidden."""
FASTEST_BL_S: Final = 3.0
"""A pig at a run does about two; what is faster is another animal under the same id."""
_STRANGER_BL_S: Final = 0.5
_STRANGER_BL: Final = 1.0
"""How far an animal is looked for under another id: a walk, and no further than the next animal's place."""
_TRUST_BL: Final = 0.2
"""An id outweighs another animal that is nearer by so much; and by half a body length for each second between frames,
as places tell the less the more time there was to walk."""

Places = NDArray[np.intp]


def rows_of(ids: Ints, old_ids: Ints) -> Places:
    """(M,) row of the N old ids that equals each of M; -1 for one not there. Neither side repeats an id >= 0."""
    if not len(ids) or not len(old_ids):
        return np.full(len(ids), -1, np.intp)
    order = np.argsort(old_ids)
    rows = order[np.minimum(np.searchsorted(old_ids, ids, sorter=order), len(order) - 1)]
    return np.where(old_ids[rows] == ids, rows, -1)


def link(places: Doubles, lengths: Doubles, same: Places, old_places: Doubles, gaps_s: Doubles) -> Places:
    """(M,) row of the N old ones for each of M animals, each at most once; -1 where it is a new one.

    `places` (M, 2) pixels, `lengths` (M,) pixels of a body length, `same` (M,) rows with the same id (`rows_of`),
    `gaps_s` (N,) seconds since each old one was seen.
    """
    if not len(places) or not len(old_places):
        return np.full(len(places), -1, np.intp)
    # Whose id outweighs even a stranger at no distance at all needs no comparison. The others are left, few mostly.
    ways = places - old_places[same]
    trusted = np.hypot(ways[:, 0], ways[:, 1]) / lengths < _TRUST_BL + _STRANGER_BL_S * gaps_s[same]
    found = np.where((same >= 0) & trusted, same, -1)
    rows = np.flatnonzero(found < 0)
    if len(rows):
        free = np.ones(len(old_places), np.bool_)
        free[found[found >= 0]] = False
        columns = np.flatnonzero(free)
        known = same[rows, None] == columns
        chosen = _nearest(places[rows], lengths[rows], known, old_places[columns], gaps_s[columns])
        found[rows] = np.where(chosen >= 0, columns[chosen], -1) if len(columns) else -1
    return found


def _nearest(
    places: Doubles, lengths: Doubles, same: NDArray[np.bool_], old_places: Doubles, gaps_s: Doubles
) -> Places:
    """`link` of what is left: all pairs are compared; `same` (M, N) says which share an id."""
    found = np.full(len(places), -1, np.intp)
    if not len(old_places):
        return found
    apart = np.linalg.norm(places[:, None] - old_places[None], axis=2) / lengths[:, None]
    reach = np.where(
        same,
        _BOX_SHIFT_BL + FASTEST_BL_S * gaps_s,
        np.minimum(_BOX_SHIFT_BL + _STRANGER_BL_S * gaps_s, _STRANGER_BL),
    )
    cost = np.where(apart <= reach, apart - same * (_TRUST_BL + _STRANGER_BL_S * gaps_s), np.inf)
    # Pairs that are nearest to each other are settled first, all at once; the cheapest one left always is such a pair.
    rows = np.arange(len(places))
    while np.isfinite(cost).any():
        choice = cost.argmin(1)
        mutual = np.isfinite(cost[rows, choice]) & (cost.argmin(0)[choice] == rows)
        found[mutual] = choice[mutual]
        cost[mutual] = np.inf
        cost[:, choice[mutual]] = np.inf
    return found
