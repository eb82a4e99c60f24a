"""SORT: Kalman filter and overlap, nothing else (Bewley et al. 2016, arXiv:1602.00763)."""

from __future__ import annotations

from agent.core.ports import Tracker
from agent.core.tracking.association import Pairs, assign, forbid_other_classes, overlap
from agent.core.tracking.motion import MotionModel, Spread, from_area, to_area
from agent.core.tracking.tracker import BoxTracker, Tracked
from agent.core.types import Detections

FARTHEST = 0.7
"""1 - IoU; the paper's smallest IoU is 0.3."""
HITS_TO_CONFIRM = 3
"""The detection that a track began with is one of them, at any frame rate: evidence comes by the picture."""
LOST_S = 1.0
"""The paper forgets a track after one missed frame; an animal hides behind another for longer. 60 HOTA instead
of 46 on simulated pens, 56 instead of 53 on people. In seconds: in a slow file animals walk no slower."""
_FPS = 30.0
"""The paper's noise is given a frame; its sequences have up to 30 frames/s."""

# Variances of x, y, area, aspect in the authors' code: measured 1, 1, 10, 10; first 10, velocities 10^4 a frame;
# noise a frame 1, velocities 0.01, 0.01, 0.0001. The aspect has no velocity.
MODEL = MotionModel(
    measure=to_area,
    boxes=from_area,
    measured=Spread((1, 1, 10**0.5, 10**0.5)),
    position_drift=Spread((_FPS**0.5,) * 4),
    velocity_drift=Spread((0.1 * _FPS**1.5, 0.1 * _FPS**1.5, 0.01 * _FPS**1.5, 0)),
    first_position=Spread((10**0.5,) * 4),
    first_velocity=Spread((100 * _FPS, 100 * _FPS, 100 * _FPS, 0)),
)


def make(*, threshold: float, first_id: int = 1, known_count: int = 0) -> Tracker:
    """A tracker that starts tracks at scores >= `threshold`; SORT has no use for a known count, or for lower scores."""
    return BoxTracker(
        model=MODEL,
        associate=by_overlap,
        threshold=threshold,
        first_id=first_id,
        hits_to_confirm=HITS_TO_CONFIRM,
        lost_s=LOST_S,
    )


def by_overlap(tracked: Tracked, found: Detections) -> Pairs:
    """One assignment over all tracks."""
    cost = 1 - overlap(tracked.motion.boxes(), found.boxes)
    forbid_other_classes(cost, tracked.life.classes, found.classes)
    return assign(cost, FARTHEST)
