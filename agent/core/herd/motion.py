"""How the herd moves: distance, moving and still time, from where each animal is on average in each second.

Three measures against the unrest of boxes: places are averaged over one second; a step counts once the average lies
a tenth of a body length from where the animal last counted, so that noise cannot add up; and rest ends a quarter of a
body length away, so that a turned head does not end it. Animals are told apart by link(), not by their ids alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.core.herd.linking import FASTEST_BL_S, link, rows_of
from agent.core.herd.metres import MAPS, Metres, error_ratio
from agent.core.scene import Ground
from agent.core.types import Doubles, Floats, Tracks

_BLOCK_S: Final = 1.0
_MOVING_BL_S: Final = 0.1
_STEP_BL: Final = 0.1
"""Corners that jitter by 5 % of a length leave 0.016 (1 sigma) between the averages of ten frames each."""
_REST_BL: Final = 0.25
_LONGEST_STEP_S: Final = 3.0
"""Between two averages further apart in time nobody knows the way that was gone."""
_FORGET_S: Final = 10.0
"""An animal unseen for so long is forgotten: memory is bounded, and who lies hidden for a moment still lies."""
_NEWBORN_S: Final = 2.0
"""The first seconds of the job, in which every track is new; and the age up to which a track has just begun."""

_MOST_ROWS: Final = 2000
"""Animals remembered at most."""

Rows = NDArray[np.void]
Animals = NDArray[np.int64]
_ROW: Final = np.dtype(
    [
        ("animal", np.int64),  # its number here, whatever its track's id
        ("track", np.int64),  # its id now; -1: the id has gone to another animal
        ("label", np.int32),
        ("age", np.float64),  # the track's, in seconds
        ("box", np.float64, 4),
        ("seen", np.float64),  # when last
        ("length", np.float64),  # pixels of a body length of its kind
        ("sum", np.float64, 3),  # x, y, time of the frames since the last average
        ("frames", np.int32),
        ("first", np.float64),  # time of the first of them
        ("mean", np.float64, 3),  # the last average: x, y, time
        ("placed", np.bool_),  # there is one
        ("counted", np.float64, 2),  # where its last counted step ended
        ("rest", np.float64, 2),  # where it came to rest
        ("since", np.float64),  # when
        ("moved", np.float64),  # body lengths in this window
    ]
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a herd did over a time."""

    distance_bl: float
    followed_s: float
    """Animal seconds between the averages that were compared."""
    moving_s: float
    """Those of them in which the animal was faster than 0.1 BL/s."""
    new_tracks: int
    """Tracks that began inside the picture after the first two seconds of the job."""
    distance_m: float | None
    """None where the ground is not calibrated."""
    distance_error_ratio: float | None

    @property
    def activity(self) -> float | None:
        """Body lengths a minute and animal."""
        return 60 * self.distance_bl / self.followed_s if self.followed_s else None

    @property
    def moving_ratio(self) -> float | None:
        return self.moving_s / self.followed_s if self.followed_s else None


class Motion:
    """Follows the animals of one job. Times never go back."""

    def __init__(self, origin: float = 0.0) -> None:
        self._origin = origin
        self._block = 0
        self._interval_s = 0.0
        self._rows: Rows = np.zeros(0, _ROW)
        self._animals = 0
        self._metres = Metres(Ground(), (1, 1))
        self._new_window()

    def set_ground(self, ground: Ground, size: tuple[int, int]) -> None:
        """Measures in metres from now on, in pictures of (height, width) pixels."""
        self._metres = Metres(ground, size)

    def add(self, time: float, tracks: Tracks, lengths: Doubles, size: tuple[int, int], interval_s: float) -> Animals:
        """The tracks of one frame of (height, width) pixels; `lengths` (N,) pixels of a body length of each;
        `interval_s` the usual time between frames. Returns the (N,) numbers of the animals, each always the same.
        """
        self.advance(time)
        self._interval_s = interval_s
        rows, boxes = self._rows, tracks.boxes.astype(np.float64)
        places = middles(boxes)
        same = rows_of(tracks.ids, rows["track"])
        self._new_tracks += self._count_new(time, tracks.ages, same < 0, boxes, size)
        found = link(places, lengths, same, middles(rows["box"]), time - rows["seen"])
        if not np.array_equal(found, same):
            rows["track"][same[same >= 0]] = -1
        fresh = found < 0
        if fresh.any():
            rows = self._with_new(time, int(fresh.sum()))
            found[fresh] = np.arange(len(self._rows), len(rows))
        rows["track"][found], rows["label"][found], rows["age"][found] = tracks.ids, tracks.classes, tracks.ages
        rows["box"][found], rows["seen"][found], rows["length"][found] = boxes, time, lengths
        frames = rows["frames"][found]
        rows["first"][found[frames == 0]] = time
        rows["frames"][found] = frames + 1
        sums = rows["sum"]
        sums[found, :2] += places
        sums[found, 2] += time
        # Where the time stands still nobody grows old enough to be forgotten.
        self._rows = rows if len(rows) <= _MOST_ROWS else rows[found]
        return np.asarray(rows["animal"][found], np.int64)

    def _with_new(self, time: float, count: int) -> Rows:
        """The rows, and as many of animals that were never seen."""
        fresh = np.zeros(count, _ROW)
        fresh["since"] = time
        fresh["animal"] = self._animals + np.arange(count)
        self._animals += count
        return np.concatenate([self._rows, fresh])

    def advance(self, time: float) -> None:
        """No more frames before this moment: seconds that are over are averaged."""
        block = math.floor((time - self._origin) / _BLOCK_S + 1e-6)
        if block > self._block:
            self._block = block
            self._fold(time)
            self._rows = self._rows[time - self._rows["seen"] <= _FORGET_S]

    def finish(self) -> None:
        """Averages what there is."""
        self._fold(math.inf)

    def take(self) -> Moved:
        """What happened since the last call; a new window begins."""
        metres = self._metres_walked
        distance_m = float(metres[0]) if self._metres else None
        ratio = error_ratio(metres, self._unrest) if self._metres else None
        moved = Moved(self._distance_bl, self._followed_s, self._moving_s, self._new_tracks, distance_m, ratio)
        self._new_window()
        return moved

    def longest_still_s(self, time: float) -> float:
        """How long the animal that has been still longest had been so when it was last seen; 0 without animals."""
        rows = self._rows[time - self._rows["seen"] <= _FORGET_S]
        return float((rows["seen"] - rows["since"]).max(initial=0.0))

    def resting(self, time: float) -> Rows:
        """Fields track, label, seen, since of the animals that are there, longest at rest first."""
        rows = self._rows[time - self._rows["seen"] <= _FORGET_S]
        return rows[np.argsort(rows["since"] - rows["seen"], kind="stable")]

    def present(self, time: float) -> Rows:
        """Fields animal, track, label, age, box, moved of the tracks seen in the last second, longest-lived first."""
        rows = self._rows
        rows = rows[(rows["track"] >= 0) & (time - rows["seen"] <= max(_BLOCK_S, 2 * self._interval_s))]
        return rows[np.argsort(-rows["age"], kind="stable")]

    def _new_window(self) -> None:
        self._distance_bl = self._followed_s = self._moving_s = 0.0
        self._new_tracks = 0
        self._metres_walked = np.zeros(MAPS)
        self._still_square_sum = self._still_steps = self._inverse_steps = 0.0
        self._rows["moved"] = 0.0

    @property
    def _unrest(self) -> float:
        """The share by which the unrest of boxes makes the window's distance longer: sigma^2 / s of each step."""
        if not self._still_steps or not self._distance_bl:
            return 0.0
        # A step has two coordinates, each with the noise of two averages.
        variance = self._still_square_sum / self._still_steps / 4
        return variance * self._inverse_steps / self._distance_bl

    def _count_new(
        self, time: float, ages: Floats, unknown: NDArray[np.bool_], boxes: Doubles, size: tuple[int, int]
    ) -> int:
        """How many tracks have just begun where no animal comes in."""
        if time - self._origin <= _NEWBORN_S or not unknown.any():
            return 0
        young = ages <= max(_NEWBORN_S, 5 * self._interval_s)
        return int((young & unknown & ~_at_border(boxes, size)).sum())

    def _fold(self, time: float) -> None:
        """Ends a second: whoever was seen for half a second of it gets an average and is compared with its last."""
        rows = self._rows
        # An average of less is unsteady: its frames go over into the next second.
        ready = (rows["frames"] > 0) & (rows["seen"] - rows["first"] + self._interval_s >= _BLOCK_S / 2)
        rows["frames"][~ready & (time - rows["seen"] > _BLOCK_S)] = 0
        rows["sum"][rows["frames"] == 0] = 0.0
        done = rows[ready]
        mean = done["sum"] / done["frames"][:, None]
        gap_s = mean[:, 2] - done["mean"][:, 2]
        known = done["placed"] & (gap_s > 0) & (gap_s <= max(_LONGEST_STEP_S, 2 * self._interval_s))
        self._count(done, mean, np.where(known, gap_s, np.nan))
        rested = done["placed"] & (_apart_bl(mean, done["rest"], done["length"]) <= _REST_BL)
        done["rest"] = np.where(rested[:, None], done["rest"], mean[:, :2])
        done["since"] = np.where(rested | ~done["placed"], done["since"], mean[:, 2])
        done["mean"], done["placed"], done["sum"], done["frames"] = mean, True, 0.0, 0
        rows[ready] = done

    def _count(self, done: Rows, mean: Doubles, gap_s: Doubles) -> None:
        """Adds the steps to the window's sums; a step over an unknown time (NaN) is none."""
        known = np.isfinite(gap_s)
        speeds = _apart_bl(mean, done["mean"], done["length"]) / gap_s
        steps = _apart_bl(mean, done["counted"], done["length"])
        walked = known & (steps > _STEP_BL) & (speeds <= FASTEST_BL_S)
        done["moved"] += np.where(walked, steps, 0.0)
        if self._metres and walked.any():
            self._metres_walked += self._metres.lengths(done["counted"][walked], mean[walked, :2])
        self._count_unrest(speeds[known] * gap_s[known], steps[walked])
        stay = known & ~walked & (steps <= _STEP_BL)
        done["counted"] = np.where(stay[:, None], done["counted"], mean[:, :2])
        self._distance_bl += float(steps[walked].sum())
        self._followed_s += float(gap_s[known].sum())
        self._moving_s += float(gap_s[known & (speeds > _MOVING_BL_S)].sum())

    def _count_unrest(self, ways: Doubles, walked: Doubles) -> None:
        """Of averages that follow each other, those that lie still tell the noise; short steps suffer from it."""
        still = ways[ways <= _STEP_BL]
        self._still_square_sum += float((still**2).sum())
        self._still_steps += len(still)
        self._inverse_steps += float((1 / walked).sum())


def middles(boxes: Doubles) -> Doubles:
    """(N, 2) of (N, 4) boxes."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float64)


def _apart_bl(mean: Doubles, places: Doubles, lengths: Doubles) -> Doubles:
    """(N,) body lengths between (N, 3) averages and (N, 2 or 3) places."""
    return np.asarray(np.linalg.norm(mean[:, :2] - places[:, :2], axis=1) / lengths, np.float64)


def _at_border(boxes: Doubles, size: tuple[int, int]) -> Any:
    """(N,) whether a box comes within a fiftieth of the picture's border, where animals walk in."""
    height, width = size
    near_x, near_y = width / 50, height / 50
    left, top, right, bottom = boxes.T
    return (left < near_x) | (top < near_y) | (right > width - near_x) | (bottom > height - near_y)
