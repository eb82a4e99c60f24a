"""DeepSORT: SORT with a memory of appearance (Wojke et al. 2017, arXiv:1703.07402)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.ports import Tracker
from agent.core.tracking.association import Pairs, assign, forbid_other_classes, others, overlap
from agent.core.tracking.motion import CHI2_95_OF_4, MotionModel, Spread, from_height, to_height
from agent.core.tracking.tracker import BoxTracker, Tracked
from agent.core.types import Detections

FARTHEST_LOOK = 0.2
"""Cosine distance."""
FARTHEST = 0.7
"""1 - IoU."""
HITS_TO_CONFIRM = 3
LOST_S = 1.0
"""The paper's 30 frames (A_max) at 30 frames/s; at 5 frames/s that is 5 frames, for an animal walks on in seconds."""
_FPS, _ROOT = 30.0, 30.0**0.5
"""The authors give noise a frame: a velocity is _FPS times as much a second, a random walk grows with the root."""
_PLACE, _SPEED, _SHAPE_SPEED = 1 / 20, 1 / 160, 1e-5
"""Standard deviations a frame, from the authors' code; the first two as a share of the height."""
_SHAPE = 0.1
"""Of width / height, a frame. The authors' 0.01 is a walking person's; an animal seen from above turns, and its track
broke there (simulated pens: 45 HOTA instead of 58; people: the same either way)."""


def _spread(place: float, shape: float) -> Spread:
    """x, y and the height vary with the height, width / height by a figure of its own."""
    return Spread(fixed=(0, 0, shape, 0), share=(place, place, 0, place))


MODEL = MotionModel(
    measure=to_height,
    boxes=from_height,
    measured=_spread(_PLACE, 0.1),
    position_drift=_spread(_PLACE * _ROOT, _SHAPE * _ROOT),
    velocity_drift=_spread(_SPEED * _FPS * _ROOT, _SHAPE_SPEED * _FPS * _ROOT),
    first_position=_spread(2 * _PLACE, _SHAPE),
    first_velocity=_spread(10 * _SPEED * _FPS, _SHAPE_SPEED * _FPS),
)


def make(*, threshold: float, first_id: int = 1, known_count: int = 0) -> Tracker:
    """A tracker that starts tracks at scores >= `threshold`; DeepSORT has no use for a known count."""
    return BoxTracker(
        model=MODEL,
        associate=by_look_then_overlap,
        threshold=threshold,
        first_id=first_id,
        hits_to_confirm=HITS_TO_CONFIRM,
        lost_s=LOST_S,
    )


def by_look_then_overlap(tracked: Tracked, found: Detections) -> Pairs:
    """The cascade over confirmed tracks, then overlap for those begun or missed just now.

    Without features there is no cascade that could find lost tracks again, so overlap is asked for all.
    """
    looks = bool(found.features.shape[1])
    rows, columns = _cascade(tracked, found) if looks else (np.zeros(0, np.intp), np.zeros(0, np.intp))
    asked = (tracked.life.misses == 0) | ~tracked.life.confirmed if looks else np.ones(len(tracked.life), np.bool_)
    asked[rows] = False
    near_rows, near_columns = _by_overlap(tracked, found, np.flatnonzero(asked), others(len(found), columns))
    return np.concatenate([rows, near_rows]), np.concatenate([columns, near_columns])


def _cascade(tracked: Tracked, found: Detections) -> Pairs:
    """Appearance within the motion's gate, the most recently seen first (listing 1 of the paper)."""
    known = np.flatnonzero(tracked.life.confirmed)
    cost = tracked.gallery.distances(known, found.features)
    cost[tracked.motion.distances(known, found.boxes) > CHI2_95_OF_4] = np.inf
    forbid_other_classes(cost, tracked.life.classes[known], found.classes)
    misses = tracked.life.misses[known]
    pairs = [np.zeros((2, 0), np.intp)]
    for level in np.unique(misses):
        rows = np.flatnonzero(misses == level)
        chosen, columns = assign(cost[rows], FARTHEST_LOOK)
        cost[:, columns] = np.inf
        pairs.append(np.stack([known[rows[chosen]], columns]))
    rows, columns = np.concatenate(pairs, axis=1)
    return rows, columns


def _by_overlap(tracked: Tracked, found: Detections, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pairs:
    cost = 1 - overlap(tracked.motion.boxes()[rows], found.boxes[columns])
    forbid_other_classes(cost, tracked.life.classes[rows], found.classes[columns])
    near_rows, near_columns = assign(cost, FARTHEST)
    return rows[near_rows], columns[near_columns]
