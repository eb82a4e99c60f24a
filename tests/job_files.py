"""Ended jobs with files of a test's own choice."""

from __future__ import annotations

from pathlib import Path

from agent_process import AgentProcess

from herdlink.v1 import edge_pb2, types_pb2
from herdlink.v1.types_pb2 import Job, ResultFile

ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"


def running_job(agent: AgentProcess, stream: str = "main") -> Job:
    """A job without an end, once it has made its folder."""
    job = agent.compute(ENDLESS, stream=stream, wait=False)
    agent.await_state(job.job_id, types_pb2.JOB_STATE_RUNNING)
    while not Path(job.output).is_dir():
        job = agent.edge.GetJob(edge_pb2.GetJobRequest(job_id=job.job_id)).job
    return job


def job_that_left(agent: AgentProcess, files: dict[str, bytes | int], stream: str = "main") -> Job:
    """A job that ended with these files beside its own; a number is a file of so many bytes that holds nothing."""
    job = running_job(agent, stream)
    for name, content in files.items():
        with (Path(job.output) / name).open("wb") as file:
            if isinstance(content, int):
                file.truncate(content)
            else:
                file.write(content)
    agent.edge.CancelJob(edge_pb2.CancelJobRequest(job_id=job.job_id))
    return agent.await_state(job.job_id, types_pb2.JOB_STATE_CANCELLED)


def result(job: Job, name: str) -> ResultFile:
    """The file of that name."""
    return next(file for file in job.results if file.name == name)
