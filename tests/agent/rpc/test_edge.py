"""The five calls and what grew around them, on a real agent over a real channel."""

import hashlib
import json
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from agent_process import AgentProcess, reason_of

from agent.runtime import run_json
from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import types_pb2

HERD = "synthetic:herd?animals=5&fps=10&seconds=6&seed=3&width=320&height=240"
ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"
LONG = HERD.replace("seconds=6", "seconds=3600")
DONE, FAILED, CANCELLED, RUNNING = (
    types_pb2.JOB_STATE_DONE,
    types_pb2.JOB_STATE_FAILED,
    types_pb2.JOB_STATE_CANCELLED,
    types_pb2.JOB_STATE_RUNNING,
)


def fails(call: object, request: object) -> tuple[str, str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)  # type: ignore[operator]
    return reason_of(caught.value)


def test_the_five_calls_make_results(agent: AgentProcess) -> None:
    assert agent.edge.SetInput(pb.SetInputRequest(uri=HERD)).uri == HERD
    assert agent.edge.GetInput(pb.GetInputRequest()).uri == HERD
    output = agent.edge.SetOutput(pb.SetOutputRequest(uri="pen")).uri
    assert output == str(agent.output_root / "pen")
    assert agent.edge.GetOutput(pb.GetOutputRequest()).uri == output
    job = agent.edge.Compute(pb.ComputeRequest(wait=True)).job
    assert job.state == DONE, job
    assert (job.frames, job.total_frames, job.frames_dropped) == (60, 60, 0)
    assert job.output == f"{output}/{job.job_id}"
    names = {file.name for file in job.results}
    assert names == {
        "result.mp4",
        "tracks.txt",
        "classes.txt",
        "summaries.jsonl",
        "events.jsonl",
        "snapshot.jpg",
        "run.json",
    }
    for file in job.results:
        content = (Path(job.output) / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    rows = [line.split(",") for line in (Path(job.output) / "tracks.txt").read_text().splitlines()]
    assert {int(row[0]) for row in rows} <= set(range(1, 61))
    assert len({row[1] for row in rows}) >= 5


def test_progress_is_watched_to_the_end(agent: AgentProcess) -> None:
    job = agent.compute(HERD, wait=False)
    seen = [answer.job for answer in agent.edge.WatchJob(pb.WatchJobRequest(job_id=job.job_id), timeout=60)]
    assert seen[-1].state == DONE
    assert [each.frames for each in seen] == sorted(each.frames for each in seen)
    assert agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job == seen[-1]
    assert [each.job_id for each in agent.edge.ListJobs(pb.ListJobsRequest()).jobs] == [job.job_id]


def test_results_are_read_from_any_byte_on(agent: AgentProcess) -> None:
    job = agent.compute(HERD)
    for file in job.results:
        whole = (Path(job.output) / file.name).read_bytes()
        for offset in {0, min(1, len(whole)), len(whole) // 2, len(whole)}:
            request = pb.ReadResultRequest(job_id=job.job_id, name=file.name, offset=offset)
            pieces = list(agent.edge.ReadResult(request))
            assert b"".join(piece.data for piece in pieces) == whole[offset:]
            assert all(len(piece.data) <= 64 * 1024 for piece in pieces)
            assert {(piece.total_bytes, piece.sha256) for piece in pieces} == {(len(whole), file.sha256)}


def test_a_job_is_cancelled_and_what_it_wrote_is_kept(agent: AgentProcess) -> None:
    job = agent.compute(ENDLESS, wait=False)
    agent.await_state(job.job_id, RUNNING)
    assert fails(agent.edge.Compute, pb.ComputeRequest())[:2] == ("FAILED_PRECONDITION", "JOB_RUNNING")
    deadline = time.monotonic() + 30
    while not agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.frames:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    agent.edge.CancelJob(pb.CancelJobRequest())
    ended = agent.await_state(job.job_id, CANCELLED)
    assert ended.frames > 0
    assert not ended.HasField("error")
    assert "summaries.jsonl" in {file.name for file in ended.results}
    again = agent.edge.CancelJob(pb.CancelJobRequest(job_id=job.job_id)).job
    assert again.state == CANCELLED


def test_no_thread_is_left_behind_by_cancelled_jobs(agent: AgentProcess) -> None:
    assert agent.process is not None
    tasks = Path(f"/proc/{agent.process.pid}/task")

    def names() -> list[str]:
        """Of all but gRPC's own, which come and go with the machine's load."""
        found = []
        for task in tasks.iterdir():
            with suppress(OSError):  # it has just ended
                found.append((task / "comm").read_text().strip())
        return sorted(name for name in found if not name.startswith(("event_engine", "grpc_", "lifeguard")))

    agent.edge.SetInput(pb.SetInputRequest(uri=ENDLESS))
    counts = []
    for _ in range(4):
        job = agent.edge.Compute(pb.ComputeRequest()).job
        agent.await_state(job.job_id, RUNNING)
        agent.edge.CancelJob(pb.CancelJobRequest())
        agent.await_state(job.job_id, CANCELLED)
        time.sleep(0.3)
        counts.append(len(names()))
    deadline = time.monotonic() + 10
    # One may be of asyncio's pool, whose threads are used again; a leak would be one a job.
    while (left := len(names())) > counts[0] + 1:
        assert time.monotonic() < deadline, (counts, left, names())
        time.sleep(0.1)


def test_several_streams_run_side_by_side(agent: AgentProcess) -> None:
    jobs = [agent.compute(ENDLESS.replace("seed=1", f"seed={n}"), stream=f"pen{n}", wait=False) for n in range(3)]
    for job in jobs:
        agent.await_state(job.job_id, RUNNING)
    streams = agent.edge.ListStreams(pb.ListStreamsRequest()).streams
    assert [stream.stream for stream in streams] == ["main", "pen0", "pen1", "pen2"]
    assert [stream.state.state for stream in streams[1:]] == [RUNNING] * 3
    agent.edge.DeleteStream(pb.DeleteStreamRequest(stream="pen1"))
    agent.await_state(jobs[1].job_id, CANCELLED)
    assert fails(agent.edge.GetStream, pb.GetStreamRequest(stream="pen1"))[:2] == ("NOT_FOUND", "NO_STREAM")
    agent.edge.SetStream(pb.SetStreamRequest(stream="pen2", enabled=False))
    agent.await_state(jobs[2].job_id, CANCELLED)
    assert fails(agent.edge.Compute, pb.ComputeRequest(stream="pen2"))[1] == "STREAM_DISABLED"
    assert agent.edge.GetJob(pb.GetJobRequest(job_id=jobs[0].job_id)).job.state == RUNNING


def test_set_stream_changes_only_what_is_set_and_outlives_a_restart(agent: AgentProcess) -> None:
    agent.edge.SetStream(pb.SetStreamRequest(stream="pen", input=HERD, name="Pen 3", known_count=20, labels=["pig"]))
    answer = agent.edge.SetStream(pb.SetStreamRequest(stream="pen", known_count=0)).stream
    assert (answer.name, answer.known_count, list(answer.labels), answer.input) == ("Pen 3", 0, ["pig"], HERD)
    assert answer.origin["name"] == types_pb2.ORIGIN_COMMAND
    assert answer.origin["threshold"] == types_pb2.ORIGIN_SETTINGS
    agent.kill()
    agent.start()
    assert agent.edge.GetStream(pb.GetStreamRequest(stream="pen")).stream == answer
    cleared = agent.edge.SetStream(pb.SetStreamRequest(stream="pen", labels=["*"])).stream
    assert list(cleared.labels) == []


def test_a_label_that_the_model_does_not_know_is_told_at_once(agent: AgentProcess) -> None:
    agent.edge.SetInput(pb.SetInputRequest(uri=HERD))
    code, reason, told = fails(agent.edge.SetStream, pb.SetStreamRequest(labels=["pig", "pigg"]))
    assert (code, reason) == ("INVALID_ARGUMENT", "UNKNOWN_LABEL")
    assert "'pigg', but 'pig'" in told
    assert not agent.edge.GetStream(pb.GetStreamRequest()).stream.labels
    # The default model is not fetched yet: any label may be right.
    agent.edge.SetStream(pb.SetStreamRequest(stream="pen", input="rtsp://127.0.0.1:9/none", labels=["sheep"]))
    assert fails(agent.edge.SetInput, pb.SetInputRequest(stream="pen", uri=HERD))[1] == "UNKNOWN_LABEL"
    assert fails(agent.edge.SetStream, pb.SetStreamRequest(stream="pen", model="pig"))[1] == "UNKNOWN_LABEL"
    agent.edge.SetStream(pb.SetStreamRequest(stream="pen", model="pig", labels=["*"]))
    # Settings are read by no call: there Compute says it, and other changes are not held up.
    agent.stop()
    agent.config.write_text(f'{agent.config.read_text()}\n[streams.old]\ninput = "{HERD}"\nlabels = ["cow"]\n')
    agent.start()
    agent.edge.SetStream(pb.SetStreamRequest(stream="old", name="Old pen"))
    assert fails(agent.edge.Compute, pb.ComputeRequest(stream="old"))[:2] == ("INVALID_ARGUMENT", "UNKNOWN_LABEL")
    assert not agent.edge.ListJobs(pb.ListJobsRequest(stream="old")).jobs


def test_progress_is_that_of_the_film_where_frames_are_left_out(agent: AgentProcess) -> None:
    agent.edge.SetStream(pb.SetStreamRequest(input=HERD, max_fps=5))
    agent.edge.Compute(pb.ComputeRequest(wait=True), timeout=60)
    state = agent.edge.GetStream(pb.GetStreamRequest()).stream.state
    assert (state.state, state.progress) == (DONE, 1.0)
    agent.edge.SetStream(pb.SetStreamRequest(input=HERD.replace("seconds=6", "seconds=3600"), max_fps=1))
    job = agent.edge.Compute(pb.ComputeRequest()).job
    deadline = time.monotonic() + 60
    before, now = job, state
    while before.frames < 5:
        assert time.monotonic() < deadline, now
        time.sleep(0.02)
        before = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
        now = agent.edge.GetStream(pb.GetStreamRequest()).stream.state
    agent.edge.CancelJob(pb.CancelJobRequest())
    assert now.progress > 5 * before.frames / before.total_frames


def test_a_killed_agent_fails_the_job_and_keeps_what_was_written(agent: AgentProcess) -> None:
    job = agent.compute(LONG, wait=False)
    while agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.frames < 150:
        time.sleep(0.05)
    agent.kill()
    agent.start()
    after = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
    assert (after.state, after.error.reason) == (FAILED, "AGENT_RESTARTED")
    assert after.frames >= 100, "the frames of the windows that were told"
    deadline = time.monotonic() + 10
    while not after.results and time.monotonic() < deadline:
        time.sleep(0.05)
        after = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
    assert {"tracks.txt", "summaries.jsonl"} <= {file.name for file in after.results}
    ids = {
        int(row.split(",")[1])
        for row in (Path(job.output) / "tracks.txt").read_text().splitlines()
        if row.count(",") == 8
    }
    second = agent.compute(HERD)
    later = {int(row.split(",")[1]) for row in (Path(second.output) / "tracks.txt").read_text().splitlines()}
    assert ids
    assert later
    assert not ids & later, "a track id was used again"


def test_the_folder_of_a_killed_job_is_finished_at_the_next_start(agent: AgentProcess) -> None:
    agent.edge.SetStream(pb.SetStreamRequest(input=LONG, known_count=5, summary_period_s=0.5))
    job = agent.edge.Compute(pb.ComputeRequest()).job
    folder, deadline = Path(job.output), time.monotonic() + 60
    while agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.frames < 50:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads((folder / "run.json").read_text())["state"] == "RUNNING"
    agent.kill()
    assert (folder / ".result.part.mp4").exists()
    (folder / ".run.json.part").write_text("{")
    agent.start()
    after = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
    while not after.results:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        after = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
    told = run_json.read(folder / "run.json")
    assert (told["state"], told["error"]["reason"], told["frames"]) == ("FAILED", "AGENT_RESTARTED", after.frames)
    assert told["end_time"] > told["start_time"]
    assert (told["settings"]["known_count"], told["model"]["label"]) == (5, after.model)
    assert told["tracks"] == len({row.split(",")[1] for row in (folder / "tracks.txt").read_text().splitlines()}) > 0
    left = {path.name for path in folder.iterdir()}
    assert left == {file.name for file in after.results} == set(told["results"]) | {"run.json"}
    assert "result.mp4" not in left, "without its index a film cannot be played"
    for file in after.results:
        content = (folder / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)


def test_a_camera_job_starts_again_as_a_new_one_after_a_kill(agent: AgentProcess) -> None:
    job = agent.compute(ENDLESS, wait=False)
    agent.await_state(job.job_id, RUNNING)
    agent.kill()
    agent.start()
    old = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job
    assert (old.state, old.error.reason) == (FAILED, "AGENT_RESTARTED")
    newest = agent.edge.ListJobs(pb.ListJobsRequest(limit=1)).jobs[0]
    assert newest.job_id != job.job_id
    agent.await_state(newest.job_id, RUNNING)


def test_sigterm_ends_the_agent_cleanly_in_the_middle_of_a_job(agent: AgentProcess) -> None:
    job = agent.compute(ENDLESS, wait=False)
    agent.await_state(job.job_id, RUNNING)
    assert agent.stop() == 0
    assert "Traceback" not in agent.log()
    agent.start()


def test_a_repeated_request_id_does_nothing_again(agent: AgentProcess) -> None:
    agent.edge.SetInput(pb.SetInputRequest(uri=HERD))
    request = pb.ComputeRequest(wait=True, request_id="a")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(agent.edge.Compute(request, timeout=60).job)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    assert {job.job_id for job in answers} == {answers[0].job_id}
    agent.kill()
    agent.start()
    assert agent.edge.Compute(request, timeout=60).job.job_id == answers[0].job_id
    assert len(agent.edge.ListJobs(pb.ListJobsRequest()).jobs) == 1
    code, reason, _ = fails(agent.edge.Compute, pb.ComputeRequest(request_id="a"))
    assert (code, reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")


def test_a_failed_command_is_not_remembered(agent: AgentProcess) -> None:
    request = pb.ComputeRequest(request_id="x", wait=True)
    assert fails(agent.edge.Compute, request)[1] == "NO_INPUT"
    agent.edge.SetInput(pb.SetInputRequest(uri=HERD))
    assert agent.edge.Compute(request, timeout=60).job.state == DONE


def test_the_socket_is_for_owner_and_group(shared_agent: AgentProcess) -> None:
    assert stat.S_IMODE(shared_agent.socket.stat().st_mode) == 0o660


def test_the_node_describes_itself(shared_agent: AgentProcess) -> None:
    health = shared_agent.edge.GetHealth(pb.GetHealthRequest())
    assert 0 <= health.cpu_ratio <= 1
    assert 1e7 < health.rss_bytes < 1e10
    assert health.disk_free_bytes > 0
    assert health.provider_wanted == "auto"
    assert health.time.ToSeconds() >= health.start_time.ToSeconds() > 1e9
    assert ("CLOCK_NOT_SYNCED" in {problem.code for problem in health.problems}) is not health.clock_synced
    node = shared_agent.edge.GetNode(pb.GetNodeRequest())
    assert node.id == "n1"
    assert node.version != ""
    assert node.hardware.cpu_count >= 1
    assert node.hardware.memory_bytes > 1e8
    assert {"deepsort", "herd", "sort"} <= set(node.trackers)
    assert {"file", "http", "images", "rtsp", "synthetic"} <= set(node.schemes)
    assert len(node.journal) == 8
    assert node.limits.list_limit == 1000


@pytest.mark.parametrize(
    ("method", "request_", "code", "reason"),
    [
        ("SetInput", pb.SetInputRequest(uri=""), "INVALID_ARGUMENT", "NO_URI"),
        ("SetInput", pb.SetInputRequest(uri="{folder}/none.mp4"), "NOT_FOUND", "INPUT_NOT_FOUND"),
        ("SetInput", pb.SetInputRequest(uri="{folder}"), "INVALID_ARGUMENT", "INPUT_IS_DIRECTORY"),
        ("SetInput", pb.SetInputRequest(uri="/etc/passwd"), "PERMISSION_DENIED", "OUTSIDE_MEDIA_ROOTS"),
        ("SetInput", pb.SetInputRequest(uri="{folder}/../../x.mp4"), "PERMISSION_DENIED", "OUTSIDE_MEDIA_ROOTS"),
        ("SetInput", pb.SetInputRequest(uri="gopher://x/y"), "INVALID_ARGUMENT", "UNKNOWN_INPUT_SCHEME"),
        ("SetInput", pb.SetInputRequest(uri="rtsp://me:***@10.0.0.1/"), "FAILED_PRECONDITION", "MASKED_URI"),
        ("SetInput", pb.SetInputRequest(stream="a b", uri=HERD), "INVALID_ARGUMENT", "BAD_STREAM"),
        ("SetOutput", pb.SetOutputRequest(uri="/etc"), "PERMISSION_DENIED", "OUTSIDE_OUTPUT_ROOT"),
        ("SetOutput", pb.SetOutputRequest(uri="../x"), "PERMISSION_DENIED", "OUTSIDE_OUTPUT_ROOT"),
        ("SetOutput", pb.SetOutputRequest(uri="s3://bucket/x"), "INVALID_ARGUMENT", "BAD_OUTPUT"),
        ("Compute", pb.ComputeRequest(), "FAILED_PRECONDITION", "NO_INPUT"),
        ("Compute", pb.ComputeRequest(stream="nosuch"), "NOT_FOUND", "NO_STREAM"),
        ("GetJob", pb.GetJobRequest(job_id="7"), "NOT_FOUND", "NO_JOB"),
        ("CancelJob", pb.CancelJobRequest(job_id="7"), "NOT_FOUND", "NO_JOB"),
        ("CancelJob", pb.CancelJobRequest(), "NOT_FOUND", "NO_JOB"),
        ("ListJobs", pb.ListJobsRequest(limit=-1), "INVALID_ARGUMENT", "BAD_LIMIT"),
        ("GetStream", pb.GetStreamRequest(stream="nosuch"), "NOT_FOUND", "NO_STREAM"),
        ("SetStream", pb.SetStreamRequest(stream="nosuch", name="x"), "NOT_FOUND", "NO_STREAM"),
        ("SetStream", pb.SetStreamRequest(tracker="magic"), "INVALID_ARGUMENT", "UNKNOWN_TRACKER"),
        ("SetStream", pb.SetStreamRequest(model="nosuch"), "NOT_FOUND", "MODEL_NOT_FOUND"),
        ("SetStream", pb.SetStreamRequest(threshold=1.5), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetStream", pb.SetStreamRequest(threshold=float("nan")), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetStream", pb.SetStreamRequest(known_count=-1), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetStream", pb.SetStreamRequest(max_fps=-1), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetStream", pb.SetStreamRequest(summary_period_s=0), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetStream", pb.SetStreamRequest(name="x" * 1000), "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetInput", pb.SetInputRequest(uri=HERD, request_id="x" * 129), "INVALID_ARGUMENT", "BAD_REQUEST_ID"),
    ],
)  # fmt: skip
def test_bad_requests_say_what_to_do(
    shared_agent: AgentProcess, method: str, request_: object, code: str, reason: str
) -> None:
    if getattr(request_, "uri", "").startswith("{folder}"):
        request_ = pb.SetInputRequest(uri=request_.uri.format(folder=shared_agent.folder))  # type: ignore[attr-defined]
    told = fails(getattr(shared_agent.edge, method), request_)
    assert told[:2] == (code, reason)
    assert 15 < len(told[2]) < 400
    assert "Traceback" not in told[2]


def test_a_camera_cannot_be_waited_for(agent: AgentProcess) -> None:
    agent.edge.SetInput(pb.SetInputRequest(uri=ENDLESS))
    assert fails(agent.edge.Compute, pb.ComputeRequest(wait=True))[:2] == ("INVALID_ARGUMENT", "ENDLESS_INPUT")
    assert not agent.edge.ListJobs(pb.ListJobsRequest()).jobs


@pytest.mark.parametrize(
    "content", [b"", b"this is no video\n" * 100, bytes(range(256)) * 40], ids=["empty", "text", "noise"]
)
def test_a_file_that_is_no_video_fails_the_job_and_the_agent_goes_on(agent: AgentProcess, content: bytes) -> None:
    (agent.folder / "bad.mp4").write_bytes(content)
    job = agent.compute(str(agent.folder / "bad.mp4"))
    assert job.state == FAILED
    assert (job.error.code, job.error.reason) == ("INVALID_ARGUMENT", "INPUT_UNREADABLE")
    assert agent.compute(HERD).state == DONE


def test_a_truncated_video_keeps_what_was_read_and_says_so(agent: AgentProcess) -> None:
    whole = agent.folder / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    noise = np.random.default_rng(1)
    for _ in range(100):
        writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    (agent.folder / "cut.avi").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    agent.edge.SetStream(pb.SetStreamRequest(model="scripted"))
    job = agent.compute(str(agent.folder / "cut.avi"))
    assert (job.state, job.error.reason) == (FAILED, "INPUT_TRUNCATED")
    assert 30 < job.frames < 70
    assert {"result.mp4", "summaries.jsonl"} <= {file.name for file in job.results}


def test_an_unwritable_output_is_refused(agent: AgentProcess) -> None:
    agent.output_root.mkdir(exist_ok=True)
    (agent.output_root / "file").write_text("in the way")
    told = fails(agent.edge.SetOutput, pb.SetOutputRequest(uri="file/below"))
    assert told[:2] == ("FAILED_PRECONDITION", "OUTPUT_NOT_WRITABLE")


def test_a_password_never_comes_back(agent: AgentProcess) -> None:
    secret = "canary-5up3r"
    uri = f"rtsp://user:{secret}@127.0.0.1:9/s"
    answer = agent.edge.SetInput(pb.SetInputRequest(uri=uri))
    assert answer.uri == "rtsp://user:***@127.0.0.1:9/s"
    again = agent.edge.SetInput(pb.SetInputRequest(uri=answer.uri))
    assert again.uri == answer.uri
    job = agent.edge.Compute(pb.ComputeRequest()).job
    told = agent.await_state(job.job_id, types_pb2.JOB_STATE_RECONNECTING)
    assert told.error.code == "UNAVAILABLE"
    everything = [
        str(agent.edge.ListStreams(pb.ListStreamsRequest())),
        str(agent.edge.ListJobs(pb.ListJobsRequest())),
        str(told),
        agent.log(),
    ]
    assert not [text for text in everything if secret in text]
    agent.edge.CancelJob(pb.CancelJobRequest())
    agent.await_state(job.job_id, CANCELLED)


def test_a_message_that_is_too_big_is_refused_and_the_agent_goes_on(shared_agent: AgentProcess) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_agent.edge.SetInput(pb.SetInputRequest(uri="x" * 10_000_000), timeout=30)
    code, reason, message = reason_of(caught.value)
    assert (code, reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert "a request has at most 8388608 bytes" in message
    with pytest.raises(grpc.RpcError) as caught:
        shared_agent.edge.SetInput(pb.SetInputRequest(uri="x" * 20_000_000), timeout=30)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert shared_agent.edge.GetNode(pb.GetNodeRequest()).id == "n1"


def test_an_unknown_method_is_unimplemented(shared_agent: AgentProcess) -> None:
    with grpc.insecure_channel(f"unix:{shared_agent.socket}") as channel:
        for method in ("herdlink.v1.EdgeService/Nonsense", "herdlink.v1.NoService/GetInput"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/{method}")(b"", timeout=10)
            assert reason_of(caught.value)[:2] == ("UNIMPLEMENTED", "UNKNOWN_METHOD")
            with pytest.raises(grpc.RpcError) as caught:
                list(channel.unary_stream(f"/{method}")(b"", timeout=10))
            assert reason_of(caught.value)[:2] == ("UNIMPLEMENTED", "UNKNOWN_METHOD")


@pytest.mark.parametrize(
    "service_method", ["EdgeService/GetInput", "EdgeService/WatchJob", "RecordService/WatchRecords"]
)
def test_bytes_that_are_no_message_are_refused(shared_agent: AgentProcess, service_method: str) -> None:
    with grpc.insecure_channel(f"unix:{shared_agent.socket}") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            list(channel.unary_stream(f"/herdlink.v1.{service_method}")(b"\xff\xff\xff", timeout=10))
        assert reason_of(caught.value)[:2] == ("INVALID_ARGUMENT", "BAD_MESSAGE")
    assert "Traceback" not in shared_agent.log()
