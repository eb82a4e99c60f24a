"""What befalls a job, in words: one function an event, pure."""

from __future__ import annotations

from agent.core.types import Event, EventType, Job, JobState, Severity


def job_over(job: Job, time: float) -> Event:
    """A job that has ended, in whatever way."""
    if job.state is JobState.FAILED:
        why = job.error.message if job.error else "nobody knows why"
        return Event(
            time, EventType.JOB_FAILED, Severity.WARNING, f"the job has failed: {why}", duration_s=_lasted(job)
        )
    how = "was cancelled" if job.state is JobState.CANCELLED else "is done"
    frames = f"{job.frames} frame{'' if job.frames == 1 else 's'}"
    return Event(time, EventType.JOB_ENDED, Severity.INFO, f"the job {how} after {frames}", duration_s=_lasted(job))


def _lasted(job: Job) -> float | None:
    if job.start_time is None or job.end_time is None:
        return None
    return max(0.0, job.end_time - job.start_time)
