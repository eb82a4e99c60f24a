"""A real agent as a process of its own, for tests that talk to it over gRPC."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from herdlink.v1 import edge_pb2, edge_pb2_grpc, record_pb2_grpc, track_pb2_grpc
from herdlink.v1.types_pb2 import Job

START_S = 90.0


class AgentProcess:
    """`python -m agent` on a socket below `folder`; `more` is added to its agent.toml."""

    def __init__(self, folder: Path, *, media: Path | None = None, more: str = "") -> None:
        self.folder = folder
        self.socket = folder / "agent.sock"
        self.output_root = folder / "results"
        self.config = folder / "agent.toml"
        head = {
            "node": "n1",
            "state_dir": str(folder / "state"),
            "media_roots": [str(media or folder)],
            "output_root": str(self.output_root),
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in head.items()]
        self.config.write_text("\n".join([*lines, "[rpc]", f'listen = ["unix:{self.socket}"]', more]))
        self.process: subprocess.Popen[bytes] | None = None
        self._channel: grpc.Channel | None = None

    def start(self) -> AgentProcess:
        with (self.folder / "agent.log").open("ab") as log:
            command = [sys.executable, "-m", "agent", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._await_socket()
        self._channel = grpc.insecure_channel(f"unix:{self.socket}")
        self.edge = edge_pb2_grpc.EdgeServiceStub(self._channel)
        self.track = track_pb2_grpc.TrackServiceStub(self._channel)
        self.record = record_pb2_grpc.RecordServiceStub(self._channel)
        self._await_ready()
        return self

    def _await_socket(self) -> None:
        """A channel that finds nobody waits a second before it tries again."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.02)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.edge.GetNode(edge_pb2.GetNodeRequest(), timeout=5)
                return
            except grpc.RpcError as error:
                if time.monotonic() > deadline or self.process is None or self.process.poll() is not None:
                    raise AssertionError(f"the agent did not start: {self.log()}") from error
                time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "agent.log").read_text()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(30)

    def compute(self, uri: str, *, stream: str = "", wait: bool = True) -> Job:
        """SetInput and Compute."""
        self.edge.SetInput(edge_pb2.SetInputRequest(stream=stream, uri=uri))
        return self.edge.Compute(edge_pb2.ComputeRequest(stream=stream, wait=wait), timeout=120).job

    def await_state(self, job_id: str, *states: int, timeout_s: float = 120.0) -> Job:
        """The job once it is in one of the states."""
        deadline = time.monotonic() + timeout_s
        while True:
            job = self.edge.GetJob(edge_pb2.GetJobRequest(job_id=job_id)).job
            if job.state in states:
                return job
            assert time.monotonic() < deadline, f"the job stays {job}"
            time.sleep(0.02)

    def await_stream(self, stream: str, state: int, timeout_s: float = 120.0) -> None:
        """Returns once the newest job of the stream, which may not have begun yet, is in the state."""
        deadline = time.monotonic() + timeout_s
        while (now := self.edge.GetStream(edge_pb2.GetStreamRequest(stream=stream)).stream.state).state != state:
            assert time.monotonic() < deadline, f"the stream stays {now}"
            time.sleep(0.02)


def reason_of(error: Any) -> tuple[str, str, str]:
    """(status word, reason, sentence) of a failed call; the details and the plain status must agree."""
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(details)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "herdlink"
    assert status.message == error.details()
    return error.code().name, info.reason, error.details()
