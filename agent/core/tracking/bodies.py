"""Where tracked bodies are and how they move: one Kalman filter over all of them, in centre, width and height.

Nothing couples the four coordinates, so the filter is three numbers a coordinate (variance of place and speed, and what
they share) and a step is a dozen operations on whole arrays. Noise is a share of the body and a matter of seconds: two
steps of 0.1 s are exactly one of 0.2 s. Width and height move freely, for an animal seen from above turns; their speeds
fade within half a second, so that a box does not grow on its own while its animal is hidden.

How freely a body moves follows it: while its boxes lie to both sides of where it was expected it goes on as it did (or
lies), and the filter may be stiff, which carries it through another's box; boxes to one side again and again say that
it sets off, stops or turns.
"""

from __future__ import annotations

from math import exp

import numpy as np
from numpy.typing import NDArray

from agent.core.tracking.jitter import Jitter
from agent.core.types import Doubles

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
FADE_S = 0.5
"""After which the speed of a width or height is down to a third."""
DOUBT = 2.0
"""A box of score s is off by 1 + DOUBT * (1 - s) times the jitter: half hidden animals have poor boxes."""
_PLACE_DRIFT = 0.25**2
"""Variance of x, y, width, height after 1 s beyond what their speeds explain, in body lengths squared."""
_SPEED_DRIFT = 1.0**2
"""Variance of their speeds after 1 s, in body lengths a second squared."""
STEADY, TURNING = 0.5**2, 1.5**2
"""How many times these drifts hold for the place of a body that goes on as it did, and of one that turns."""
TURN = 0.5
"""Squared mean surprise, in standard deviations, of a body that turns for certain."""
PULL_WEIGHT = 0.4
"""Of the last surprise in that mean."""
_FIRST_SPEED = np.array([[1.5], [1.5], [0.3], [0.3]]) ** 2
"""Variance of the speeds of a body seen once."""
_PLACE, _SPEED, _PP, _PV, _VV, _DRIFT, _KNOWN = range(7)
_ESTIMATE = slice(_PLACE, _PP)
_SHARED = slice(_PP, _VV)
_SMALLEST_PX = 1.0


class Bodies:
    """N bodies; column i is body i. A body length is the root of width times height."""

    def __init__(self) -> None:
        self._jitter = Jitter()
        self._step_s = -1.0
        self._hold(np.zeros((4 * _KNOWN + 2 + 8, 0)))

    def __len__(self) -> int:
        return int(self._all.shape[1])

    def _hold(self, everything: Doubles) -> None:
        """All that is known lies in one table, so that bodies come and go in one step."""
        self._all = everything
        state, pull, boxes = everything[: 4 * _KNOWN], everything[4 * _KNOWN : -8], everything[-8:]
        self._state = state.reshape(_KNOWN, 4, -1)
        """What is known of each coordinate; _DRIFT is how freely it moves, in pixels squared."""
        self._pull = pull
        """(2, N) mean surprise to the right and downwards, in standard deviations."""
        self._boxes = boxes.reshape(2, 4, -1)
        """The last two boxes of each, the older one first."""

    @property
    def places(self) -> Doubles:
        """(4, N) centre x, centre y, width, height in pixels."""
        places: Doubles = self._state[_PLACE]
        return places

    @property
    def speeds(self) -> Doubles:
        """(4, N) of the same, a second."""
        speeds: Doubles = self._state[_SPEED]
        return speeds

    def begin(self, measured: Doubles) -> None:
        """Appends a body at rest for each of (4, M) boxes as centre, width and height."""
        known = self._all
        self._hold(np.zeros((len(known), measured.shape[1])))
        self._state[_PLACE] = self._boxes[:] = measured
        self._state[_PP] = self._jitter.variance(measured)
        self._state[_VV] = _FIRST_SPEED * (measured[2] * measured[3])
        self._hold(np.concatenate([known, self._all], axis=1))

    def keep(self, rows: Rows) -> None:
        """Forgets all other bodies."""
        self._hold(self._all.take(rows, axis=1))

    def push(self, off: Doubles) -> None:
        """Moves all by (2, 1) pixels to the right and down, as a camera does that is knocked; speeds stay."""
        self._state[_PLACE, :2] += off
        self._boxes[:, :2] += off

    def rest(self, mask: NDArray[np.bool_]) -> None:
        """Takes the speed from the bodies of an (N,) mask."""
        self._state[_SPEED, :, mask] = 0

    def predict(self, step_s: float) -> None:
        """Moves every body `step_s` >= 0 seconds ahead."""
        if step_s != self._step_s:
            self._prepare(step_s)
        state = self._state
        place, drift = state[_PLACE], state[_DRIFT]
        np.multiply(place[2], place[3], out=drift)
        drift[:2] *= self._freedom()
        by_coordinate = state.swapaxes(0, 1)
        np.matmul(self._step, by_coordinate, out=by_coordinate)
        np.maximum(place[2:], _SMALLEST_PX, out=place[2:])

    def _freedom(self) -> Doubles:
        """(N,) between STEADY and TURNING."""
        pull = np.square(self._pull)
        turning: Doubles = pull[0]
        turning += pull[1]
        turning /= TURN
        np.minimum(turning, 1.0, out=turning)
        turning *= turning
        turning *= TURNING - STEADY
        turning += STEADY
        return turning

    def correct(self, seen: Mask, measured: Doubles, scores: Doubles, *, learn: Mask | None) -> None:
        """Takes (4, N) boxes as measurements of the bodies `seen` (N,); scores (N,) 0..1. Others' figures say nothing.

        `learn` (N,): those that were measured in the last two steps as well, all three alike, so that they tell of the
        jitter.
        """
        state, boxes = self._state, self._boxes
        place = state[_PLACE]
        rows = learn.nonzero()[0] if learn is not None else ()
        if len(rows):
            self._jitter.learn(*(three.take(rows, axis=1) for three in (boxes[0], boxes[1], measured)))
        boxes[0] = boxes[1]
        np.copyto(boxes[1], measured, where=seen)
        doubt = scores * -DOUBT
        doubt += 1 + DOUBT
        doubt *= doubt
        noise = self._jitter.variance(place)
        noise *= doubt
        noise += state[_PP]
        if np.count_nonzero(seen) < len(seen):
            # What was not seen is a box of which nothing is known: it changes nothing.
            noise[:, ~seen] = np.inf
        gain = state[_SHARED] / noise
        surprise = measured - place
        pull = surprise[:2] / np.sqrt(noise[:2])
        pull -= self._pull
        pull *= PULL_WEIGHT
        np.add(self._pull, pull, out=self._pull, where=seen)
        state[_ESTIMATE] += gain * surprise
        state[_VV] -= gain[1] * state[_PV]
        state[_SHARED] *= 1 - gain[0]
        np.maximum(place[2:], _SMALLEST_PX, out=place[2:])

    def _prepare(self, step_s: float) -> None:
        """What a step of this length does; frames come at one rate for long."""
        self._step_s = step_s
        self._step = np.zeros((4, _KNOWN, _KNOWN))
        fades = exp(-step_s / FADE_S)
        for k, (reach, fade) in enumerate([(step_s, 1.0)] * 2 + [(FADE_S * (1 - fades), fades)] * 2):
            self._step[k, _PLACE, [_PLACE, _SPEED]] = 1, reach
            self._step[k, _SPEED, _SPEED] = fade
            self._step[k, _PP, [_PP, _PV, _VV]] = 1, 2 * reach, reach**2
            self._step[k, _PV, [_PV, _VV]] = fade, fade * reach
            self._step[k, _VV, _VV] = fade**2
        self._step[:, _PP, _DRIFT] = _SPEED_DRIFT * (step_s**3 / 3) + _PLACE_DRIFT * step_s
        self._step[:, _PV, _DRIFT] = _SPEED_DRIFT * (step_s**2 / 2)
        self._step[:, _VV, _DRIFT] = _SPEED_DRIFT * step_s
