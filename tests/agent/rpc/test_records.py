"""Records over a real channel: numbers without gaps, places kept, live after the past."""

import json
import threading
import time
from pathlib import Path

import grpc
import pytest
from agent_process import AgentProcess, reason_of
from google.protobuf.json_format import MessageToDict

from herdlink.v1 import edge_pb2, track_pb2, types_pb2
from herdlink.v1 import record_pb2 as pb

HERD = "synthetic:herd?animals=5&fps=10&seconds=25&seed=3&width=320&height=240"
ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"


def list_records(agent: AgentProcess, **request: object) -> pb.ListRecordsResponse:
    return agent.record.ListRecords(pb.ListRecordsRequest(**request))  # type: ignore[arg-type]


def test_a_files_windows_are_kept_in_order_with_the_last_partial_one(agent: AgentProcess) -> None:
    job = agent.compute(HERD)
    answer = list_records(agent)
    records = [record.summary for record in answer.records]
    assert [record.sequence for record in records] == [1, 2, 3] == list(range(1, answer.newest + 1))
    assert {(r.node, r.stream, r.job_id, r.journal) for r in records} == {("n1", "main", job.job_id, answer.journal)}
    assert sum(record.frames for record in records) == job.frames == 250
    assert [round(record.period_s) for record in records] == [10, 10, 5]
    assert records[0].end_time == records[1].start_time
    assert all(record.count == 5 for record in records)
    assert records[-1].total_animal_s == pytest.approx(125, rel=0.1)
    lines = (Path(job.output) / "summaries.jsonl").read_text().splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 2, 3]
    first = MessageToDict(records[0], always_print_fields_with_no_presence=True)
    assert set(json.loads(lines[0])) == set(first)


def test_events_have_a_log_of_their_own_which_is_watched_live(agent: AgentProcess) -> None:
    watch = agent.record.WatchRecords(pb.WatchRecordsRequest(kind=pb.RECORD_KIND_EVENT, consumer="c"), timeout=60)
    job = agent.compute(HERD)
    answer = next(iter(watch))
    watch.cancel()
    event = answer.record.event
    assert (event.node, event.stream, event.sequence, event.job_id) == ("n1", "main", 1, job.job_id)
    assert (event.event_type, event.severity) == ("job_ended", "info")
    assert event.message == "the job is done after 250 frames"
    assert event.time.ToSeconds() == pytest.approx(time.time(), abs=60)
    assert event.journal == list_records(agent).journal
    assert [record.event for record in list_records(agent, kind=pb.RECORD_KIND_EVENT).records] == [event]
    shown = MessageToDict(event, always_print_fields_with_no_presence=True)
    assert shown["event_type"] == "job_ended"
    assert list_records(agent, stream="@node", kind=pb.RECORD_KIND_EVENT).newest == 0
    assert (Path(job.output) / "events.jsonl").read_text() == ""


def test_a_stream_that_never_was_is_told_from_one_that_is_gone(agent: AgentProcess) -> None:
    for call in (agent.record.ListRecords, lambda request: next(iter(agent.record.WatchRecords(request, timeout=30)))):
        request = pb.ListRecordsRequest if call == agent.record.ListRecords else pb.WatchRecordsRequest
        with pytest.raises(grpc.RpcError) as caught:
            call(request(stream="nosuch"))
        assert reason_of(caught.value)[:2] == ("NOT_FOUND", "NO_STREAM")
    job = agent.compute(HERD, stream="pen")
    agent.edge.DeleteStream(edge_pb2.DeleteStreamRequest(stream="pen"))
    assert list_records(agent, stream="pen").newest == 3
    assert list_records(agent, stream="pen", kind=pb.RECORD_KIND_EVENT).newest == 1
    jobs = agent.edge.ListJobs(edge_pb2.ListJobsRequest(stream="pen")).jobs
    assert [each.job_id for each in jobs] == [job.job_id]


def test_a_watch_ends_with_the_stream_once_all_is_told(agent: AgentProcess) -> None:
    agent.edge.SetStream(edge_pb2.SetStreamRequest(stream="pen", input=ENDLESS, summary_period_s=0.5))
    agent.edge.SetStream(edge_pb2.SetStreamRequest(stream="barn", input=ENDLESS, summary_period_s=0.5))
    kinds = (pb.RECORD_KIND_SUMMARY, pb.RECORD_KIND_EVENT)
    watches = [
        agent.record.WatchRecords(pb.WatchRecordsRequest(stream="pen", kind=kind, after_sequence=0), timeout=60)
        for kind in kinds
    ]
    other = agent.record.WatchRecords(pb.WatchRecordsRequest(stream="barn"), timeout=60)
    node = agent.record.WatchRecords(pb.WatchRecordsRequest(stream="@node", kind=pb.RECORD_KIND_EVENT), timeout=60)
    for stream in ("pen", "barn"):
        agent.edge.Compute(edge_pb2.ComputeRequest(stream=stream))
    got = [[next(watches[0]).record], []]
    agent.edge.DeleteStream(edge_pb2.DeleteStreamRequest(stream="pen"))
    for records, watch in zip(got, watches, strict=True):
        with pytest.raises(grpc.RpcError) as caught:
            for answer in watch:
                records.append(answer.record)
        assert reason_of(caught.value)[:2] == ("NOT_FOUND", "NO_STREAM")
    assert got[0] == list(list_records(agent, stream="pen").records), "the last window too"
    assert [record.event.event_type for record in got[1]] == ["job_ended"]
    assert next(other).record.summary.stream == "barn"
    assert node.is_active(), "the node stays"
    # Of a stream that is gone the past can still be had; there is nothing to wait for.
    past = agent.record.WatchRecords(pb.WatchRecordsRequest(stream="pen", after_sequence=0), timeout=60)
    assert next(past).record == got[0][0]
    with pytest.raises(grpc.RpcError) as caught:
        list(past)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_watch_goes_on_where_the_settings_keep_the_stream(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, more=f'[streams.pen]\ninput = "{HERD}"\n').start()
    try:
        watch = agent.record.WatchRecords(pb.WatchRecordsRequest(stream="pen"), timeout=60)
        frames = agent.track.WatchTracks(track_pb2.WatchTracksRequest(stream="pen"), timeout=60)
        agent.edge.SetStream(edge_pb2.SetStreamRequest(stream="pen", name="Pen 3"))
        agent.edge.DeleteStream(edge_pb2.DeleteStreamRequest(stream="pen"))
        assert agent.edge.GetStream(edge_pb2.GetStreamRequest(stream="pen")).stream.name == ""
        agent.edge.Compute(edge_pb2.ComputeRequest(stream="pen"))
        assert next(watch).record.summary.sequence == 1
        assert next(frames).stream == "pen"
    finally:
        agent.stop()


def test_a_second_job_goes_on_counting(agent: AgentProcess) -> None:
    agent.compute(HERD)
    agent.kill()
    agent.start()
    agent.compute(HERD)
    records = [record.summary for record in list_records(agent).records]
    assert [record.sequence for record in records] == [1, 2, 3, 4, 5, 6]
    totals = [record.total_animal_s for record in records]
    assert totals == sorted(totals)
    assert totals[-1] == pytest.approx(2 * totals[2], rel=0.05)


def test_a_watcher_gets_the_past_and_then_what_comes(agent: AgentProcess) -> None:
    agent.compute(HERD)
    got: list[int] = []
    live: list[bool] = []
    watch = agent.record.WatchRecords(pb.WatchRecordsRequest(after_sequence=1))

    def read() -> None:
        try:
            for answer in watch:
                got.append(answer.record.summary.sequence)
                live.append(answer.newest == got[-1])
        except grpc.RpcError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    agent.compute(HERD)
    deadline = time.monotonic() + 20
    while len(got) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    watch.cancel()
    reader.join()
    assert got == [2, 3, 4, 5, 6]
    assert live[-1]


def test_a_consumer_goes_on_where_it_acknowledged_even_after_a_kill(agent: AgentProcess) -> None:
    agent.compute(HERD)
    journal = list_records(agent).journal

    def first() -> int:
        watch = agent.record.WatchRecords(pb.WatchRecordsRequest(consumer="c"))
        sequence = next(iter(watch)).record.summary.sequence
        watch.cancel()
        return int(sequence)

    assert first() == 1
    ack = pb.AckRecordsRequest(consumer="c", kind=pb.RECORD_KIND_SUMMARY, journal=journal, sequence=2)
    assert agent.record.AckRecords(ack).sequence == 2
    agent.kill()
    agent.start()
    assert first() == 3
    ack.sequence = 1
    assert agent.record.AckRecords(ack).sequence == 2
    ack.sequence = 99
    with pytest.raises(grpc.RpcError) as caught:
        agent.record.AckRecords(ack)
    assert reason_of(caught.value)[1] == "NOT_WRITTEN"
    ack.journal = "00000000"
    with pytest.raises(grpc.RpcError) as caught:
        agent.record.AckRecords(ack)
    assert reason_of(caught.value)[:2] == ("FAILED_PRECONDITION", "OTHER_JOURNAL")


def test_a_reader_that_comes_too_late_is_told_how_much_it_has_lost(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, more="[journal]\nrecords = 1000\n").start()
    try:
        watch = agent.record.WatchRecords(pb.WatchRecordsRequest(consumer="c"))
        agent.edge.SetStream(edge_pb2.SetStreamRequest(input=HERD, summary_period_s=0.05))
        agent.compute(HERD.replace("fps=10&seconds=25", "fps=20&seconds=3"))
        assert next(iter(watch)).record.summary.sequence == 1
        watch.cancel()
        agent.compute(HERD.replace("fps=10&seconds=25", "fps=20&seconds=73"))
        late = agent.record.WatchRecords(pb.WatchRecordsRequest(consumer="c"))
        gap = next(iter(late)).record.gap
        late.cancel()
        assert (gap.first, gap.last) == (1, 500)
        assert agent.edge.GetHealth(edge_pb2.GetHealthRequest(consumer="c")).backlog == 1520
        journal = list_records(agent).journal
        ack = pb.AckRecordsRequest(consumer="c", kind=pb.RECORD_KIND_SUMMARY, journal=journal, sequence=1520)
        agent.record.AckRecords(ack)
        told = [record.event for record in list_records(agent, kind=pb.RECORD_KIND_EVENT).records]
        gaps = [event for event in told if event.event_type == "broker_gap"]
        assert [(event.count, event.severity) for event in gaps] == [(500, "warning")]
        assert gaps[0].message == "500 of this stream's summaries were trimmed before c had read them"
        health = agent.edge.GetHealth(edge_pb2.GetHealthRequest(consumer="c"))
        assert (health.lost_records, health.backlog) == (500, 0)
    finally:
        agent.stop()


def test_pages_join_without_a_seam(agent: AgentProcess) -> None:
    agent.edge.SetStream(edge_pb2.SetStreamRequest(summary_period_s=0.5))
    agent.compute(HERD)
    got: list[int] = []
    while True:
        page = list_records(agent, after_sequence=got[-1] if got else 0, limit=7)
        if not page.records:
            break
        got += [record.summary.sequence for record in page.records]
    assert got == list(range(1, 51))


def test_a_camera_that_is_away_sends_blind_windows(agent: AgentProcess) -> None:
    agent.edge.SetStream(
        edge_pb2.SetStreamRequest(input="rtsp://127.0.0.1:9/none", summary_period_s=0.5, model="scripted")
    )
    job = agent.edge.Compute(edge_pb2.ComputeRequest()).job
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RECONNECTING)
    deadline = time.monotonic() + 30
    while not (lost := list_records(agent, kind=pb.RECORD_KIND_EVENT).records) or list_records(agent).newest < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    records = [record.summary for record in list_records(agent).records]
    assert all((record.covered_s, record.frames, record.count) == (0, 0, 0) for record in records)
    assert [(record.event.event_type, record.event.severity) for record in lost] == [("camera_lost", "warning")]
    assert lost[0].event.message.startswith("no pictures any more: ")


def test_what_befalls_jobs_is_told(agent: AgentProcess) -> None:
    agent.compute(HERD)
    endless = "synthetic:herd?animals=5&fps=10&seconds=36000&seed=3&width=320&height=240"
    job = agent.compute(endless, wait=False)
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RUNNING)
    agent.kill()
    agent.start()
    agent.edge.Compute(edge_pb2.ComputeRequest())
    agent.edge.CancelJob(edge_pb2.CancelJobRequest())
    deadline = time.monotonic() + 30
    while len(events := list_records(agent, kind=pb.RECORD_KIND_EVENT).records) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    told = [(record.event.event_type, record.event.severity) for record in events]
    assert told == [("job_ended", "info"), ("job_failed", "warning"), ("job_ended", "info")]
    assert events[1].event.job_id == job.job_id
    assert "the agent stopped in the middle" in events[1].event.message
    assert "was cancelled" in events[2].event.message
