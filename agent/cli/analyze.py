"""herdlink analyze: video in; result.mp4, tracks.txt and summaries.jsonl out, on this machine."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.core.types import Job
    from agent.runtime.run import Run

HELP = "Analyse a video: writes result.mp4, tracks.txt and summaries.jsonl."
EXAMPLE = "herdlink analyze pen3.mp4 --output results --labels sheep,cow"
POLL_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", metavar="INPUT", nargs="+", help="a video file, images:/folder?fps=5, rtsp://..., synthetic:herd"
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder for the results; several inputs get one each below it",
    )
    parser.add_argument(
        "--model", metavar="M", default="", help="a model in the store or a path (default: yolov4-tiny)"
    )
    parser.add_argument("--tracker", metavar="K", default="", help="deepsort (default) or sort")
    parser.add_argument("--threshold", metavar="S", type=float, help="smallest score of a detection, 0..1")
    parser.add_argument("--labels", metavar="L", default="", help="what to look for, e.g. person,sheep (default: all)")
    parser.add_argument("--no-video", action="store_true", help="do not write result.mp4")
    parser.add_argument("--store", metavar="DIR", type=Path, help="folder of the models (default: $HERDLINK_STORE)")


def run(args: argparse.Namespace) -> int:
    jobs = []
    for number, uri in enumerate(args.input, 1):
        folder = args.output / f"{number:03}-{_stem(uri)}" if len(args.input) > 1 else args.output
        jobs.append(_analyse(args, uri, folder))
        _tell(jobs[-1])
    return 0 if all(job.state == "DONE" for job in jobs) else 1


def _stem(uri: str) -> str:
    return (
        "".join(c if c.isalnum() or c in "-_." else "_" for c in Path(uri.split("?", maxsplit=1)[0]).stem)[:60]
        or "input"
    )


def _analyse(args: argparse.Namespace, uri: str, folder: Path) -> Job:
    from agent.assemble import Bounds, Detectors, NodeRooms
    from agent.core.types import Job, JobState
    from agent.core.uri import mask
    from agent.journal import Journal
    from agent.models.store import Store, default_folder
    from agent.rpc.convert import summary_json
    from agent.runtime.run import Run
    from agent.runtime.streams import StreamConfig
    from agent.settings import AgentSettings, OutputSettings

    settings = AgentSettings(output=OutputSettings(video="off" if args.no_video else "files"))
    journal = Journal(None)
    rooms = NodeRooms(
        settings=settings,
        store=Store(args.store or default_folder()),
        detectors=Detectors(provider=settings.model.provider, threads=settings.model.threads),
        bounds=Bounds(None, Path("/")),
        totals=journal.totals,
        to_json=summary_json,
        notify=lambda text: print(text, file=sys.stderr),
    )
    values = rooms.complete(StreamConfig({}, _values(args, rooms.check_input(uri))).values)
    rooms.check_values(values)
    output = rooms.open_output("", str(folder.absolute()))

    def make(job_id: str) -> Job:
        state = JobState.QUEUED
        return Job(
            job_id=job_id, stream="main", state=state, input=mask(uri), output=str(output), start_time=time.time()
        )

    plan = rooms.plan(journal.add_job(make), values)
    return _follow(Run(plan, journal=journal, listener=_Quiet()))


def _values(args: argparse.Namespace, uri: str) -> dict[str, Any]:
    from agent.core.errors import InvalidArgument

    if args.threshold is not None and not 0 <= args.threshold <= 1:
        raise InvalidArgument("BAD_THRESHOLD", f"--threshold is a score from 0 to 1; it is {args.threshold}")
    chosen = {
        "input": uri,
        "model": args.model,
        "tracker": args.tracker,
        "threshold": args.threshold,
        "labels": [label.strip() for label in args.labels.split(",") if label.strip()],
    }
    return {key: value for key, value in chosen.items() if value not in ("", None, [])}


class _Quiet:
    """Nobody listens: the progress bar looks at the run by itself."""

    def changed(self, run: Run) -> None: ...

    def analysed(self, run: Run, result: Any) -> None: ...

    def recorded(self, run: Run, record: Any) -> None: ...


def _follow(run: Run) -> Job:
    """Shows a progress bar until the job has ended; Ctrl-C ends it cleanly."""
    from tqdm import tqdm

    run.start()
    with tqdm(unit="frame", dynamic_ncols=True, disable=None) as bar:
        while not run.job.state.ended:
            try:
                time.sleep(POLL_S)
            except KeyboardInterrupt:
                run.cancel()
            job = run.job
            bar.total = job.total_frames
            bar.update(job.frames - bar.n)
    run.join()
    return run.job


def _tell(job: Job) -> None:
    if job.error is not None:
        print(f"herdlink: {job.input}: {job.error.message}", file=sys.stderr)
    print(f"{job.input}: {job.state.value}, {job.frames} frames, {job.fps:.1f} frames/s, model {job.model or '-'}")
    for file in job.results:
        print(f"  {Path(job.output) / file.name}  {file.bytes} bytes")
