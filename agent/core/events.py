"""What befalls a job and its camera, in words: pure."""

from __future__ import annotations

import math
from typing import Final

from agent.core.types import Event, EventType, Job, JobState, Severity

CAMERA_LOST_S: Final = 5.0
"""A camera that is back within so long was not lost: many drop a connection now and then and take it up at once."""

_ENOUGH: Final = 1.25
_DISK_AGAIN_S: Final = 3600.0
"""A disk on the brink is told every hour at most."""


def job_over(job: Job, time: float, *, goes_on: bool = False) -> Event:
    """A job that has ended, in whatever way; `goes_on`: another one follows it by itself."""
    lasted = None if job.start_time is None or job.end_time is None else max(0.0, job.end_time - job.start_time)
    if job.state is JobState.FAILED:
        severity = Severity.INFO if goes_on else Severity.WARNING
        text = f"the job has failed: {job.error.message}" if job.error else "the job has failed"
        return Event(time, EventType.JOB_FAILED, severity, text, duration_s=lasted)
    how = "was cancelled" if job.state is JobState.CANCELLED else "is done"
    frames = f"{job.frames} frame{'' if job.frames == 1 else 's'}"
    return Event(time, EventType.JOB_ENDED, Severity.INFO, f"the job {how} after {frames}", duration_s=lasted)


def model_changed(model: str, before: str, time: float) -> Event:
    """A job runs with another model than the stream's last one did."""
    text = f"{model} looks at the pictures now; in the last job it was {before}"
    return Event(time, EventType.MODEL_CHANGED, Severity.INFO, text)


class CameraWatch:
    """camera_lost, once a loss and not at each new try, and camera_back. Times in seconds since 1970."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._why = ""
        self._told = False

    def lost(self, time: float, why: str) -> None:
        """The camera is gone, or still is."""
        if self._since is None:
            self._since = time
        self._why = why

    def look(self, time: float) -> Event | None:
        """The loss, once it has lasted."""
        if self._since is None or self._told or time - self._since < CAMERA_LOST_S:
            return None
        self._told = True
        return Event(time, EventType.CAMERA_LOST, Severity.WARNING, f"no pictures any more: {self._why}")

    def back(self, time: float) -> Event | None:
        """A picture is there; the end of a loss that was told."""
        since, told = self._since, self._told
        self._since, self._told = None, False
        if since is None or not told:
            return None
        away_s = max(0.0, time - since)
        text = f"the camera is back after {away_s:.0f} s"
        return Event(time, EventType.CAMERA_BACK, Severity.INFO, text, duration_s=away_s)


def broker_gap(consumer: str, kind: str, lost: int, time: float) -> Event:
    """A reader has come too late for some records."""
    logs = {"summary": "summaries", "event": "events"}
    text = f"{lost} of this stream's {logs[kind]} were trimmed before {consumer} had read them"
    return Event(time, EventType.BROKER_GAP, Severity.WARNING, text, count=lost)


class DiskWatch:
    """disk_low: once when less is free than `min_free_bytes`, and again only after there was a quarter more."""

    def __init__(self, min_free_bytes: float) -> None:
        self.low = False
        self._min_free_bytes = min_free_bytes
        self._next = -math.inf

    def add(self, free_bytes: float, time: float) -> Event | None:
        """What is free now."""
        was_low = self.low
        self.low = free_bytes < self._min_free_bytes * (_ENOUGH if self.low else 1.0)
        if not self.low or was_low or time < self._next:
            return None
        self._next = time + _DISK_AGAIN_S
        text = f"{free_bytes / 1e6:.0f} MB are left on the disk; delete old results before it is full"
        return Event(time, EventType.DISK_LOW, Severity.ALARM, text)
