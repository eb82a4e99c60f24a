"""Folds results into summaries, one for each window of time.

Windows tile the time: of a file [0, period), [period, 2 period) ..., of a camera from its first moment on. What a
window tells is put together by the rooms beside this one: census (how many), motion (what they do), places (zones and
lines), view (what the pictures are worth). All times are those of the frames.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from agent.core.herd.alerts import Alerts
from agent.core.herd.census import Census
from agent.core.herd.lengths import BodyLengths
from agent.core.herd.motion import Motion
from agent.core.herd.pace import Pace
from agent.core.herd.places import Places
from agent.core.herd.view import Watch
from agent.core.scene import NO_SCENE, Scene
from agent.core.types import Body, Event, Result, Summary, Totals, Tracks, TrackSummary, View

_MOST_TRACKS: Final = 32
_MOST_EMPTY: Final = 1000
"""Windows without a picture in a row; a leap in time beyond them becomes one long window."""
_EPSILON_S: Final = 1e-6
"""Times of files are rounded."""


class Herd:
    """The numbers of one job. For one thread, but for `set_known_count`."""

    def __init__(
        self,
        *,
        labels: Sequence[str],
        wanted: Sequence[str] = (),
        period_s: float,
        known_count: int = 0,
        totals: Totals,
        live: bool,
        scene: Scene = NO_SCENE,
    ) -> None:
        self._labels = labels
        self._period_s = period_s
        self._known_count = known_count
        self._totals = totals
        self._begun = not live
        self._origin = self._now = 0.0
        self._lengths = BodyLengths(len(labels))
        self._pace = Pace()
        self._watch = Watch()
        self._motion = Motion()
        self._scene = scene
        self._places = Places(labels, totals, scene)
        self._alerts = Alerts(labels, wanted)
        self._latest = Tracks()
        self._size = (1, 1)
        self._motion.set_ground(scene.ground, self._size)
        self._seen_labels: set[int] = set()
        self._dropped = self._dropped_before = 0
        self._window = 0
        self._open(0.0)

    def set_known_count(self, known_count: int) -> None:
        """Takes effect with the window that is open. May be called from another thread."""
        self._known_count = known_count

    def add(self, result: Result, dropped: int = 0) -> Sequence[Body]:
        """The windows that this frame ends, and what happened; `dropped`: frames of the job not analysed so far.

        Zones, lines and the ground are those that the frame came with.
        """
        time, tracks = self._clock(result.frame.time), result.tracks
        told = self._advance(time)
        self._pace.add(time)
        interval_s = self._pace.usual_s
        told += self._look_at(result)
        self._frames += 1
        self._latest = tracks
        self._dropped = max(self._dropped, dropped)
        self._seen_labels.update(tracks.classes.tolist())
        self._lengths.add(tracks.boxes, tracks.classes, interval_s)
        lengths = self._lengths.of(tracks.classes)
        animals = self._motion.add(time, tracks, lengths, self._size, interval_s)
        self._census.add(time, tracks, lengths)
        self._watch.add(time, result.frame.image)
        told += self._places.add(time, animals, tracks, lengths, trusted=self._watch.view is View.OK)
        return [*told, *self._alerts.add(time, tracks, interval_s)]

    def tick(self, now: float) -> Sequence[Body]:
        """The windows that have ended without another picture; for cameras."""
        return self._advance(self._clock(now))

    def finish(self) -> Sequence[Body]:
        """The window that is open, up to the end of its last frame or its own; none where nothing has begun."""
        end = min(max(self._now, self._pace.end), self._end)
        self._cover(end)
        self._motion.finish()
        told: list[Body] = list(self._places.finish())
        return [*told, *self._close(end)] if end > self._start else told

    @property
    def _end(self) -> float:
        """Where the open window ends; counted from the origin, so that no error adds up."""
        return self._origin + (self._window + 1) * self._period_s

    def _open(self, start: float) -> None:
        self._start = start
        self._census = Census()
        self._frames = 0
        self._covered_s = 0.0
        self._dropped_before = self._dropped

    def _clock(self, time: float) -> float:
        """The time, which does not run backwards here whatever a source says."""
        if not math.isfinite(time):
            time = self._now
        if not self._begun:
            self._begun = True
            self._origin = self._now = self._start = time
            self._motion = Motion(time)
            self._motion.set_ground(self._scene.ground, self._size)
        self._now = max(self._now, time)
        return self._now

    def _advance(self, time: float) -> list[Body]:
        """Closes what has ended by now."""
        told: list[Body] = []
        while time >= self._end - _EPSILON_S:
            if not self._frames and time - self._start > _MOST_EMPTY * self._period_s:
                self._window = math.floor((time - self._origin + _EPSILON_S) / self._period_s) - 1
            end = self._end
            self._cover(end)
            self._motion.advance(end)
            told += self._places.advance(end)
            told += self._close(end)
            self._open(end)
            self._window += 1
        self._cover(time)
        return told

    def _cover(self, until: float) -> None:
        seconds = self._pace.cover(until)
        self._covered_s += seconds
        self._totals = replace(self._totals, animal_s=self._totals.animal_s + seconds * len(self._latest))
        self._places.cover(seconds)

    def _look_at(self, result: Result) -> list[Event]:
        """Measures the scene of a frame in its pixels, where either is new."""
        height, width = result.frame.image.shape[:2]
        # A scene that was set to the same again is the same.
        if (height, width) == self._size and (result.scene is self._scene or result.scene == self._scene):
            return []
        self._scene, self._size = result.scene, (height, width)
        self._motion.set_ground(self._scene.ground, self._size)
        return self._places.set_scene(self._scene, self._size)

    def _close(self, end: float) -> list[Body]:
        """What happened from the window's start to here, and what of it is worth a call."""
        summary = self._summary(end)
        return [summary, *self._alerts.close(summary, self._motion.resting(end))]

    def _summary(self, end: float) -> Summary:
        known_count, covered, census = self._known_count, self._covered_s > 0, self._census
        if covered and not self._frames:
            # A window shorter than the time between two pictures tells what the last one shows.
            census.add(end, self._latest, self._lengths.of(self._latest.classes))
            self._places.look()
        tracks = self._tracks(end) if covered else ()
        longest_still_s = self._motion.longest_still_s(end) if covered else 0.0
        moved = self._motion.take()
        self._totals = replace(
            self._totals,
            distance_bl=self._totals.distance_bl + moved.distance_bl,
            distance_m=self._totals.distance_m + (moved.distance_m or 0.0),
        )
        zones, lines = self._places.take()
        past_zones, past_lines = self._places.past
        return Summary(
            start_time=self._start,
            end_time=end,
            period_s=end - self._start,
            covered_s=self._covered_s,
            frames=self._frames,
            frames_dropped=self._dropped - self._dropped_before,
            view=self._watch.take(),
            count=census.count,
            count_mean=census.count_mean,
            count_error=census.count_error,
            known_count=known_count,
            count_off=covered and known_count > 0 and census.count != known_count,
            counts={self._labels[label]: census.counts.get(label, 0) for label in sorted(self._seen_labels)},
            score_mean=census.score_mean,
            activity=moved.activity,
            moving_ratio=moved.moving_ratio,
            distance_bl=moved.distance_bl,
            spacing_bl=census.spacing_bl,
            longest_still_s=longest_still_s,
            id_switches=moved.new_tracks,
            total_animal_s=self._totals.animal_s,
            total_distance_bl=self._totals.distance_bl,
            tracks=tracks[:_MOST_TRACKS],
            tracks_omitted=max(0, len(tracks) - _MOST_TRACKS),
            distance_m=moved.distance_m,
            distance_error_ratio=moved.distance_error_ratio,
            total_distance_m=self._totals.distance_m,
            zones=zones,
            lines=lines,
            past_zones=past_zones,
            past_lines=past_lines,
        )

    def _tracks(self, end: float) -> tuple[TrackSummary, ...]:
        """Those seen last, longest-lived first."""
        rows = self._motion.present(end)
        height, width = self._size
        corners = np.clip(rows["box"] / [width, height, width, height], 0.0, 1.0)
        boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1).tolist()
        zones = [self._places.zone_of(animal) for animal in rows["animal"].tolist()]
        told = zip(*(rows[name].tolist() for name in ("track", "label", "age", "moved")), boxes, zones, strict=True)
        return tuple(
            TrackSummary(track, self._labels[label], age_s, moved_bl, tuple(box), zone)
            for track, label, age_s, moved_bl, box, zone in told
        )
