"""herdlink detect: the objects in one picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli._use import WrongUse
from agent.core.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from agent.core.scene import Scene
    from agent.core.types import Detections, Image

HELP = "Find the objects in a picture."
EXAMPLE = """herdlink detect barn.jpg --threshold 0.4 --output barn-found.jpg
  herdlink detect barn.jpg --scene barn.json --output barn-scene.png; herdlink call SetScene "$(cat barn.json)\""""
DEFAULT_MODEL = "yolov4-tiny"
DEFAULT_THRESHOLD = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", type=Path, help="a picture file")
    parser.add_argument(
        "--model", metavar="M", default=DEFAULT_MODEL, help=f"a model in the store or a path (default: {DEFAULT_MODEL})"
    )
    parser.add_argument(
        "--threshold",
        metavar="S",
        type=float,
        default=DEFAULT_THRESHOLD,
        help=f"smallest score, 0..1 (default: {DEFAULT_THRESHOLD})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table; boxes in pixels")
    parser.add_argument("--output", metavar="PICTURE", type=Path, help="write the picture with boxes (.jpg, .png)")
    parser.add_argument(
        "--scene",
        metavar="SCENE.json",
        type=Path,
        help="a request of SetScene: its area drops what lies outside, and --output shows zones, lines and the ground",
    )
    parser.add_argument("--store", metavar="DIR", type=Path, help="folder of the models (default: $HERDLINK_STORE)")


def run(args: argparse.Namespace) -> int:
    from agent.core.area import Area
    from agent.core.scene import NO_SCENE
    from agent.core.scene_picture import draw_scene
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch
    from agent.models.store import Store, default_folder

    if not 0 <= args.threshold <= 1:
        raise WrongUse(f"--threshold is a score from 0 to 1; it is {args.threshold}")
    scene = read_scene(args.scene) if args.scene else NO_SCENE
    image = read_image(args.image)
    store = Store(args.store or default_folder())
    detector = open_detector(*find_or_fetch(store, args.model, lambda text: print(text, file=sys.stderr)))
    found = detector.detect([image], args.threshold)[0]
    height, width = image.shape[:2]
    found = Area(scene.area).keep(found, 0.0, (height, width))
    if args.output:
        draw(draw_scene(image, scene, grid=True), found, detector.labels, args.output)
    if args.json:
        print(json.dumps(to_json(image, found, detector.labels)))
    else:
        print_detections(found, detector.labels)
    return 0


def read_scene(path: Path) -> Scene:
    """The scene of a file that holds a request of SetScene as JSON. Raises HerdlinkError."""
    from google.protobuf.json_format import Parse, ParseError

    from agent.core import scene_check
    from agent.rpc.scene import unpack
    from herdlink.v1.edge_pb2 import SetSceneRequest

    try:
        scene = unpack(Parse(path.read_text(encoding="utf-8"), SetSceneRequest()))
    except OSError as error:
        raise NotFound("NO_SCENE", f"{path} cannot be read: {error.strerror}") from error
    except (ParseError, UnicodeDecodeError) as error:
        raise InvalidArgument("BAD_SCENE", f"{path} is no request of SetScene: {error}") from error
    scene_check.check(scene)
    return scene


def read_image(path: Path) -> Image:
    """A picture file as (height, width, 3) BGR. Raises NotFound (NO_IMAGE), InvalidArgument (IMAGE_UNREADABLE)."""
    import cv2
    import numpy as np

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except FileNotFoundError:
        raise NotFound("NO_IMAGE", f"there is no picture {path}") from None
    except OSError as error:
        raise InvalidArgument("IMAGE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        # A header that promises more pixels than OpenCV allows.
        image = None
    if image is None:
        raise InvalidArgument("IMAGE_UNREADABLE", f"{path} is no picture that can be read, e.g. JPEG or PNG")
    return np.asarray(image, np.uint8)


def to_json(image: Image, found: Detections, labels: Sequence[str]) -> dict[str, object]:
    """What --json prints: box is left, top, width, height in pixels."""
    detections = [
        {
            "label": labels[number],
            "score": round(float(score), 4),
            "box": [round(float(side), 2) for side in (left, top, right - left, bottom - top)],
        }
        for (left, top, right, bottom), score, number in zip(found.boxes, found.scores, found.classes, strict=True)
    ]
    return {"width": image.shape[1], "height": image.shape[0], "detections": detections}


def print_detections(found: Detections, labels: Sequence[str]) -> None:
    """A table to stdout."""
    from agent.cli._table import print_table

    rows = [
        (labels[number], f"{score:.2f}", *(f"{side:.0f}" for side in (left, top, right - left, bottom - top)))
        for (left, top, right, bottom), score, number in zip(found.boxes, found.scores, found.classes, strict=True)
    ]
    if rows:
        print_table(("LABEL", "SCORE", "LEFT", "TOP", "WIDTH", "HEIGHT"), rows)
    else:
        print("nothing found; a smaller --threshold shows more")


def draw(image: Image, found: Detections, labels: Sequence[str], output: Path) -> None:
    """Writes the picture with its boxes, a colour a class. Raises InvalidArgument (BAD_OUTPUT)."""
    import cv2

    from agent.core.picture import annotate

    texts = [f"{labels[n]} {score:.2f}" for n, score in zip(found.classes, found.scores, strict=True)]
    drawn = annotate(image, found.boxes, found.classes, texts)
    try:
        done, data = cv2.imencode(output.suffix or ".", drawn)
    except cv2.error:
        done = False
    if not done:
        raise InvalidArgument("BAD_OUTPUT", f"{output} must end in .jpg or .png")
    output.write_bytes(data.tobytes())
