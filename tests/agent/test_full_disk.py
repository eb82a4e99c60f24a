"""A disk that is full, for real: the analysis goes on, what is lost is counted, and all is well once there is room."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from agent_process import AgentProcess, reason_of
from grpc_health.v1 import health_pb2, health_pb2_grpc

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import record_pb2, types_pb2

ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=160&height=120"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of 4 MB."""
    folder = tmp_path / "state"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"NOT TESTED: what a full disk does; a small one cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def until(true: Callable[[], object], agent: AgentProcess, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, agent.log()[-3000:]
        time.sleep(0.1)


def fill(folder: Path) -> Path:
    """Takes all that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def records(agent: AgentProcess, kind: int, stream: str = "") -> list[record_pb2.Record]:
    request = record_pb2.ListRecordsRequest(stream=stream, kind=kind, limit=1000)  # type: ignore[arg-type]
    return list(agent.record.ListRecords(request).records)


def serving(agent: AgentProcess) -> bool:
    """What grpc.health.v1 says."""
    with grpc.insecure_channel(f"unix:{agent.socket}") as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def test_a_full_disk_stops_no_analysis_and_mends_itself(small_disk: Path, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, more="[journal]\nmin_free_mb = 1\n").start()
    try:
        agent.edge.SetStream(pb.SetStreamRequest(input=ENDLESS, summary_period_s=0.1))
        job = agent.edge.Compute(pb.ComputeRequest()).job
        until(lambda: records(agent, record_pb2.RECORD_KIND_SUMMARY), agent)
        filler = fill(small_disk)

        def refused() -> bool:
            fill(small_disk)
            try:
                agent.edge.SetStream(pb.SetStreamRequest(name="x" * 200))
            except grpc.RpcError as error:
                code, reason, message = reason_of(error)
                assert (code, reason) == ("RESOURCE_EXHAUSTED", "JOURNAL_UNWRITABLE")
                assert "make room" in message
                return True
            return False

        until(refused, agent)
        frames = agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.frames
        until(lambda: agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.frames > frames + 10, agent)
        until(lambda: "a record of stream main is lost" in agent.log(), agent)
        until(lambda: not serving(agent), agent)
        health = agent.edge.GetHealth(pb.GetHealthRequest())
        assert {problem.code for problem in health.problems} >= {"JOURNAL_UNWRITABLE", "DISK_LOW"}
        assert health.lost_records > 0
        agent.edge.CancelJob(pb.CancelJobRequest())
        agent.await_state(job.job_id, types_pb2.JOB_STATE_CANCELLED)
        with pytest.raises(grpc.RpcError) as caught:
            agent.edge.Compute(pb.ComputeRequest())
        assert reason_of(caught.value)[1] == "JOURNAL_UNWRITABLE"
        until(lambda: "MB are left on the disk" in agent.log(), agent)
        filler.unlink()
        until(lambda: [record.event.event_type for record in records(agent, 2)] == ["job_ended"], agent)
        until(lambda: [record.event.event_type for record in records(agent, 2, "@node")] == ["disk_low"], agent)
        until(lambda: serving(agent), agent)
        health = agent.edge.GetHealth(pb.GetHealthRequest())
        assert not {problem.code for problem in health.problems} & {"JOURNAL_UNWRITABLE", "DISK_LOW"}
        agent.kill()
        agent.start()
        assert agent.edge.GetHealth(pb.GetHealthRequest()).lost_records == health.lost_records > 0
        assert agent.edge.GetJob(pb.GetJobRequest(job_id=job.job_id)).job.state == types_pb2.JOB_STATE_CANCELLED
        told = [record.summary.sequence for record in records(agent, record_pb2.RECORD_KIND_SUMMARY)]
        assert told == list(range(1, len(told) + 1))
        assert [record.event.event_type for record in records(agent, 2)] == ["job_ended"]
        assert "Traceback" not in agent.log()
    finally:
        agent.stop()
