"""How the commands reach an agent: the target, one call, its errors in plain words, the files of a job."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.errors import FailedPrecondition, HerdlinkError, NotFound, Unavailable

if TYPE_CHECKING:
    from agent.cli._part import Part
    from herdlink.v1 import types_pb2

SOCKET = Path("/run/herdlink/agent.sock")
DEFAULT_PORT = "127.0.0.1:50051"
RETRY_S = 30.0
PAUSE_S = 0.5
OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A cable that was pulled tells nobody: without a sign of life a call would wait for hours.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
BROKEN = ("UNAVAILABLE", "CANCELLED")
"""What a call ends with when its agent goes away."""
Progress = Callable[[int], object]
"""Gets the number of bytes of the file that are here."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The --target that every command has which talks to an agent."""
    parser.add_argument(
        "--target",
        default=os.environ.get("HERDLINK_TARGET", ""),
        help=f"host:port or unix:PATH; default $HERDLINK_TARGET, else {SOCKET}, else {DEFAULT_PORT}",
    )


def default_target() -> str:
    """The local agent: its socket where there is one, else its port."""
    return f"unix:{SOCKET}" if SOCKET.exists() else DEFAULT_PORT


def find_method(name: str) -> Any:
    """The descriptor of a method of the contract. Raises NotFound (NO_METHOD)."""
    from herdlink.v1 import edge_pb2, record_pb2, track_pb2

    services = [
        service for file in (edge_pb2, track_pb2, record_pb2) for service in file.DESCRIPTOR.services_by_name.values()
    ]
    methods = {method.name: method for service in services for method in service.methods}
    if name not in methods:
        raise NotFound("NO_METHOD", f"no method {name!r}; there are: {', '.join(sorted(methods))}")
    return methods[name]


def invoke(target: str, method_name: str, /, *, timeout_s: float | None = None, **values: Any) -> Iterator[Any]:
    """Yields the answers of one call with these values in its request. Raises HerdlinkError."""
    from google.protobuf.message_factory import GetMessageClass

    method = find_method(method_name)
    return send(target, method, GetMessageClass(method.input_type)(**values), timeout_s=timeout_s)


def send(target: str, method: Any, request: Any, *, timeout_s: float | None = None) -> Iterator[Any]:
    """Yields the answers of one call. Raises the HerdlinkError that the agent's status stands for."""
    import grpc
    from google.protobuf.message_factory import GetMessageClass

    path = f"/{method.containing_service.full_name}/{method.name}"
    with grpc.insecure_channel(target or default_target(), options=OPTIONS) as channel:
        kind = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = kind(
            path,
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            answer: Any = call(request, timeout=timeout_s)
            yield from answer if method.server_streaming else [answer]
        except grpc.RpcError as error:
            raise _told(error, target or default_target()) from error


class RemoteError(HerdlinkError):
    """What the agent answered; `reason` is the status word of gRPC."""

    code = "UNKNOWN"


def _told(error: Any, target: str) -> HerdlinkError:
    code, details = error.code().name, error.details() or ""
    if code == "UNAVAILABLE" and "herdlink" not in str(error.trailing_metadata()):
        if _is_forbidden(target):
            message = f"{target} is not for this user; join its group (usermod -aG herdlink NAME, then log in again)"
            return Unavailable("AGENT_FORBIDDEN", message)
        return Unavailable("AGENT_UNREACHABLE", f"no agent answers on {target}; start herdlink-agent or give --target")
    return RemoteError(code, f"{code}: {details}")


def _is_forbidden(target: str) -> bool:
    """Whether it is a socket that is there and that this user may not write to."""
    path = target.removeprefix("unix:")
    return path != target and Path(path).exists() and not os.access(path, os.W_OK)


def state_word(state: types_pb2.JobState) -> str:
    """A job's state for people, e.g. "DONE"."""
    from herdlink.v1 import types_pb2

    return types_pb2.JobState.Name(state).removeprefix("JOB_STATE_")


def ended_job(target: str, job_id: str) -> types_pb2.Job:
    """A job with its results. Raises FailedPrecondition (JOB_RUNNING) where it still runs."""
    from herdlink.v1 import types_pb2

    (answer,) = invoke(target, "GetJob", job_id=job_id)
    job: types_pb2.Job = answer.job
    if job.state not in (types_pb2.JOB_STATE_DONE, types_pb2.JOB_STATE_FAILED, types_pb2.JOB_STATE_CANCELLED):
        message = f"job {job_id} has not ended ({state_word(job.state)}, {job.frames} frames); wait or CancelJob it"
        raise FailedPrecondition("JOB_RUNNING", message)
    return job


def download(
    target: str,
    job_id: str,
    file: types_pb2.ResultFile,
    path: Path,
    *,
    progress: Progress = lambda _: None,
    retry_s: float = RETRY_S,
) -> bool:
    """Brings one of `Job.results` to `path`; False where it was there already. An agent that goes away is waited for,
    `retry_s` seconds. Raises Unavailable (what came is kept), FailedPrecondition (FILE_EXISTS, RESULT_CHANGED,
    OUTPUT_NOT_WRITABLE), or what the agent answers.
    """
    from agent.cli._part import Part

    _check_plain(file)
    if path.exists():
        _check_same(path, file)
        progress(int(file.bytes))
        return False
    with Part(path, file) as part:
        resumed = part.size > 0
        _fill(part, target, job_id, progress, retry_s)
        if resumed and not part.is_right():
            # The disk has not kept what was written before (a power cut): once more, from the beginning.
            part.clear()
            _fill(part, target, job_id, progress, retry_s)
        if not part.is_right():
            part.drop()
            raise _changed(file)
        part.keep()
    return True


def _check_plain(file: types_pb2.ResultFile) -> None:
    """Both words come from an agent, which might be anybody, and become part of a path."""
    name = file.name
    if not name or name != Path(name).name or name.startswith(".") or not name.isprintable():
        raise FailedPrecondition("BAD_NAME", f"the agent calls a file {name[:80]!r}, which is no plain name")
    if not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
        raise FailedPrecondition("BAD_NAME", f"the agent tells no sha256 of {name}")


def _check_same(path: Path, file: types_pb2.ResultFile) -> None:
    import hashlib

    with path.open("rb") as handle:
        if path.stat().st_size == file.bytes and hashlib.file_digest(handle, "sha256").hexdigest() == file.sha256:
            return
    message = f"{path} is there already and is not this job's; give another folder"
    raise FailedPrecondition("FILE_EXISTS", message)


def _fill(part: Part, target: str, job_id: str, progress: Progress, retry_s: float) -> None:
    """Reads on until the part is whole."""
    progress(part.size)
    last_byte = time.monotonic()
    while part.size < part.file.bytes:
        before = part.size
        try:
            _read_on(part, target, job_id, progress)
        except HerdlinkError as error:
            if not is_broken(error):
                raise
            last_byte = time.monotonic() if part.size > before else last_byte
            if time.monotonic() - last_byte >= retry_s:
                kept = f"{part.size} of {part.file.bytes:.0f} bytes of {part.file.name} are kept"
                raise Unavailable(
                    "AGENT_LOST", f"the agent went away; {kept}; the same again goes on from there"
                ) from error
            time.sleep(PAUSE_S)


def is_broken(error: HerdlinkError) -> bool:
    """Whether the agent went away, so that the same call may go well later."""
    return isinstance(error, Unavailable) or (isinstance(error, RemoteError) and error.reason in BROKEN)


def _read_on(part: Part, target: str, job_id: str, progress: Progress) -> None:
    """One call, from where the part ends."""
    for piece in invoke(target, "ReadResult", job_id=job_id, name=part.file.name, offset=part.size):
        if (piece.offset, piece.total_bytes, piece.sha256) != (part.size, part.file.bytes, part.file.sha256):
            raise _changed(part.file)
        part.append(piece.data)
        progress(part.size)
        if part.size > part.file.bytes:
            raise _changed(part.file)
    if part.size < part.file.bytes:
        raise Unavailable("SHORT_ANSWER", f"the agent ended {part.file.name} before its end")


def _changed(file: types_pb2.ResultFile) -> FailedPrecondition:
    message = f"{file.name} on the node is not what the job left (its sha256 differs); Compute again"
    return FailedPrecondition("RESULT_CHANGED", message)
