"""herdlink fetch: the files of a job, from the agent that made them to this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli._remote import add_target, download, ended_job, state_word

if TYPE_CHECKING:
    from herdlink.v1 import types_pb2

HELP = "Fetch the files of a job that has ended; goes on where it stopped."
EXAMPLE = "herdlink fetch 1f0c2a9b-7 --output results --target 10.0.0.21:50051"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="the job's id, as Compute and ListJobs tell it")
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="folder for the files")
    parser.add_argument(
        "--name", metavar="FILE", action="append", default=[], help="only this file; may be repeated (default: all)"
    )
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    job = ended_job(args.target, args.job)
    files = _chosen(job, args.name)
    args.output.mkdir(parents=True, exist_ok=True)
    fetched = _fetch(args.target, job.job_id, files, args.output)
    _tell(job)
    for file in files:
        remark = "" if file.name in fetched else ", was here"
        print(f"  {args.output / file.name}  {file.bytes:.0f} bytes{remark}")
    return 0


def _chosen(job: types_pb2.Job, names: Sequence[str]) -> list[types_pb2.ResultFile]:
    from agent.core.errors import NotFound

    left = {file.name: file for file in job.results}
    unknown = [name for name in names if name not in left]
    if unknown or not left:
        what = f"no file {unknown[0]!r}; it left: {', '.join(left) or 'none'}" if unknown else "no files"
        why = f" ({job.error.message})" if job.HasField("error") else ""
        raise NotFound("NO_RESULT", f"job {job.job_id} left {what}{why}")
    return [file for name, file in left.items() if not names or name in names]


def _fetch(target: str, job_id: str, files: Sequence[types_pb2.ResultFile], folder: Path) -> set[str]:
    """The names of those that were not here yet."""
    from tqdm import tqdm

    fetched = set()
    total = int(sum(file.bytes for file in files))
    with tqdm(total=total, unit="B", unit_scale=True, dynamic_ncols=True, disable=None) as bar:
        for file in files:
            bar.set_description(file.name)
            before = bar.n

            def show(here: int, before: float = before) -> None:
                bar.update(before + here - bar.n)

            if download(target, job_id, file, folder / file.name, progress=show):
                fetched.add(file.name)
    return fetched


def _tell(job: types_pb2.Job) -> None:
    if job.HasField("error"):
        print(f"herdlink: {job.input}: {job.error.message}", file=sys.stderr)
    print(f"{job.input}: {state_word(job.state)}, {job.frames} frames")
