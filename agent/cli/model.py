"""herdlink model: import, add, list, check and time the models of the store."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.model import ModelSpec
    from agent.models.store import Store

HELP = "Bring your own model: import, add, list, check, bench."
EXAMPLE = "herdlink model add pigs.onnx --labels pigs.names --name pigs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    bring = actions.add_parser("import", help="take over a Darknet network (YOLOv3, YOLOv4 and relatives)")
    bring.add_argument("cfg", metavar="CFG", type=Path, help="the network, e.g. yolov4-tiny.cfg")
    bring.add_argument("weights", metavar="WEIGHTS", type=Path, help="its weights, e.g. yolov4-tiny.weights")
    add = actions.add_parser("add", help="take over an .onnx file of any detector; says how it is read and why")
    add.add_argument("file", metavar="FILE.onnx", type=Path, help="the network")
    add.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="how it is read, where that is known better: format, colour, scale, mean, std, fit, place, fill ...",
    )
    add.add_argument("--image", metavar="P", type=Path, help="a picture with objects to settle how it is to be fed")
    for action in (bring, add):
        action.add_argument("--labels", metavar="F", type=Path, help="a file with one label a line, e.g. coco.names")
        action.add_argument("--name", metavar="N", help="its name in the store (default: that of the file)")
        action.add_argument("--size", metavar="N|WxH", default="", help="the input in pixels (default: as in the file)")
        action.add_argument(
            "--batch", metavar="N", type=int, default=0, help="pictures that it takes at once (default: 1; see bench)"
        )
    bring.epilog = "example: herdlink model import pigs.cfg pigs.weights --labels pigs.names --name pigs"
    add.epilog = "example: herdlink model add pigs.onnx --labels pigs.names --name pigs"
    listing = actions.add_parser("list", help="what there is", epilog="example: herdlink model list")
    check = actions.add_parser("check", help="try a model and tell all about it")
    check.add_argument("--image", metavar="P", type=Path, help="look for objects in this picture; write it with boxes")
    bench = actions.add_parser("bench", help="milliseconds a picture on this machine, and the best setting")
    bench.add_argument("--seconds", metavar="S", type=float, default=20.0, help="how long it may take (default: 20)")
    check.epilog = "example: herdlink model check pigs --image pen.jpg"
    bench.epilog = "example: herdlink model bench pigs"
    for action in (check, bench):
        action.add_argument("name", metavar="NAME", help="a model in the store, or a path to an .onnx with its .toml")
    for action in (bring, add, listing, check, bench):
        action.add_argument("--store", metavar="DIR", type=Path, help="folder of the models (default: $HERDLINK_STORE)")


def run(args: argparse.Namespace) -> int:
    from agent.cli import _model_add, _model_bench, _model_check
    from agent.models.store import Store, default_folder

    store = Store(args.store or default_folder())
    actions = {"import": _import, "add": _model_add.run, "list": _list}
    return {**actions, "check": _model_check.run, "bench": _model_bench.run}[args.action](args, store)


def _import(args: argparse.Namespace, store: Store) -> int:
    from agent.cli._model_add import print_added, read_size
    from agent.detectors.onnx import open_detector
    from agent.models.class_names import read_labels
    from agent.models.darknet import import_darknet
    from agent.models.onnx_input import check_batch
    from agent.models.store import Store as Trial
    from agent.models.store import check_name

    name = check_name(args.name or args.cfg.stem)
    labels = read_labels(args.labels) if args.labels else ()
    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        file = Path(folder) / "new.onnx"
        size, batch = read_size(args.size), check_batch(args.batch or 1)
        spec = import_darknet(args.cfg, args.weights, file, name=name, labels=labels, size=size, batch=batch)
        # Nothing comes into the store that has not run once.
        open_detector(*Trial(Path(folder)).add(file, spec))
        path, spec = store.add(file, spec)
    print_added(path, spec)
    return 0


def _list(args: argparse.Namespace, store: Store) -> int:
    from agent.cli._table import print_table
    from agent.models.shipped import INCLUDED, SHIPPED

    names = store.names()
    rows = [_row(store.find(name)[1]) for name in names]
    rows += [_row(INCLUDED.find(name)[1]) for name in INCLUDED.names() if name not in names]
    rows += [(name, "-", "-", "-", "fetched when first used") for name in sorted(set(SHIPPED) - set(names))]
    print_table(("NAME", "FORMAT", "INPUT", "LABELS", "SHA256"), rows)
    print(f"store: {store.folder}", file=sys.stderr)
    return 0


def _row(spec: ModelSpec) -> tuple[str, ...]:
    return spec.name, spec.format, f"{spec.width}x{spec.height}", str(len(spec.labels)), spec.sha256[:8]
