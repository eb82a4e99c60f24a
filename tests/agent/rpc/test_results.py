"""ReadResult: what a peer on another machine can rely on."""

import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from agent_process import AgentProcess, reason_of
from job_files import job_that_left, result, running_job

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1.types_pb2 import Job

PIECE_BYTES = 64 * 1024
NOISE = random.Random(1).randbytes(3_000_001)
LARGE_BYTES = 200_000_000
SLOWEST = 10e6
"""Bytes a second that a busy machine of two cores reaches all the same; an idle one makes 300e6 to 500e6."""


@pytest.fixture(scope="module")
def ended(shared_agent: AgentProcess) -> Job:
    return job_that_left(
        shared_agent, {"noise.bin": NOISE, "even.bin": NOISE[: 2 * PIECE_BYTES], "empty.txt": b"", "one.txt": b"x"}
    )


@pytest.fixture(scope="module")
def large(shared_agent: AgentProcess) -> Job:
    return job_that_left(shared_agent, {"large.bin": LARGE_BYTES})


def read(agent: AgentProcess, job: Job, name: str, offset: float = 0) -> list[pb.ReadResultResponse]:
    request = pb.ReadResultRequest(job_id=job.job_id, name=name, offset=offset)
    return list(agent.edge.ReadResult(request, timeout=60))


def refused(agent: AgentProcess, job_id: str, name: str, offset: float = 0) -> tuple[str, str, str]:
    request = pb.ReadResultRequest(job_id=job_id, name=name, offset=offset)
    with pytest.raises(grpc.RpcError) as caught:
        list(agent.edge.ReadResult(request, timeout=60))
    return reason_of(caught.value)


@pytest.mark.parametrize("offset", [0, 1, PIECE_BYTES, 16 * PIECE_BYTES - 1, 16 * PIECE_BYTES, 2_999_999, 3_000_001])
def test_a_transfer_goes_on_from_any_byte(shared_agent: AgentProcess, ended: Job, offset: int) -> None:
    pieces = read(shared_agent, ended, "noise.bin", offset)
    assert b"".join(piece.data for piece in pieces) == NOISE[offset:]
    expected = offset
    for piece in pieces:
        assert piece.offset == expected
        assert len(piece.data) <= PIECE_BYTES
        assert (piece.total_bytes, piece.sha256) == (len(NOISE), hashlib.sha256(NOISE).hexdigest())
        expected += len(piece.data)


@pytest.mark.parametrize(("name", "size", "pieces"), [("empty.txt", 0, 1), ("one.txt", 1, 1), ("even.bin", 131072, 2)])
def test_small_and_even_sizes_end_where_they_should(
    shared_agent: AgentProcess, ended: Job, name: str, size: int, pieces: int
) -> None:
    got = read(shared_agent, ended, name)
    assert [len(got), sum(len(piece.data) for piece in got), got[-1].total_bytes] == [pieces, size, size]
    assert got[0].sha256 == hashlib.sha256(b"".join(piece.data for piece in got)).hexdigest()


@pytest.mark.parametrize("offset", [3_000_002, 1e300, -1, 0.5, float("nan"), float("inf")])
def test_an_offset_outside_the_file_is_refused(shared_agent: AgentProcess, ended: Job, offset: float) -> None:
    code, reason, message = refused(shared_agent, ended.job_id, "noise.bin", offset)
    assert (code, reason) == ("INVALID_ARGUMENT", "BAD_OFFSET")
    assert "0 to 3000001" in message


@pytest.mark.parametrize(
    "name", ["", "nosuch.mp4", ".", "..", "../x", "../../agent.toml", "/etc/passwd", "./one.txt", "one.txt/", "a\0b"]
)
def test_only_names_that_the_job_told_can_be_read(shared_agent: AgentProcess, ended: Job, name: str) -> None:
    code, reason, message = refused(shared_agent, ended.job_id, name)
    assert (code, reason) == ("NOT_FOUND", "NO_RESULT")
    assert "it left: " in message
    assert "root:" not in message


@pytest.mark.parametrize("job_id", ["", "7", "../main", "x" * 10_000])
def test_an_unknown_job_is_not_found(shared_agent: AgentProcess, job_id: str) -> None:
    code, reason, message = refused(shared_agent, job_id, "result.mp4")
    assert (code, reason) == ("NOT_FOUND", "NO_JOB")
    assert len(message) < 300


def test_a_job_that_runs_has_no_finished_files(shared_agent: AgentProcess) -> None:
    job = running_job(shared_agent, "running")
    assert refused(shared_agent, job.job_id, "summaries.jsonl")[:2] == ("FAILED_PRECONDITION", "JOB_RUNNING")
    shared_agent.edge.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


def test_links_and_hidden_files_are_no_results(shared_agent: AgentProcess, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    job = running_job(shared_agent, "links")
    (Path(job.output) / "link.txt").symlink_to(secret)
    (Path(job.output) / "gone.txt").symlink_to(tmp_path / "nothing")
    (Path(job.output) / "folder").mkdir()
    ended = job_that_left_now(shared_agent, job, {".hidden": b"x", "real.txt": b"y"})
    assert {"link.txt", "gone.txt", "folder", ".hidden"} & {file.name for file in ended.results} == set()
    assert read(shared_agent, ended, "real.txt")[0].data == b"y"
    (Path(job.output) / "real.txt").unlink()
    (Path(job.output) / "real.txt").symlink_to(secret)
    assert refused(shared_agent, job.job_id, "real.txt")[1] == "RESULT_UNREADABLE"


def job_that_left_now(agent: AgentProcess, job: Job, files: dict[str, bytes]) -> Job:
    for name, content in files.items():
        (Path(job.output) / name).write_bytes(content)
    agent.edge.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
    return next(
        answer.job for answer in agent.edge.WatchJob(pb.WatchJobRequest(job_id=job.job_id)) if answer.job.results
    )


def test_a_file_that_changed_since_is_told_or_seen(shared_agent: AgentProcess) -> None:
    job = job_that_left(shared_agent, {"a.bin": NOISE, "b.bin": NOISE, "c.bin": NOISE, "d.bin": NOISE}, "changed")
    folder = Path(job.output)
    os.truncate(folder / "a.bin", 1_500_000)
    with (folder / "b.bin").open("ab") as file:
        file.write(b"more")
    (folder / "c.bin").unlink()
    (folder / "d.bin").write_bytes(NOISE[:-1] + b"?")
    for name in ("a.bin", "b.bin"):
        code, reason, message = refused(shared_agent, job.job_id, name)
        assert (code, reason) == ("FAILED_PRECONDITION", "RESULT_CHANGED")
        assert "had 3000001 when the job ended" in message
    assert refused(shared_agent, job.job_id, "c.bin")[:2] == ("NOT_FOUND", "RESULT_GONE")
    pieces = read(shared_agent, job, "d.bin")
    assert hashlib.sha256(b"".join(piece.data for piece in pieces)).hexdigest() != pieces[0].sha256
    assert "Traceback" not in shared_agent.log()


def test_a_file_that_is_cut_while_it_is_read_is_told(shared_agent: AgentProcess) -> None:
    job = job_that_left(shared_agent, {"cut.bin": LARGE_BYTES}, "cut")
    answers = shared_agent.edge.ReadResult(pb.ReadResultRequest(job_id=job.job_id, name="cut.bin"), timeout=60)
    next(answers)
    os.truncate(Path(job.output) / "cut.bin", LARGE_BYTES // 2)
    with pytest.raises(grpc.RpcError) as caught:
        list(answers)
    assert reason_of(caught.value)[1] == "RESULT_CHANGED"


def test_a_large_file_takes_no_memory_and_little_time(shared_agent: AgentProcess, large: Job) -> None:
    request = pb.ReadResultRequest(job_id=large.job_id, name="large.bin")
    before, began, size, peak = memory_bytes(shared_agent), time.monotonic(), 0, 0
    for number, piece in enumerate(shared_agent.edge.ReadResult(request, timeout=120)):
        size += len(piece.data)
        if number % 100 == 0:
            peak = max(peak, memory_bytes(shared_agent))
    assert size == LARGE_BYTES == result(large, "large.bin").bytes
    assert size / (time.monotonic() - began) > SLOWEST
    assert peak - before < 30e6


def test_readers_that_stand_still_or_go_away_leave_nothing(shared_agent: AgentProcess, large: Job) -> None:
    request = pb.ReadResultRequest(job_id=large.job_id, name="large.bin")
    list(shared_agent.edge.ReadResult(request, timeout=120))
    threads, handles, memory = facts(shared_agent)
    readers: list[Iterator[pb.ReadResultResponse]] = [shared_agent.edge.ReadResult(request) for _ in range(20)]
    for reader in readers:
        next(reader)
    time.sleep(1.0)
    _, open_handles, standing = facts(shared_agent)
    assert standing - memory < 60e6
    assert open_handles <= handles + 2
    for reader in readers:
        reader.cancel()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 20
    while facts(shared_agent)[1] > handles:
        assert time.monotonic() < deadline, facts(shared_agent)
        time.sleep(0.1)
    # Threads of asyncio's pool stay, and are used again; there are never more than these.
    assert facts(shared_agent)[0] <= threads + min(32, (os.cpu_count() or 1) + 4)
    assert shared_agent.edge.GetNode(pb.GetNodeRequest(), timeout=10).id == "n1"
    assert "Traceback" not in shared_agent.log(), shared_agent.log()


def memory_bytes(agent: AgentProcess) -> int:
    assert agent.process is not None
    return int(Path(f"/proc/{agent.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def facts(agent: AgentProcess) -> tuple[int, int, int]:
    """(threads, open handles, bytes of memory)"""
    assert agent.process is not None
    proc = Path(f"/proc/{agent.process.pid}")
    return len(list((proc / "task").iterdir())), len(list((proc / "fd").iterdir())), memory_bytes(agent)
