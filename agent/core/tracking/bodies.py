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
_PLACE, _SPEED, _PP, _PV, _VV, _LAST, _BEFORE, _PULL, _KNOWN = range(9)
_ESTIMATE = slice(_PLACE, _PP)
_SHARED = slice(_PP, _VV)
_KEPT = [_LAST, _BEFORE, _PULL]
_SMALLEST_PX = 1.0


class Bodies:
    """N bodies; column i is body i. A body length is the root of width times height."""

    def __init__(self) -> None:
        self._state: Doubles = np.zeros((4, _KNOWN, 0))
        """Coordinates by what is known of each: a step is one matrix a coordinate, for all bodies."""
        self._jitter = Jitter()
        self._step_s = -1.0

    def __len__(self) -> int:
        return int(self._state.shape[2])

    @property
    def places(self) -> Doubles:
        """(4, N) centre x, centre y, width, height in pixels."""
        places: Doubles = self._state[:, _PLACE]
        return places

    @property
    def speeds(self) -> Doubles:
        """(4, N) of the same, a second."""
        speeds: Doubles = self._state[:, _SPEED]
        return speeds

    def begin(self, measured: Doubles) -> None:
        """Appends a body at rest for each of (4, M) boxes as centre, width and height."""
        state = np.zeros((4, _KNOWN, measured.shape[1]))
        state[:, [_PLACE, _LAST, _BEFORE]] = measured[:, None]
        state[:, _PP] = self._jitter.variance(measured)
        state[:, _VV] = _FIRST_SPEED * (measured[2] * measured[3])
        self._state = np.concatenate([self._state, state], axis=2)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forgets the bodies outside an (N,) mask."""
        self._state = self._state[:, :, mask]

    def rest(self, mask: NDArray[np.bool_]) -> None:
        """Takes the speed from the bodies of an (N,) mask."""
        self._state[:, _SPEED, mask] = 0

    def predict(self, step_s: float) -> None:
        """Moves every body `step_s` >= 0 seconds ahead."""
        if step_s != self._step_s:
            self._prepare(step_s)
        place = self._state[:, _PLACE]
        drift = self._drift * (place[2] * place[3])
        drift[:2] *= self._freedom()
        self._state = np.matmul(self._step, self._state)
        self._state += drift
        sizes = self._state[2:, _PLACE]
        np.maximum(sizes, _SMALLEST_PX, out=sizes)

    def _freedom(self) -> Doubles:
        """(N,) between STEADY and TURNING."""
        pull = self._state[:2, _PULL]
        turning: Doubles = np.square(pull[0])
        turning += np.square(pull[1])
        turning /= TURN
        np.minimum(turning, 1.0, out=turning)
        turning *= turning
        turning *= TURNING - STEADY
        turning += STEADY
        return turning

    def correct(self, rows: Rows, measured: Doubles, scores: Doubles, *, learn: NDArray[np.bool_] | None) -> None:
        """Takes (4, M) boxes as measurements of `rows` (M,), each at most once; scores (M,) 0..1.

        `learn` (M,): those that were measured twice before at the same step, so that they tell of the jitter.
        """
        state = self._state.take(rows, axis=2)
        place, last = state[:, _PLACE], state[:, _LAST]
        if learn is not None and learn.any():
            self._jitter.learn(state[:, _BEFORE, learn], last[:, learn], measured[:, learn])
        noise = self._jitter.variance(place)
        noise *= np.square(1 + DOUBT - DOUBT * scores)
        noise += state[:, _PP]
        gain = state[:, _SHARED] / noise[:, None]
        surprise = measured - place
        state[:, _PULL] += PULL_WEIGHT * (surprise / np.sqrt(noise) - state[:, _PULL])
        state[:, _ESTIMATE] += gain * surprise[:, None]
        state[:, _VV] -= gain[:, 1] * state[:, _PV]
        state[:, _SHARED] *= 1 - gain[:, :1]
        np.maximum(place[2:], _SMALLEST_PX, out=place[2:])
        state[:, _BEFORE] = last
        state[:, _LAST] = measured
        self._state[:, :, rows] = state

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
            self._step[k, _KEPT, _KEPT] = 1
        self._drift = np.zeros((4, _KNOWN, 1))
        self._drift[:, _PP] = _SPEED_DRIFT * (step_s**3 / 3) + _PLACE_DRIFT * step_s
        self._drift[:, _PV] = _SPEED_DRIFT * (step_s**2 / 2)
        self._drift[:, _VV] = _SPEED_DRIFT * step_s
