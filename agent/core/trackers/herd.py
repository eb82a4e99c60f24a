"""herdlink's own tracker, for people and for pens of animals that look alike.

Bodies are moved ahead (core/tracking/bodies.py), also with a camera that is knocked (camera.py), the frame's boxes
are dealt out to them (dealing.py), and what is left begins tracks. A track is told, and gets its id, when enough
speaks for it: good boxes, measured by what the detector gives to the bodies that are known already (scores.py). Where
the number of animals is known, they are named by population.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.core.ports import Tracker
from agent.core.tracking.bodies import Bodies
from agent.core.tracking.camera import shift
from agent.core.tracking.dealing import Deal
from agent.core.tracking.found import Found, look
from agent.core.tracking.looks import Looks
from agent.core.tracking.population import Population
from agent.core.tracking.roll import ROUNDING_S, Roll
from agent.core.tracking.scores import Scores
from agent.core.types import Detections, Doubles, Floats, Tracks

LEAST_SCORE = 0.1
"""Score below which a box is of no use."""
COVERED = 0.3
"""A box covered so far by one that is taken (intersection over union) must come often before its track is told."""
NEED, NEED_COVERED = 1.5, 4.0
"""Evidence for a track to be told, where a box as good as the detector's usual ones counts 1."""
MISSED_S, GROWN_S = 0.2, 1.0
"""How long a track of such an age is told where it should be while its boxes fail: a glance, not a disappearance."""
HIDDEN_S, STILL_S = 0.5, 3.0
"""How long an animal of a known population is told where it should be while it is not seen; and one that lies still."""
STILL = 0.1
"""Body lengths a second."""
_LEARN_FRAMES, _LEARN_EVERY = 100, 8
"""Jitter and the worth of scores, both of the detector, are learned from every frame at first, then from some."""
_SAME_STEP = 0.2
"""Steps of two frames that differ by less than this share are equal."""


def make(*, threshold: float, first_id: int = 1, known_count: int = 0) -> Tracker:
    """A tracker that begins tracks at scores >= `threshold` and continues them with boxes down to `lowest_score`."""
    return HerdTracker(threshold=threshold, first_id=first_id, known_count=known_count)


def lowest_score(threshold: float) -> float:
    """The score down to which detections are of use beside a threshold of confident ones."""
    return min(LEAST_SCORE, threshold)


class HerdTracker:
    """One job's tracker."""

    def __init__(self, *, threshold: float, first_id: int, known_count: int) -> None:
        self._least, self._scores = lowest_score(threshold), Scores(threshold)
        self._population = Population(count=known_count, first_id=first_id) if known_count else None
        self._bodies, self._looks, self._roll = Bodies(), Looks(), Roll(first_id=first_id)
        self._last_time: float | None = None
        self._last_step_s = 0.0
        self._hurry = True

    def update(self, detections: Detections, time: float) -> Tracks:
        """The tracks of the frame of this time, by growing id. A time that does not grow counts as no time.

        Also those that were missed for a moment, whose score is 0; of a known population those hidden for longer.
        """
        found = look(detections, least=self._least, threshold=self._scores.sure)
        step_s = self._advance(time)
        deal = self._deal(found, step_s)
        moved = self._moved(deal, found)
        if moved is not None:
            self._bodies.push(moved)
            deal = self._deal(found, step_s)
        self._correct(deal, found, step_s)
        self._end()
        self._begin(deal, found)
        return self._tell() if self._population is None else self._population.name(self._tell_all(), step_s)

    def _advance(self, time: float) -> float:
        """Moves everything to `time`; returns how many seconds that is, to the microsecond."""
        step_s = round(max(0.0, time - self._last_time), 6) if self._last_time is not None else 0.0
        self._last_time = time
        self._roll.advance(step_s)
        self._bodies.predict(step_s)
        return step_s

    def _deal(self, found: Found, step_s: float) -> Deal:
        """The boxes to the tracks."""
        deal = Deal(self._bodies, self._roll, self._looks, found, dull=self._scores.fixture)
        deal.all(step_s)
        return deal

    def _moved(self, deal: Deal, found: Found) -> Doubles | None:
        """How far the camera jumped, as the surely seen bodies tell by their boxes; None: it stood."""
        partner = deal.partner
        seen = partner >= 0
        if not np.count_nonzero(deal.left) or np.count_nonzero(seen) in (0, len(seen)):
            return None  # every body has its box, or every box its body
        where = self._bodies.places
        speak = found.sure[partner]
        speak &= seen
        speak &= self._roll.told
        return shift(found.places.take(partner, axis=1) - where, where, speak)

    def _correct(self, deal: Deal, found: Found, step_s: float) -> None:
        roll, partner = self._roll, deal.partner
        learning = roll.frame < _LEARN_FRAMES or roll.frame % _LEARN_EVERY == 0
        steady = learning and step_s > 0 and abs(step_s - self._last_step_s) <= _SAME_STEP * step_s
        self._last_step_s = step_s
        seen = partner >= 0
        if not np.count_nonzero(seen):
            roll.see_none()
            return
        # Whole columns, also of tracks that were not seen: taking the others out and putting them back costs more.
        places, scores = found.places.take(partner, axis=1), found.scores[partner]
        sure = found.sure[partner] & seen
        runs = roll.see(
            seen, sure=sure, scores=scores, evidence=None if roll.all_told else self._scores.evidence(scores)
        )
        self._bodies.correct(seen, places, scores, learn=runs >= 3 if steady else None)
        if found.features.shape[1]:
            self._looks.see(sure.nonzero()[0], found.features[partner[sure]])
        if learning:
            told = roll.told > roll.fixtures if roll.has_fixtures else roll.told
            self._scores.learn(found.scores, partner[seen & told])

    def _end(self) -> None:
        rows = self._roll.staying()
        if rows is not None:
            for part in (self._bodies, self._roll, self._looks):
                part.keep(rows)

    def _begin(self, deal: Deal, found: Found) -> None:
        fresh = deal.left.nonzero()[0]
        if len(fresh):
            scores, places = found.scores[fresh], found.places[:, fresh]
            self._bodies.begin(places)
            self._looks.begin(found.features[fresh])
            # The first frame's are told at once: a clip of one picture counts.
            need = np.where(deal.cover[fresh] > COVERED, NEED_COVERED, 0.0 if self._hurry else NEED)
            evidence = self._scores.evidence(scores)
            self._roll.begin(found.classes[fresh], places, scores=scores, evidence=evidence, need=need)
            self._hurry = False
        self._roll.confirm()
        if self._roll.judge(self._bodies.places, self._scores.fixture):
            self._bodies.rest(self._roll.fixtures)

    def _tell(self) -> Tracks:
        """The told tracks seen in this frame, and those missed just now."""
        roll = self._roll
        if not roll.missed:
            return self._tracks(0.0)
        # Whose last box was poor is rather being covered, or leaving: its place is a guess.
        sound = roll.scores >= self._scores.sound
        sound &= roll.age_s >= GROWN_S - ROUNDING_S
        return self._tracks(np.where(sound, MISSED_S, 0.0))

    def _tell_all(self) -> Tracks:
        """Those seen, and the ones that should still be there."""
        places, speeds = self._bodies.places, self._bodies.speeds
        still = np.hypot(speeds[0], speeds[1]) < STILL * np.sqrt(places[2] * places[3])
        return self._tracks(np.where(still, STILL_S, HIDDEN_S))

    def _tracks(self, unseen_s: Doubles | float) -> Tracks:
        """The told tracks last seen within so many seconds; a score of 0: not in this frame."""
        roll = self._roll
        rows, ids, ages = roll.seen_within(unseen_s)
        scores = roll.scores[rows].astype(np.float32)
        if roll.missed:
            scores *= roll.misses[rows] == 0
        return Tracks(ids, self._boxes(rows), scores, roll.classes[rows].astype(np.int32), ages)

    def _boxes(self, rows: NDArray[np.intp]) -> Floats:
        """(M, 4) left, top, right, bottom."""
        places = self._bodies.places.take(rows, axis=1)
        half = places[2:] / 2
        boxes = np.empty((len(rows), 4), np.float32)
        boxes[:, :2] = (places[:2] - half).T
        boxes[:, 2:] = (places[:2] + half).T
        return boxes
