"""One Kalman filter with constant velocity over all tracks at once, with a real time step.

A track has four coordinates, each with a velocity. Nothing couples one coordinate to another in SORT (arXiv:1602.00763)
or DeepSORT (arXiv:1703.07402): transition, noise and measurement are the same 2 x 2 problem four times. So the 8 x 8
matrices fall apart into three numbers a coordinate (variance of the position, of the velocity, and what they share) and
the filter is a dozen additions and products of whole arrays: 100 tracks cost a thirtieth of 100 filter objects.

Between two frames the velocity drifts at random, and so does the position (continuous white noise): two steps of 0.1 s
are exactly one of 0.2 s, and a dropped frame is a longer step, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Doubles, Floats

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Coordinates = tuple[float, float, float, float]

CHI2_95_OF_4 = 9.4877
"""Squared Mahalanobis distance that 95 % of true pairs stay below (chi-squared, 4 degrees of freedom)."""
NOTHING: Coordinates = (0, 0, 0, 0)
_POSITION, _VELOCITY, _PP, _PV, _VV = range(5)
_SMALLEST_PX = 1e-3


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviation of each coordinate: a fixed part and a share of the object's size."""

    fixed: Coordinates = NOTHING
    share: Coordinates = NOTHING


@dataclass(frozen=True, slots=True)
class MotionModel:
    """What tells one motion model from another. Coordinates 2 and 3 are sizes or shapes: they stay positive."""

    measure: Callable[[Floats], Doubles]
    """(N, 4) boxes left, top, right, bottom to (N, 4) coordinates."""
    boxes: Callable[[Doubles], Floats]
    """The way back."""
    measured: Spread
    """Of a detection."""
    position_drift: Spread
    """Of the position after 1 s, beyond what the velocity explains; grows with the root of time."""
    velocity_drift: Spread
    """Of the velocity after 1 s; grows with the root of time."""
    first_position: Spread
    first_velocity: Spread
    """Of a track seen once, a second."""
    size: tuple[int, int, int, int] = (3, 3, 3, 3)
    """The coordinate that `share` of each coordinate refers to."""


class Motion:
    """Where N tracks are and how fast they move; row i is track i."""

    def __init__(self, model: MotionModel) -> None:
        self._model = model
        self._size = np.array(model.size)
        self._state: Doubles = np.zeros((5, 0, 4))

    def __len__(self) -> int:
        return len(self.position)

    @property
    def position(self) -> Doubles:
        """(N, 4) coordinates of the model."""
        position: Doubles = self._state[_POSITION]
        return position

    @property
    def velocity(self) -> Doubles:
        """(N, 4) coordinates a second."""
        velocity: Doubles = self._state[_VELOCITY]
        return velocity

    @property
    def covariance(self) -> Doubles:
        """(3, N, 4) variance of the position, covariance of position and velocity, variance of the velocity."""
        return self._state[_PP:]

    def boxes(self) -> Floats:
        """(N, 4) left, top, right, bottom in pixels."""
        return self._model.boxes(self.position)

    def begin(self, boxes: Floats) -> None:
        """Appends a track for each of (M, 4) boxes, at rest."""
        state = np.zeros((5, len(boxes), 4))
        state[_POSITION] = self._model.measure(boxes)
        state[_PP] = self._variance(self._model.first_position, state[_POSITION])
        state[_VV] = self._variance(self._model.first_velocity, state[_POSITION])
        self._state = np.concatenate([self._state, state], axis=1)

    def keep(self, mask: Mask) -> None:
        """Forgets the tracks outside an (N,) mask."""
        self._state = self._state[:, mask]

    def predict(self, step_s: float) -> None:
        """Moves every track `step_s` >= 0 seconds ahead."""
        position, velocity, pp, pv, vv = self._state
        drift = self._variance(self._model.position_drift, position) * step_s
        turn = self._variance(self._model.velocity_drift, position) * step_s
        # An animal that shrinks from box to box (half hidden) must not end as one of negative size.
        sizes = position[:, 2:] + velocity[:, 2:] * step_s
        velocity[:, 2:][sizes <= 0] = 0
        position += velocity * step_s
        pp += step_s * (2 * pv + step_s * vv) + drift + turn * (step_s**2 / 3)
        pv += step_s * vv + turn * (step_s / 2)
        vv += turn

    def correct(self, rows: Rows, boxes: Floats) -> None:
        """Takes (M, 4) boxes as measurements of the tracks `rows` (M,), each at most once."""
        position, velocity, pp, pv, vv = state = self._state[:, rows]
        surprise = self._model.measure(boxes) - position
        gain = 1 / (pp + self._variance(self._model.measured, position))
        position_gain, velocity_gain = pp * gain, pv * gain
        position += position_gain * surprise
        velocity += velocity_gain * surprise
        vv -= velocity_gain * pv
        pv -= position_gain * pv
        pp -= position_gain * pp
        self._state[:, rows] = state

    def distances(self, rows: Rows, boxes: Floats) -> Floats:
        """(len(rows), M) squared Mahalanobis distances of tracks from (M, 4) boxes; compare with CHI2_95_OF_4."""
        position = self.position[rows]
        weight = 1 / (self._state[_PP, rows] + self._variance(self._model.measured, position))
        measured = self._model.measure(boxes)
        total = np.zeros((len(rows), len(boxes)))
        for k in range(4):
            total += np.square(position[:, k, None] - measured[:, k]) * weight[:, k, None]
        return total.astype(np.float32)

    def _variance(self, spread: Spread, position: Doubles) -> Doubles:
        """(N, 4), or (4,) where it is the same for all."""
        fixed = np.array(spread.fixed)
        return np.square(fixed if spread.share is NOTHING else fixed + spread.share * position[:, self._size])


def to_area(boxes: Floats) -> Doubles:
    """(N, 4) boxes to centre x, centre y, area and width / height: the coordinates of SORT."""
    centre, width, height = _centre_and_sides(boxes)
    return np.stack([centre[:, 0], centre[:, 1], width * height, width / height], axis=1)


def from_area(coordinates: Doubles) -> Floats:
    """The way back from `to_area`."""
    x, y, area, aspect = coordinates.T
    width = np.maximum(np.sqrt(area * aspect), _SMALLEST_PX)
    return _boxes(x, y, width, area / width)


def to_height(boxes: Floats) -> Doubles:
    """(N, 4) boxes to centre x, centre y, width / height and height: the coordinates of DeepSORT."""
    centre, width, height = _centre_and_sides(boxes)
    return np.stack([centre[:, 0], centre[:, 1], width / height, height], axis=1)


def from_height(coordinates: Doubles) -> Floats:
    """The way back from `to_height`."""
    x, y, aspect, height = coordinates.T
    return _boxes(x, y, aspect * height, height)


def _centre_and_sides(boxes: Floats) -> tuple[Doubles, Doubles, Doubles]:
    corners = boxes.astype(np.float64)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], _SMALLEST_PX)
    return (corners[:, :2] + corners[:, 2:]) / 2, sides[:, 0], sides[:, 1]


def _boxes(x: Doubles, y: Doubles, width: Doubles, height: Doubles) -> Floats:
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1).astype(np.float32)
