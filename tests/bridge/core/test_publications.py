from __future__ import annotations

import json

import pytest

from bridge.core.publications import (
    consumer,
    health_is_due,
    health_payload,
    is_live,
    is_passing,
    job_is_due,
    record_payload,
    snapshot_is_due,
    state_is_due,
)
from herdlink.v1 import edge_pb2, record_pb2, types_pb2

RUNNING = types_pb2.StreamState(stream="main", state=types_pb2.JOB_STATE_RUNNING, job_id="j-1", fps=10)
DONE = types_pb2.StreamState(stream="main", state=types_pb2.JOB_STATE_DONE, job_id="j-1", fps=10)


def test_a_change_of_state_is_told_at_once_and_figures_now_and_then() -> None:
    faster = types_pb2.StreamState()
    faster.CopyFrom(RUNNING)
    faster.fps = 11
    assert state_is_due(None, RUNNING, 0)
    assert not state_is_due(RUNNING, RUNNING, 1000)
    assert not state_is_due(RUNNING, faster, 9.9)
    assert state_is_due(RUNNING, faster, 10)
    assert state_is_due(RUNNING, DONE, 0)


def test_a_job_is_told_until_its_end_was_told() -> None:
    ended = types_pb2.Job(job_id="j-1", state=types_pb2.JOB_STATE_DONE)
    assert job_is_due(None, RUNNING)
    assert job_is_due(types_pb2.Job(job_id="j-1", state=types_pb2.JOB_STATE_RUNNING), DONE)
    assert not job_is_due(ended, DONE)
    assert job_is_due(types_pb2.Job(job_id="j-0", state=types_pb2.JOB_STATE_DONE), RUNNING)


def test_a_picture_is_due_now_and_then_and_once_at_the_end() -> None:
    assert snapshot_is_due(RUNNING, age_s=60, period_s=60, last_job="")
    assert not snapshot_is_due(RUNNING, age_s=59, period_s=60, last_job="")
    assert snapshot_is_due(DONE, age_s=0, period_s=60, last_job="")
    assert not snapshot_is_due(DONE, age_s=1000, period_s=60, last_job="j-1")
    assert not snapshot_is_due(types_pb2.StreamState(stream="main"), age_s=1000, period_s=60, last_job="")


def test_a_record_goes_out_as_its_own_fields() -> None:
    record = record_pb2.Record(summary=record_pb2.Summary(stream="main", sequence=3))
    assert json.loads(record_payload(record))["sequence"] == 3
    gap = record_pb2.Record(gap=record_pb2.Gap(first=1, last=2))
    assert json.loads(record_payload(gap)) == {"gap": {"first": 1, "last": 2}}


def test_each_base_has_a_place_of_its_own() -> None:
    assert consumer("herdlink") == "mqtt-herdlink"
    assert consumer("farm7/herdlink") == "mqtt-farm7-herdlink"
    assert len(consumer("x" * 300)) == 128


def test_only_the_newest_summary_and_what_has_just_happened_is_live() -> None:
    summary = record_pb2.Record(summary=record_pb2.Summary(sequence=3))
    assert is_live(record_pb2.WatchRecordsResponse(record=summary, newest=3), 0)
    assert not is_live(record_pb2.WatchRecordsResponse(record=summary, newest=4), 0)
    assert not is_live(record_pb2.WatchRecordsResponse(record=summary, newest=3, repeat=True), 0)
    event = record_pb2.Record(event=record_pb2.Event(sequence=3))
    event.event.time.FromMilliseconds(1_000_500)
    answer = record_pb2.WatchRecordsResponse(record=event, newest=9)
    assert is_live(answer, 1030.0)
    assert not is_live(answer, 1031.0)
    # Events of a film lie ahead where it is looked at faster than it was taken.
    assert is_live(answer, 900.0)
    gap = record_pb2.Record(gap=record_pb2.Gap(first=1, last=3))
    assert not is_live(record_pb2.WatchRecordsResponse(record=gap, newest=3), 0)


def test_health_is_told_when_its_problems_change_and_every_minute() -> None:
    fine = edge_pb2.GetHealthResponse(cpu_ratio=0.1)
    busy = edge_pb2.GetHealthResponse(cpu_ratio=0.9)
    low = edge_pb2.GetHealthResponse(problems=[edge_pb2.HealthProblem(code="DISK_LOW", message="m")])
    assert health_is_due(None, fine, 0)
    assert not health_is_due(fine, busy, 59)
    assert health_is_due(fine, busy, 60)
    assert health_is_due(fine, low, 0)
    assert health_is_due(low, fine, 0)
    told = json.loads(health_payload(low, 2))
    assert told["brokerReconnects"] == 2
    assert told["problems"] == [{"code": "DISK_LOW", "message": "m"}]
    assert {"cpuRatio", "rssBytes", "diskFreeBytes", "journalRows", "lostRecords", "backlog"} <= set(told)
    assert {"clockSynced", "provider", "providerWanted"} <= set(told)
    assert "temperatureC" not in told


@pytest.mark.parametrize(
    ("stream", "passing"),
    [("analyze-barn-2-0f3a9c", True), ("analyze-peer-000000", True), ("analyze-pen3", False), ("pen-0f3a9c", False)],
)
def test_a_passing_stream_is_known_by_its_name(stream: str, passing: bool) -> None:
    assert is_passing(stream) is passing
