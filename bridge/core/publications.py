"""What is worth publishing, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.core.commands import dump, to_json
from bridge.core.topics import NODE_LOG
from herdlink.v1 import edge_pb2, record_pb2, types_pb2

EVENT_IS_NEWS_S = 30.0
"""An older event rings no phone."""
SNAPSHOT_BYTES = 256 * 1024
FIGURES_EVERY_S = 10.0
HEALTH_EVERY_S = 60.0
_FIGURES = ("fps", "frame_time", "frames_dropped", "progress")
_PASSING = re.compile(r"analyze-.+-[0-9a-f]{6}")
_ENDED = (types_pb2.JOB_STATE_DONE, types_pb2.JOB_STATE_FAILED, types_pb2.JOB_STATE_CANCELLED)


@dataclass(frozen=True, slots=True)
class RecordLog:
    """One log of the agent and the topics that it goes to."""

    stream: str
    kind: record_pb2.RecordKind
    complete: str
    live: str
    retain_live: bool

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.complete} of {self.stream}"


def record_logs(stream: str) -> tuple[RecordLog, ...]:
    """The logs of a stream; the node itself has but events."""
    events = RecordLog(stream, record_pb2.RECORD_KIND_EVENT, "events", "event", False)
    summaries = RecordLog(stream, record_pb2.RECORD_KIND_SUMMARY, "summaries", "summary", True)
    return (events,) if stream == NODE_LOG else (summaries, events)


def is_passing(stream: str) -> bool:
    """Whether `herdlink analyze --target` has made it for one job: analyze-<its machine>-<6 hex digits>."""
    return _PASSING.fullmatch(stream) is not None


def is_live(answer: record_pb2.WatchRecordsResponse, now: float) -> bool:
    """Whether a record is news and no repeat: the newest summary; an event that happened within the last 30 s."""
    body = answer.record.WhichOneof("body")
    if answer.repeat:
        return False
    if body == "summary":
        return answer.record.summary.sequence == answer.newest
    return body == "event" and now - answer.record.event.time.ToMilliseconds() / 1000 <= EVENT_IS_NEWS_S


def state_is_due(told: types_pb2.StreamState | None, state: types_pb2.StreamState, age_s: float) -> bool:
    """A change is told at once; mere figures (fps, progress ...) at most every 10 s."""
    if told is None:
        return True
    return told != state and (age_s >= FIGURES_EVERY_S or _without_figures(told) != _without_figures(state))


def job_is_due(told: types_pb2.Job | None, state: types_pb2.StreamState) -> bool:
    """While a job is at work, and until its end was told."""
    return told is None or told.job_id != state.job_id or told.state not in _ENDED


def snapshot_is_due(state: types_pb2.StreamState, *, age_s: float, period_s: float, last_job: str) -> bool:
    """Now and then while a job runs, and once when it has ended; `last_job` is the one whose last picture was told."""
    if state.state == types_pb2.JOB_STATE_RUNNING:
        return age_s >= period_s
    return state.state in _ENDED and state.job_id != last_job


def record_payload(record: record_pb2.Record) -> bytes:
    """A record as it goes out: a summary's or event's own fields, or {"gap": {...}}."""
    body = record.WhichOneof("body")
    inner = to_json(getattr(record, body)) if body else {}
    return dump({"gap": inner} if body == "gap" else inner)


def sequence(record: record_pb2.Record) -> int:
    """A record's number in its log; 0 for a gap."""
    return record.event.sequence or record.summary.sequence


def journal(record: record_pb2.Record) -> str:
    """The journal that the number counts in."""
    return record.event.journal or record.summary.journal


def health_is_due(told: edge_pb2.GetHealthResponse | None, health: edge_pb2.GetHealthResponse, age_s: float) -> bool:
    """At once where other problems are there, else once a minute."""
    codes = [(problem.code, problem.message) for problem in health.problems]
    return told is None or age_s >= HEALTH_EVERY_S or codes != [(one.code, one.message) for one in told.problems]


def health_payload(health: edge_pb2.GetHealthResponse, reconnects: int) -> bytes:
    """What the agent tells of itself, and how often this bridge had to connect to the broker again."""
    return dump({**to_json(health), "brokerReconnects": reconnects})


def consumer(base: str) -> str:
    """The name under which the agent keeps the place of this base's bridge."""
    return f"mqtt-{base.replace('/', '-')}"[:128]


def _without_figures(state: types_pb2.StreamState) -> types_pb2.StreamState:
    rest = types_pb2.StreamState()
    rest.CopyFrom(state)
    for name in _FIGURES:
        rest.ClearField(name)
    return rest
