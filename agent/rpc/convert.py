"""Core values to messages: the one place where both are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from agent.core.types import Event, Job, JobState, Problem, Record, Summary, Tracks
from agent.runtime.health import HealthView
from agent.runtime.rooms import StreamView
from agent.runtime.streams import Origin
from herdlink.v1 import edge_pb2, record_pb2, track_pb2, types_pb2


def timestamp(seconds: float) -> Timestamp:
    """Seconds since 1970, to the millisecond."""
    whole_ms = round(seconds * 1000)
    return Timestamp(seconds=whole_ms // 1000, nanos=whole_ms % 1000 * 1_000_000)


def job_state(state: JobState) -> types_pb2.JobState:
    value: types_pb2.JobState = getattr(types_pb2, f"JOB_STATE_{state}")
    return value


def error(problem: Problem) -> types_pb2.Error:
    return types_pb2.Error(
        code=problem.code,
        reason=problem.reason,
        message=problem.message,
        method=problem.method,
        time=timestamp(problem.time),
    )


def job(value: Job) -> types_pb2.Job:
    return types_pb2.Job(
        job_id=value.job_id,
        stream=value.stream,
        state=job_state(value.state),
        frames=value.frames,
        total_frames=value.total_frames,
        fps=value.fps,
        start_time=None if value.start_time is None else timestamp(value.start_time),
        end_time=None if value.end_time is None else timestamp(value.end_time),
        error=error(value.error) if value.error else None,
        input=value.input,
        output=value.output,
        model=value.model,
        results=[types_pb2.ResultFile(name=f.name, bytes=f.bytes, sha256=f.sha256) for f in value.results],
        frames_dropped=value.frames_dropped,
    )


def stream(view: StreamView) -> types_pb2.Stream:
    values = view.values
    return types_pb2.Stream(
        stream=view.stream,
        name=values.name,
        area=values.area,
        input=values.input,
        output=values.output,
        enabled=values.enabled,
        labels=values.labels,
        threshold=values.threshold,
        max_fps=values.max_fps,
        known_count=values.known_count,
        model=values.model,
        tracker=values.tracker,
        summary_period_s=values.summary_period_s,
        rest_s=values.rest_s,
        origin={key: _origin(origin) for key, origin in view.origins.items()},
        state=stream_state(view),
    )


def _origin(origin: Origin) -> types_pb2.Origin:
    value: types_pb2.Origin = getattr(types_pb2, f"ORIGIN_{origin}")
    return value


def stream_state(view: StreamView) -> types_pb2.StreamState:
    message = types_pb2.StreamState(
        stream=view.stream,
        name=view.values.name,
        enabled=view.values.enabled,
        input=view.values.input,
        output=view.values.output,
        output_state=types_pb2.OUTPUT_STATE_OK,
        known_count=view.values.known_count,
    )
    if view.job is not None:
        newest = job(view.job)
        message.state, message.job_id, message.fps = newest.state, newest.job_id, newest.fps
        message.model, message.frames_dropped = newest.model, newest.frames_dropped
        if newest.total_frames:
            message.progress = _progress(view, newest)
        if newest.HasField("error"):
            message.error.CopyFrom(newest.error)
    if view.run is not None:
        message.provider, message.reconnects = view.run.provider, view.run.reconnects
        latest = view.run.latest
        if latest is not None:
            message.frame_time.CopyFrom(timestamp(view.run.wall_time(latest.frame.time)))
        if view.run.output_error is not None:
            message.output_state = types_pb2.OUTPUT_STATE_FAILED
    return message


def _progress(view: StreamView, newest: types_pb2.Job) -> float:
    """How far the film is seen; where max_fps leaves frames out, they are behind us all the same."""
    if newest.state == types_pb2.JOB_STATE_DONE:
        return 1.0
    latest = view.run.latest if view.run else None
    reached = max(newest.frames, latest.frame.index if latest else 0)
    return min(1.0, reached / newest.total_frames)


def health(value: HealthView, backlog: int) -> edge_pb2.GetHealthResponse:
    same = (
        "clock_synced cpu_ratio rss_bytes temperature_c disk_free_bytes journal_rows lost_records provider "
        "provider_wanted"
    )
    return edge_pb2.GetHealthResponse(
        time=timestamp(value.time),
        start_time=timestamp(value.start_time),
        problems=[edge_pb2.HealthProblem(code=one.code, message=one.message) for one in value.problems],
        backlog=backlog,
        **{name: getattr(value, name) for name in same.split()},
    )


def record(value: Record) -> record_pb2.Record:
    if isinstance(value.body, Event):
        return record_pb2.Record(event=event(value, value.body))
    return record_pb2.Record(summary=summary(value, value.body))


def event(value: Record, inner: Event) -> record_pb2.Event:
    same = "message place direction label track count known_count duration_s score"
    return record_pb2.Event(
        node=value.node,
        stream=value.stream,
        journal=value.journal,
        sequence=value.sequence,
        job_id=value.job_id,
        time=timestamp(inner.time),
        clock_synced=value.clock_synced,
        event_type=inner.event_type.value,
        severity=inner.severity.value,
        **{name: getattr(inner, name) for name in same.split()},
    )


def summary(value: Record, inner: Summary) -> record_pb2.Summary:
    return record_pb2.Summary(
        node=value.node,
        stream=value.stream,
        journal=value.journal,
        sequence=value.sequence,
        job_id=value.job_id,
        start_time=timestamp(inner.start_time),
        end_time=timestamp(inner.end_time),
        clock_synced=value.clock_synced,
        model=value.model,
        view=f"VIEW_{inner.view}",
        total_distance_m=None if inner.distance_m is None else inner.total_distance_m,
        zones={name: record_pb2.Summary.Zone(**asdict(zone)) for name, zone in inner.zones.items()},
        lines={name: record_pb2.Summary.Line(**asdict(line)) for name, line in inner.lines.items()},
        tracks=[record_pb2.SummaryTrack(**asdict(track)) for track in inner.tracks],
        **_plain(inner),
    )


def _plain(inner: Summary) -> dict[str, Any]:
    """The fields that have the same name and form on both sides."""
    same = (
        "period_s covered_s frames frames_dropped count count_mean count_error known_count count_off counts score_mean "
        "activity moving_ratio distance_bl distance_m distance_error_ratio spacing_bl longest_still_s id_switches "
        "total_animal_s total_distance_bl tracks_omitted"
    )
    return {name: getattr(inner, name) for name in same.split()}


def record_json(value: Record) -> str:
    """One line of JSON, as on MQTT: defaults printed, doubles rounded to 3 decimals."""
    return json.dumps(_rounded(_to_dict(getattr(record(value), value.kind))), ensure_ascii=False)


def _to_dict(message: Message) -> dict[str, Any]:
    return MessageToDict(message, always_print_fields_with_no_presence=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value


def tracks(value: Tracks, labels: Sequence[str], size: tuple[int, int]) -> list[track_pb2.Track]:
    """`size` is (height, width) in pixels; boxes come out as left, top, width, height, 0..1."""
    height, width = size
    return [
        track_pb2.Track(
            track=int(value.ids[i]),
            label=labels[int(value.classes[i])],
            score=float(value.scores[i]),
            age_s=float(value.ages[i]),
            box=_normalised(value.boxes[i].tolist(), width, height),
        )
        for i in range(len(value))
    ]


def _normalised(box: list[float], width: int, height: int) -> list[float]:
    left, top, right, bottom = box
    left, right = (min(max(x / width, 0.0), 1.0) for x in (left, right))
    top, bottom = (min(max(y / height, 0.0), 1.0) for y in (top, bottom))
    return [left, top, right - left, bottom - top]
