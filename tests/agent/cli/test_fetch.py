"""herdlink fetch, and the download beneath it: agents are killed in the middle, disks fill, files lie."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from job_files import job_that_left, result, running_job

from agent.cli._remote import download, ended_job
from agent.core.errors import FailedPrecondition, HerdlinkError, Unavailable
from herdlink.v1 import edge_pb2
from herdlink.v1.types_pb2 import Job, ResultFile

NOISE = random.Random(2).randbytes(40_000_000)
COMMAND = [sys.executable, "-m", "agent.cli.main", "fetch"]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    (tmp_path / "node").mkdir()
    process = AgentProcess(tmp_path / "node").start()
    yield process
    process.stop()


@pytest.fixture
def job(agent: AgentProcess) -> Job:
    return job_that_left(agent, {"noise.bin": NOISE, "empty.txt": b"", "small.txt": b"hello"})


def target(agent: AgentProcess) -> str:
    return f"unix:{agent.socket}"


def fetch(agent: AgentProcess, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *words, "--target", target(agent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def bring(agent: AgentProcess, job: Job, folder: Path, name: str = "noise.bin", **more: object) -> bool:
    folder.mkdir(exist_ok=True)
    return download(target(agent), job.job_id, result(job, name), folder / name, **more)  # type: ignore[arg-type]


def part_of(folder: Path, job: Job, name: str = "noise.bin") -> Path:
    return folder / f"{name}.{result(job, name).sha256[:8]}.part"


def test_every_file_comes_once_and_is_the_same(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    here = tmp_path / "a" / "b"
    told = fetch(agent, job.job_id, "--output", str(here)).stdout
    assert "CANCELLED" in told
    assert {path.name for path in here.iterdir()} == {file.name for file in job.results}
    for file in job.results:
        assert (here / file.name).read_bytes() == (Path(job.output) / file.name).read_bytes()
        assert f"{here / file.name}  {file.bytes:.0f} bytes\n" in told
    (Path(job.output) / "noise.bin").unlink()
    (here / "small.txt").unlink()
    again = fetch(agent, job.job_id, "--output", str(here)).stdout
    assert again.count(", was here") == len(job.results) - 1
    assert (here / "small.txt").read_text() == "hello"


def test_only_the_named_files_come(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    here = tmp_path / "here"
    fetch(agent, job.job_id, "--output", str(here), "--name", "small.txt", "--name", "empty.txt")
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {"small.txt": b"hello", "empty.txt": b""}


def test_what_cannot_be_fetched_is_one_plain_sentence(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    output = ["--output", str(tmp_path / "here")]
    running = running_job(agent, "running")
    told = fetch(agent, running.job_id, *output, status=1).stderr
    assert told.startswith(f"herdlink: job {running.job_id} has not ended (RUNNING, ")
    assert "no job '7'" in fetch(agent, "7", *output, status=1).stderr
    told = fetch(agent, job.job_id, "--name", "../x", *output, status=1).stderr
    assert "left no file '../x'; it left: empty.txt, " in told
    assert not (tmp_path / "here").exists()
    agent.stop()
    assert "no agent answers" in fetch(agent, job.job_id, *output, status=1).stderr


def test_a_job_that_left_nothing_says_why(agent: AgentProcess, tmp_path: Path) -> None:
    (agent.folder / "text.mp4").write_text("no video")
    failed = agent.compute(str(agent.folder / "text.mp4"))
    told = fetch(agent, failed.job_id, "--output", str(tmp_path), status=1).stderr
    assert f"job {failed.job_id} left no files (" in told
    assert "text.mp4" in told


def test_an_agent_killed_in_the_middle_is_waited_for(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    seen: list[int] = []

    def kill_once(here: int) -> None:
        seen.append(here)
        if here > 10_000_000 and agent.process is not None and len(revivals) == 0:
            agent.kill()
            revivals.append(threading.Timer(1.0, agent.start))
            revivals[0].start()

    revivals: list[threading.Timer] = []
    assert bring(agent, job, tmp_path / "here", progress=kill_once)
    revivals[0].join()
    assert (tmp_path / "here" / "noise.bin").read_bytes() == NOISE
    assert seen == sorted(seen), "a byte came twice"
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["noise.bin"]


def test_what_came_is_kept_and_the_next_run_goes_on(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    def kill(here: int) -> None:
        if here > 10_000_000:
            agent.kill()

    with pytest.raises(Unavailable, match=r"of 40000000 bytes of noise\.bin are kept") as caught:
        bring(agent, job, tmp_path / "here", progress=kill, retry_s=0)
    assert caught.value.reason == "AGENT_LOST"
    kept = part_of(tmp_path / "here", job).stat().st_size
    assert kept > 10_000_000
    assert not (tmp_path / "here" / "noise.bin").exists()
    agent.start()
    seen: list[int] = []
    assert bring(agent, job, tmp_path / "here", progress=seen.append)
    assert seen[0] == kept
    assert (tmp_path / "here" / "noise.bin").read_bytes() == NOISE


def test_an_agent_that_stops_in_order_is_waited_for_too(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    stopping = threading.Thread(target=lambda: (agent.stop(), agent.start()))

    def stop_once(here: int) -> None:
        if here > 1_000_000 and not stopping.ident:
            stopping.start()
        if stopping.ident:
            time.sleep(0.01)  # longer than the grace of the agent

    assert bring(agent, job, tmp_path / "here", progress=stop_once)
    stopping.join()
    assert (tmp_path / "here" / "noise.bin").read_bytes() == NOISE


def test_the_command_killed_in_the_middle_goes_on(agent: AgentProcess, tmp_path: Path) -> None:
    size, here = 400_000_000, tmp_path / "here"
    job = job_that_left(agent, {"large.bin": size})
    part = part_of(here, job, "large.bin")
    words = [job.job_id, "--output", str(here), "--name", "large.bin"]
    client = subprocess.Popen([*COMMAND, *words, "--target", target(agent)], stdout=subprocess.DEVNULL)
    while not (part.exists() and part.stat().st_size > 1_000_000):
        assert client.poll() is None, "it was done too quickly to be killed"
        time.sleep(0.001)
    client.kill()
    client.wait()
    assert 1_000_000 < part.stat().st_size < size
    assert "was here" not in fetch(agent, *words).stdout
    assert [(path.name, path.stat().st_size) for path in here.iterdir()] == [("large.bin", size)]


@pytest.mark.parametrize(
    "damaged", [b"\0" * 5_000_000, NOISE + b"more", NOISE[:-1] + b"?"], ids=["zeros", "longer", "whole"]
)
def test_a_damaged_part_is_fetched_again(agent: AgentProcess, job: Job, tmp_path: Path, damaged: bytes) -> None:
    part_of(tmp_path, job).write_bytes(damaged)
    assert bring(agent, job, tmp_path)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert not part_of(tmp_path, job).exists()


def test_a_whole_part_only_gets_its_name(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    part_of(tmp_path, job).write_bytes(NOISE)
    agent.kill()
    assert bring(agent, job, tmp_path, retry_s=0)
    assert (tmp_path / "noise.bin").read_bytes() == NOISE
    assert not bring(agent, job, tmp_path, retry_s=0)


def test_a_file_that_changed_on_the_node_never_gets_its_name(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    (Path(job.output) / "noise.bin").write_bytes(NOISE[:-1] + b"?")
    with pytest.raises(FailedPrecondition, match="is not what the job left"):
        bring(agent, job, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []
    os.truncate(Path(job.output) / "noise.bin", 5)
    told = fetch(agent, job.job_id, "--output", str(tmp_path / "here"), "--name", "noise.bin", status=1).stderr
    assert "has 5 bytes on the node and had 40000000 when the job ended" in told


def test_nothing_is_overwritten(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("mine!")
    told = fetch(agent, job.job_id, "--output", str(tmp_path), "--name", "small.txt", status=1).stderr
    assert "small.txt is there already and is not this job's; give another folder" in told
    assert (tmp_path / "small.txt").read_text() == "mine!"


def test_a_full_disk_is_said_and_what_came_is_kept(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    words = [job.job_id, "--output", str(tmp_path / "here"), "--target", target(agent), "--name", "noise.bin"]
    command = ["bash", "-c", 'ulimit -f 5000; exec "$@"', "bash", *COMMAND, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be written: File too large; what came is kept" in done.stderr
    assert part_of(tmp_path / "here", job).stat().st_size > 4_000_000
    fetch(agent, *words[:3], *words[5:])
    assert (tmp_path / "here" / "noise.bin").read_bytes() == NOISE


def test_a_folder_that_cannot_be_written_is_said(agent: AgentProcess, job: Job, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = fetch(agent, job.job_id, "--output", str(tmp_path / "file" / "x"), status=1).stderr
    assert told == f"herdlink: {tmp_path}/file/x: Not a directory\n"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", ".", "..", "a/b", ".bashrc", "a\nb", "a\0b"])
def test_an_agent_that_lies_about_names_writes_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(FailedPrecondition, match="no plain name"):
        download("unix:/nowhere", "j-1", ResultFile(name=name, bytes=1, sha256="0" * 64), tmp_path / "x")
    with pytest.raises(FailedPrecondition, match="tells no sha256"):
        download("unix:/nowhere", "j-1", ResultFile(name="x", bytes=1, sha256=f"../{name}"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_an_ended_job_is_told_whole(agent: AgentProcess, job: Job) -> None:
    assert ended_job(target(agent), job.job_id) == agent.edge.GetJob(edge_pb2.GetJobRequest(job_id=job.job_id)).job
    with pytest.raises(HerdlinkError, match="NOT_FOUND: no job"):
        ended_job(target(agent), "nosuch")
