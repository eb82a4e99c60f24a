"""Let a herdlink node analyse a video and bring the results here, with nothing but the contract.

pip install herdlink-proto
python analyze.py 127.0.0.1:50051 /srv/video/pen3.mp4 results              # INPUT lies on the node
python analyze.py 127.0.0.1:50051 --job 1f0c2a9b-7 results                 # only the results; goes on where it stopped
"""

import argparse
import hashlib
import sys
import time
import uuid
from pathlib import Path

import grpc

from herdlink.v1 import edge_pb2, edge_pb2_grpc, types_pb2

BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def compute(edge: edge_pb2_grpc.EdgeServiceStub, uri: str) -> str:
    """Starts a job on the node and returns its id."""
    edge.SetInput(edge_pb2.SetInputRequest(uri=uri), timeout=10)
    edge.SetOutput(edge_pb2.SetOutputRequest(uri="peer"), timeout=10)
    # With a request_id the call can be sent again after a lost answer: it starts no second job.
    request = edge_pb2.ComputeRequest(request_id=str(uuid.uuid4()))
    return edge.Compute(request, timeout=10).job.job_id


def watch(edge: edge_pb2_grpc.EdgeServiceStub, job_id: str) -> types_pb2.Job:
    """Shows the progress and returns the ended job."""
    job = types_pb2.Job()
    for answer in edge.WatchJob(edge_pb2.WatchJobRequest(job_id=job_id)):
        job = answer.job
        state = types_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")
        print(f"{state}: {job.frames} of {job.total_frames or '?'} frames, {job.fps:.1f}/s", file=sys.stderr)
    return job


def read_result(edge: edge_pb2_grpc.EdgeServiceStub, job_id: str, file: types_pb2.ResultFile, folder: Path) -> Path:
    """Brings one file into the folder; a part that is there already is not read again."""
    path = folder / Path(file.name).name  # a name from the network never leaves the folder
    part = path.with_name(path.name + ".part")
    part.touch()
    while (size := part.stat().st_size) < file.bytes:
        request = edge_pb2.ReadResultRequest(job_id=job_id, name=file.name, offset=size)
        try:
            with part.open("ab") as writer:
                for piece in edge.ReadResult(request):
                    writer.write(piece.data)
        except grpc.RpcError as error:
            if error.code() not in BROKEN:
                raise
            time.sleep(1)  # the node restarts, or the network is down: go on from where it broke
    with part.open("rb") as reader:
        if hashlib.file_digest(reader, "sha256").hexdigest() != file.sha256:
            part.unlink()
            raise SystemExit(f"{file.name} is not what the job left; run it again")
    return part.replace(path)


def main() -> None:
    """The whole: SetInput, SetOutput, Compute, WatchJob, ReadResult."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help="host:port or unix:PATH of an agent")
    parser.add_argument("input", nargs="?", help="a file on the node, rtsp://..., synthetic:herd?seconds=10")
    parser.add_argument("folder", type=Path, help="where the results go on this machine")
    parser.add_argument("--job", help="the id of a job that was started before")
    args = parser.parse_args()
    if bool(args.input) == bool(args.job):
        parser.error("give either INPUT or --job")
    args.folder.mkdir(parents=True, exist_ok=True)
    with grpc.insecure_channel(args.target) as channel:
        edge = edge_pb2_grpc.EdgeServiceStub(channel)
        try:
            job = watch(edge, args.job or compute(edge, args.input))
            for file in job.results:
                print(read_result(edge, job.job_id, file, args.folder))
        except grpc.RpcError as error:
            raise SystemExit(f"{error.code().name}: {error.details()}") from error
    if job.HasField("error"):
        raise SystemExit(f"the job failed: {job.error.message}")


if __name__ == "__main__":
    main()
