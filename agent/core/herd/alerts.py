"""What is worth a call: folds of frames and windows into events, each with hysteresis and a cool-down.

A farmer who is called for nothing switches the calls off. So nothing is told of pictures that cannot be trusted, what
flickers is waited out, and what goes on is told once. All times are those of the frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from agent.core.herd.motion import Rows
from agent.core.types import Event, EventType, Severity, Summary, Tracks, View

PERSON: Final = "person"

_COUNT_WINDOWS: Final = 3
_COUNT_HOLD_S: Final = 60.0
"""An animal behind a feeder or under another is hidden for some seconds, and seen again within the minute."""
_COUNT_AGAIN_S: Final = 600.0
"""A count on the brink is told every ten minutes at most."""
_SEEN_SHARE: Final = 0.5
"""A window with pictures of less than half of it tells little of the herd."""

_VIEW_WINDOWS: Final = 2
_VIEW_HOLD_S: Final = 10.0
"""Somebody who passes before the camera is gone within one window; with very short windows, within some seconds."""

STILL_S: Final = 4 * 3600.0
"""A cow lies for 88 minutes on average before she gets up (Ito et al. 2009, J. Dairy Sci. 92:4412); who has not moved
by a quarter of a body length for more than twice as long is worth a look."""
_STILL_AGAIN_S: Final = 3600.0
"""Between two such events of a stream, so that a herd at rest, or a bucket taken for a pig, is no alarm bell."""

_PERSON_S: Final = 1.0
"""A single frame in which a pig looks like a person is no visit."""
_PERSON_GAP_S: Final = 0.5
"""The detector may miss a person for so long, or for three frames of a slow camera."""
_VISIT_OVER_S: Final = 60.0
"""Who is back within a minute is still on the same visit."""


class Alerts:
    """The events of one job that its tracks and windows tell."""

    def __init__(self, labels: Sequence[str], wanted: Sequence[str] = ()) -> None:
        animals = [label for label in wanted or labels if label != PERSON]
        self._view = ViewChanges()
        self._count = Counts(people_count=not animals)
        self._still = Stillness(labels)
        # Where only people are looked for they are the herd, and each of them no news.
        self._visits = Visits(labels.index(PERSON)) if PERSON in labels and animals else None

    def add(self, time: float, tracks: Tracks, interval_s: float) -> list[Event]:
        """What one frame's tracks tell; `interval_s` is the usual time between frames."""
        return self._visits.add(time, tracks, interval_s) if self._visits else []

    def close(self, summary: Summary, resting: Rows) -> list[Event]:
        """What a window tells; `resting` are the animals at its end (Motion.resting)."""
        told = (self._view.add(summary), self._count.add(summary), self._still.add(summary, resting))
        return [event for event in told if event is not None]


class ViewChanges:
    """view_changed: once another view has held for two windows."""

    def __init__(self) -> None:
        self._told = View.OK
        self._candidate = View.OK
        self._windows = 0
        self._since = 0.0

    def add(self, summary: Summary) -> Event | None:
        if summary.covered_s <= 0:
            return None
        if summary.view is not self._candidate:
            self._candidate, self._windows, self._since = summary.view, 0, summary.start_time
        self._windows += 1
        held = self._windows >= _VIEW_WINDOWS and summary.end_time - self._since >= _VIEW_HOLD_S
        if self._candidate is self._told or not held:
            return None
        self._told = self._candidate
        severity = Severity.INFO if self._told is View.OK else Severity.WARNING
        return Event(summary.end_time, EventType.VIEW_CHANGED, severity, _VIEW_SENTENCES[self._told])


_VIEW_SENTENCES: Final = {
    View.OK: "the picture is good again",
    View.DARK: "the picture is too dark to see animals; is the light on?",
    View.FROZEN: "the camera sends the same picture again and again; restart it",
    View.BLURRED: "the picture is much less sharp than it was; clean the lens",
    View.MOVED: "the camera no longer looks where it did when the job began",
}


class Counts:
    """count_off and count_ok: once all windows of a minute agree. Only of pictures that can be trusted."""

    def __init__(self, *, people_count: bool = False) -> None:
        self._people_count = people_count
        self._known = 0
        self._told_off = False
        self._off_at = -math.inf
        self._begin(False, 0.0)

    def add(self, summary: Summary) -> Event | None:
        if summary.known_count != self._known:
            self._known, self._told_off, self._off_at = summary.known_count, False, -math.inf
            self._begin(False, summary.start_time)
        if not self._known or not self._is_trusted(summary):
            self._begin(self._off, summary.end_time)
            return None
        if summary.count_off is not self._off:
            self._begin(summary.count_off, summary.start_time)
        self._windows += 1
        if self._windows < _COUNT_WINDOWS or summary.end_time - self._since < _COUNT_HOLD_S:
            return None
        return self._tell(summary)

    def _begin(self, off: bool, time: float) -> None:
        """From here on all windows must agree."""
        self._off, self._windows, self._since = off, 0, time

    def _is_trusted(self, summary: Summary) -> bool:
        if summary.view is not View.OK or summary.covered_s < _SEEN_SHARE * summary.period_s:
            return False
        # Somebody at work among the animals hides some and may be counted as one.
        return self._people_count or not summary.counts.get(PERSON)

    def _tell(self, summary: Summary) -> Event | None:
        if self._off == self._told_off or (self._off and summary.end_time - self._off_at < _COUNT_AGAIN_S):
            return None
        self._told_off = self._off
        end, count, known = summary.end_time, summary.count, self._known
        if not self._off:
            text = f"all {known} are there again"
            return Event(end, EventType.COUNT_OK, Severity.INFO, text, count=count, known_count=known)
        self._off_at = end
        text = f"{count} seen where there should be {known}"
        return Event(end, EventType.COUNT_OFF, Severity.WARNING, text, count=count, known_count=known)


class Stillness:
    """animal_still: one that has not moved for hours, once for each of its rests."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._told: set[float] = set()
        """When the rests began that were told and go on."""
        self._next = -math.inf

    def add(self, summary: Summary, resting: Rows) -> Event | None:
        self._told &= {float(row["since"]) for row in resting}
        if summary.view is not View.OK or summary.covered_s <= 0 or summary.end_time < self._next:
            return None
        for row in resting:
            still_s, label = float(row["seen"] - row["since"]), self._labels[int(row["label"])]
            if still_s < STILL_S:
                return None
            if label != PERSON and float(row["since"]) not in self._told:
                self._told.add(float(row["since"]))
                self._next = summary.end_time + _STILL_AGAIN_S
                track = int(row["track"]) if row["track"] >= 0 else None
                text = f"a {label} has not moved for {still_s / 3600:.1f} hours; look after it"
                return Event(
                    summary.end_time,
                    EventType.ANIMAL_STILL,
                    Severity.WARNING,
                    text,
                    label=label,
                    track=track,
                    duration_s=still_s,
                )
        return None


class Visits:
    """person_seen: once a visit, which is over when nobody was seen for a minute."""

    def __init__(self, person: int) -> None:
        self._person = person
        self._since = 0.0
        self._last = -math.inf
        self._told = False

    def add(self, time: float, tracks: Tracks, interval_s: float) -> list[Event]:
        people = tracks.classes == self._person
        if not people.any():
            return []
        away_s, self._last = time - self._last, time
        if away_s > max(_PERSON_GAP_S, 3 * interval_s):
            self._since = time
        if away_s > _VISIT_OVER_S:
            self._told = False
        if self._told or time - self._since < _PERSON_S:
            return []
        self._told = True
        oldest = int((people * (tracks.ages + 1)).argmax())
        count = int(people.sum())
        text = "a person is among the animals" if count == 1 else f"{count} people are among the animals"
        return [
            Event(
                time,
                EventType.PERSON_SEEN,
                Severity.INFO,
                text,
                label=PERSON,
                track=int(tracks.ids[oldest]),
                count=count,
                score=float(tracks.scores[oldest]),
            )
        ]
