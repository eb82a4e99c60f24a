"""herdlink track: the tracker alone, detections in and tracks out as rows of the MOT Challenge."""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import plugins
from agent.cli._use import WrongUse, load_tracker
from agent.core.errors import InvalidArgument, NotFound
from agent.runtime.streams import DEFAULT_THRESHOLD, DEFAULT_TRACKER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agent.core.mot import Rows
    from agent.core.ports import Tracker
    from agent.core.types import Floats, Tracks

HELP = "Track detections from a file: rows of the MOT Challenge in, rows out."
EXAMPLE = "herdlink track det.txt --output tracks.txt --fps 10 --size 1280x720"
DEFAULT_FPS = 30.0
_TRACKERS = "agent.core.trackers"
Select = Callable[["Tracks"], "Tracks"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    trackers = ", ".join(plugins.names(_TRACKERS))
    parser.add_argument(
        "detections", metavar="DET.txt", type=Path, help="rows frame,-1,left,top,width,height,score in pixels"
    )
    parser.add_argument(
        "--output",
        metavar="TRACKS.txt",
        type=Path,
        required=True,
        help="rows frame,id,left,top,width,height,score,class,1",
    )
    parser.add_argument(
        "--fps",
        metavar="R",
        type=float,
        default=DEFAULT_FPS,
        help="frames a second (default: 30, the challenge's usual)",
    )
    parser.add_argument("--size", metavar="WxH", default="", help="the picture in pixels: boxes are cut to it")
    parser.add_argument("--count", metavar="N", type=int, default=0, help="how many animals there are, if known")
    parser.add_argument("--features", metavar="F.npy", type=Path, help="appearance, a row for each detection row")
    parser.add_argument(
        "--tracker", metavar="K", default=DEFAULT_TRACKER, help=f"{trackers} (default: {DEFAULT_TRACKER})"
    )
    parser.add_argument(
        "--threshold",
        metavar="S",
        type=float,
        default=DEFAULT_THRESHOLD,
        help=f"smallest score that a track starts with (default: {DEFAULT_THRESHOLD})",
    )


def run(args: argparse.Namespace) -> int:
    check(args)
    # Before numpy is loaded: BLAS threads that wait for each other made features four times slower on two cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    select = cut_to(args.size)
    module = load_tracker(args.tracker)
    found = read_detections(args.detections)
    features = read_features(args.features, len(found.frames)) if args.features else None
    tracker = module.make(threshold=args.threshold, known_count=args.count)
    begun = time.perf_counter()
    tracks = write_tracks(args.output, found, features, tracker, args.fps, select)
    speed = found.last_frame / max(time.perf_counter() - begun, 1e-9)
    print(f"{args.output}: {found.last_frame} frames, {tracks} tracks, {speed:.0f} frames/s")
    return 0


def check(args: argparse.Namespace) -> None:
    """Raises WrongUse for figures that make no sense."""
    if not (math.isfinite(args.fps) and args.fps > 0):
        raise WrongUse(f"--fps is frames a second, above 0; it is {args.fps}")
    if not math.isfinite(args.threshold):
        raise WrongUse(f"--threshold is a score; it is {args.threshold}")
    if args.count < 0:
        raise WrongUse(f"--count is a number of animals, 0 for unknown; it is {args.count}")
    if args.output.resolve() == args.detections.resolve():
        raise WrongUse(f"--output would overwrite the detections {args.detections}; name another file")


def read_detections(path: Path) -> Rows:
    """The rows of a file. Raises NotFound (NO_DETECTIONS), InvalidArgument (DETECTIONS_UNREADABLE, BAD_ROW)."""
    from agent.core.mot import parse

    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NotFound("NO_DETECTIONS", f"there is no file {path}") from None
    except OSError as error:
        raise InvalidArgument("DETECTIONS_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InvalidArgument(
            "DETECTIONS_UNREADABLE", f"{path} is no text; it must hold rows frame,-1,left,top,width,height,score"
        ) from None
    return parse(text, str(path))


def read_features(path: Path, count: int) -> NDArray[Any]:
    """(count, D) of a .npy file, left on the disk. Raises NotFound (NO_FEATURES), InvalidArgument (BAD_FEATURES)."""
    import numpy as np

    try:
        features: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise NotFound("NO_FEATURES", f"there is no file {path}") from None
    except (OSError, ValueError, EOFError) as error:
        raise InvalidArgument("BAD_FEATURES", f"{path} is no .npy file of numbers that can be read") from error
    shape: tuple[int, ...] = getattr(features, "shape", ())
    if len(shape) != 2 or shape[0] != count or features.dtype.kind not in "fiu":
        raise InvalidArgument(
            "BAD_FEATURES", f"{path} must hold numbers of shape ({count}, D), a row for each detection; it has {shape}"
        )
    return features


def write_tracks(
    path: Path, found: Rows, features: NDArray[Any] | None, tracker: Tracker, fps: float, select: Select
) -> int:
    """Runs the tracker over every frame from 1 to the last and writes its rows; returns the number of tracks."""
    from dataclasses import replace

    from tqdm import tqdm

    from agent.core.mot import rows

    ids: set[int] = set()
    with (
        path.open("w", encoding="ascii") as file,
        tqdm(found.by_frame(), total=found.last_frame, unit="frame", dynamic_ncols=True, disable=None) as frames,
    ):
        for frame, numbers in enumerate(frames, 1):
            detections = found.detections[numbers]
            if features is not None:
                detections = replace(detections, features=unit_vectors(features[numbers], numbers))
            tracks = select(tracker.update(detections, (frame - 1) / fps))
            ids.update(tracks.ids.tolist())
            file.write(rows(frame, tracks))
    return len(ids)


def unit_vectors(features: NDArray[Any], numbers: NDArray[np.intp]) -> Floats:
    """The rows at length 1; zeros stay zeros. Raises InvalidArgument (BAD_FEATURES)."""
    import numpy as np

    vectors: Floats = np.asarray(features, np.float32)
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    bad = ~np.isfinite(lengths[:, 0])
    if bad.any():
        row = int(numbers[int(bad.argmax())]) + 1
        raise InvalidArgument("BAD_FEATURES", f"row {row} of the features holds a figure that is not a finite number")
    return (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)


def cut_to(size: str) -> Select:
    """What cuts boxes to a picture "1280x720" and leaves out those beyond it; "": leaves all as they are."""
    import numpy as np

    from agent.core.types import Tracks

    if not size:
        return lambda tracks: tracks
    width, cross, height = size.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise WrongUse(f"--size is the width and height of the picture, e.g. 1280x720; it is {size!r}")
    edges = np.array([int(width), int(height)] * 2, np.float32)

    def cut(tracks: Tracks) -> Tracks:
        boxes = np.clip(tracks.boxes, 0, edges)
        # Rows have two decimals: what is thinner would be written as a box without area.
        seen = (boxes[:, 2:] - boxes[:, :2] >= 0.01).all(axis=1)
        return Tracks(tracks.ids[seen], boxes[seen], tracks.scores[seen], tracks.classes[seen], tracks.ages[seen])

    return cut
