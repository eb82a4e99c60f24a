"""herdlink model: import, list and check the models of the store."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import InvalidArgument

if TYPE_CHECKING:
    from agent.core.model import ModelSpec
    from agent.detectors.onnx import OnnxDetector
    from agent.models.store import Store

HELP = "Import, list and check models."
EXAMPLE = "herdlink model import pigs.cfg pigs.weights --labels pigs.names --name pigs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    bring = actions.add_parser("import", help="take over a Darknet network (YOLOv3, YOLOv4 family)")
    bring.add_argument("cfg", metavar="CFG", type=Path, help="the network, e.g. yolov4-tiny.cfg")
    bring.add_argument("weights", metavar="WEIGHTS", type=Path, help="its weights, e.g. yolov4-tiny.weights")
    bring.add_argument("--labels", metavar="F", type=Path, help="a file with one label a line, e.g. coco.names")
    bring.add_argument("--name", metavar="N", help="its name in the store (default: that of CFG)")
    bring.add_argument("--size", metavar="N", type=int, default=0, help="side of the input (default: as in CFG)")
    listing = actions.add_parser("list", help="what there is")
    check = actions.add_parser("check", help="try a model and tell all about it")
    check.add_argument("name", metavar="NAME", help="a model in the store, or a path to an .onnx with its .toml")
    check.add_argument("--image", metavar="P", type=Path, help="look for objects in this picture")
    for action in (bring, listing, check):
        action.add_argument("--store", metavar="DIR", type=Path, help="folder of the models (default: $HERDLINK_STORE)")


def run(args: argparse.Namespace) -> int:
    from agent.models.store import Store, default_folder

    store = Store(args.store or default_folder())
    return {"import": _import, "list": _list, "check": _check}[args.action](args, store)


def _import(args: argparse.Namespace, store: Store) -> int:
    from agent.detectors.onnx import open_detector
    from agent.models.darknet import import_darknet, read_labels
    from agent.models.store import Store as Trial
    from agent.models.store import check_name

    name = check_name(args.name or args.cfg.stem)
    if args.size < 0:
        raise InvalidArgument("BAD_MODEL_SIZE", "--size must be a multiple of 32")
    labels = read_labels(args.labels) if args.labels else ()
    onnx, spec = import_darknet(args.cfg, args.weights, name=name, labels=labels, size=args.size)
    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        # Nothing comes into the store that has not run once.
        open_detector(*Trial(Path(folder)).add(onnx, spec))
    path, spec = store.add(onnx, spec)
    print(f"{spec.label}: {spec.width}x{spec.height}, {len(spec.labels)} labels, {path}")
    return 0


def _list(args: argparse.Namespace, store: Store) -> int:
    from agent.models.shipped import SHIPPED

    names = store.names()
    rows = [_row(store.find(name)[1]) for name in names]
    rows += [(name, "-", "-", "-", "fetched when first used") for name in sorted(set(SHIPPED) - set(names))]
    print_table(("NAME", "FORMAT", "INPUT", "LABELS", "SHA256"), rows)
    print(f"store: {store.folder}", file=sys.stderr)
    return 0


def _row(spec: ModelSpec) -> tuple[str, ...]:
    return spec.name, spec.format, f"{spec.width}x{spec.height}", str(len(spec.labels)), spec.sha256[:8]


def _check(args: argparse.Namespace, store: Store) -> int:
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch

    path, spec = find_or_fetch(store, args.name, lambda text: print(text, file=sys.stderr))
    detector = open_detector(path, spec)
    shown = ", ".join(spec.labels[:10]) + (" ..." if len(spec.labels) > 10 else "")
    facts = {
        "model": detector.name,
        "file": f"{path} ({path.stat().st_size / 1e6:.1f} MB)",
        "sha256": f"{spec.sha256} (as recorded)",
        "format": spec.format,
        "input": f"1x3x{spec.height}x{spec.width} {spec.colour}, {spec.fit}",
        "outputs": ", ".join("x".join(map(str, shape)) for shape in detector.output_shapes),
        "labels": f"{len(spec.labels)}: {shown}",
        "source": spec.source or "not known",
        "licence": spec.licence or "not known",
        "provider": detector.provider,
        "one picture": f"{_time_ms(detector, spec):.1f} ms",
    }
    for key, value in facts.items():
        print(f"{key:12} {value}")
    if args.image:
        _look(args.image, detector)
    return 0


def _time_ms(detector: OnnxDetector, spec: ModelSpec) -> float:
    """Milliseconds of the second inference on a grey picture; the first pays for buffers."""
    import numpy as np

    grey = np.full((spec.height, spec.width, 3), 127, np.uint8)
    detector.detect([grey], 0.5)
    begin = time.perf_counter()
    detector.detect([grey], 0.5)
    return (time.perf_counter() - begin) * 1000


def _look(image: Path, detector: OnnxDetector) -> None:
    from agent.cli.detect import DEFAULT_THRESHOLD, draw, print_detections, read_image

    picture = read_image(image)
    found = detector.detect([picture], DEFAULT_THRESHOLD)[0]
    print_detections(found, detector.labels)
    output = Path(f"{image.stem}.checked.jpg")
    draw(picture, found, detector.labels, output)
    print(f"picture: {output}")


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Rows of text in columns, to stdout."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
