"""herdlink analyze: video in; result.mp4, tracks.txt and summaries.jsonl out, on this machine or on another node."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli._use import WrongUse, load_tracker
from agent.core.errors import HerdlinkError, InvalidArgument

if TYPE_CHECKING:
    from agent.cli._local import LocalNode
    from agent.cli._peer import PeerNode
    from agent.cli._runs import Outcome

HELP = "Analyse videos: writes result.mp4, tracks.txt and summaries.jsonl."
EXAMPLE = """herdlink analyze pen3.mp4 --output results --labels sheep,cow
  herdlink analyze morning/ --output results            # every video of a folder, and runs.csv
  herdlink analyze /srv/video/pen3.mp4 --output results --target gpu-box:50051
  herdlink analyze --again results/run.json --output again"""
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp")

Analyse = Callable[[str, Path, dict[str, Any]], "Outcome"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="*",
        help="a video file, a folder of them, images:/folder?fps=5, rtsp://..., synthetic:herd",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder for the results; several inputs, or a folder of them, get one each below it, and runs.csv",
    )
    parser.add_argument(
        "--target",
        metavar="T",
        default="",
        help="let another node do it (host:port, unix:PATH) and bring the results back; INPUT is what it can open",
    )
    parser.add_argument(
        "--model", metavar="M", default="", help="a model in the store or a path (default: yolov4-tiny)"
    )
    parser.add_argument("--tracker", metavar="K", default="", help="herd (default), deepsort or sort")
    parser.add_argument("--threshold", metavar="S", type=float, help="smallest score of a detection, 0..1")
    parser.add_argument("--labels", metavar="L", default="", help="what to look for, e.g. person,sheep (default: all)")
    parser.add_argument("--known-count", metavar="N", type=int, help="how many animals there should be")
    parser.add_argument("--rest", metavar="S", type=float, help="look only every S seconds while nothing happens")
    parser.add_argument("--no-video", action="store_true", help="no result.mp4 (with --target: it stays there)")
    parser.add_argument("--again", metavar="RUN", type=Path, help="repeat the run of a run.json and compare the tracks")
    parser.add_argument("--store", metavar="DIR", type=Path, help="folder of the models (default: $HERDLINK_STORE)")


def run(args: argparse.Namespace) -> int:
    if args.again:
        return _again(args)
    if not args.input:
        raise WrongUse("name at least one INPUT: a video file, a folder of them, a URL")
    values = _values(args)
    analyse = _peer(args).analyse if args.target else _local(args).analyse
    inputs = _inputs(args)
    several = len(inputs) > 1 or inputs != args.input
    return (_all if several else _one)(analyse, inputs, args.output, values)


def _local(args: argparse.Namespace) -> LocalNode:
    from agent.runtime.threads import calm_libraries

    calm_libraries()
    from agent.cli._local import LocalNode
    from agent.models.store import Store, default_folder

    return LocalNode(store=Store(args.store or default_folder()), video=not args.no_video)


def _peer(args: argparse.Namespace) -> PeerNode:
    from agent.cli._peer import PeerNode

    if args.store:
        raise WrongUse("--store is for this machine; with --target the node has its own models")
    return PeerNode(args.target, video=not args.no_video)


def _one(analyse: Analyse, inputs: Sequence[str], output: Path, values: dict[str, Any]) -> int:
    from agent.cli._runs import tell

    outcome = analyse(inputs[0], output, values)
    tell(outcome)
    return 0 if outcome.done else 1


def _all(analyse: Analyse, inputs: Sequence[str], output: Path, values: dict[str, Any]) -> int:
    """One after the other; an input that cannot be analysed does not hold up the rest."""
    from agent.cli._runs import RUNS, tell, write_csv

    outcomes = []
    for number, uri in enumerate(inputs, 1):
        outcomes.append(_try(analyse, uri, output / f"{number:03}-{_stem(uri)}", values))
        tell(outcomes[-1])
        # After each: a night's work that is cut off has its table all the same.
        output.mkdir(parents=True, exist_ok=True)
        write_csv(output / RUNS, outcomes)
        if outcomes[-1].state == "CANCELLED":
            break
    print(output / RUNS)
    return 0 if all(outcome.done for outcome in outcomes) else 1


def _try(analyse: Analyse, uri: str, folder: Path, values: dict[str, Any]) -> Outcome:
    from agent.cli._runs import Outcome
    from agent.core.uri import mask

    try:
        return analyse(uri, folder, values)
    except HerdlinkError as error:
        return Outcome(mask(uri), folder, "FAILED", error=error.message)


def _inputs(args: argparse.Namespace) -> list[str]:
    """Each INPUT; a folder of this machine stands for the videos in it."""
    found: list[str] = []
    for uri in args.input:
        folder = Path(uri)
        if args.target or not folder.is_dir():
            found.append(uri)
            continue
        videos = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in VIDEOS and path.is_file())
        if not videos:
            told = f"{uri} is a folder without videos; for its pictures write images:{uri}?fps=5"
            raise InvalidArgument("NO_VIDEOS", told)
        found += videos
    return found


def _stem(uri: str) -> str:
    stem = Path(uri.split("?", maxsplit=1)[0]).stem
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)[:60] or "input"


def _values(args: argparse.Namespace) -> dict[str, Any]:
    if args.threshold is not None and not 0 <= args.threshold <= 1:
        raise WrongUse(f"--threshold is a score from 0 to 1; it is {args.threshold}")
    if args.known_count is not None and not 0 <= args.known_count <= 100_000:
        raise WrongUse(f"--known-count is 0 to 100,000; it is {args.known_count}")
    if args.rest is not None and not 0 <= args.rest <= 60:
        raise WrongUse(f"--rest is 0 to 60 seconds, 0: look at every picture; it is {args.rest}")
    if args.tracker and not args.target:
        load_tracker(args.tracker)
    chosen = {
        "model": args.model,
        "tracker": args.tracker,
        "threshold": args.threshold,
        "known_count": args.known_count,
        "rest_s": args.rest,
        "labels": [label.strip() for label in args.labels.split(",") if label.strip()],
    }
    return {key: value for key, value in chosen.items() if value not in ("", None, [])}


def _again(args: argparse.Namespace) -> int:
    from agent.cli import _again, _runs
    from agent.runtime import run_json

    if args.input or args.target or _values(args):
        raise WrongUse("--again takes input and settings from the run.json; name --output alone")
    uri, values, first_track = _again.recipe(args.again)
    before = run_json.read(args.again)
    outcome = _local(args).analyse(uri, args.output, values, first_track=first_track)
    _runs.tell(outcome)
    if not outcome.done:
        return 1
    after = run_json.read(args.output / run_json.NAME)
    same = _again.same_tracks(before, after)
    print("the same tracks" if same else "other tracks", file=sys.stderr)
    for line in _again.differences(before, after):
        print(f"  {line}", file=sys.stderr)
    return 0 if same else 1
