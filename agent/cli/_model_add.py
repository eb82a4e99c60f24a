"""herdlink model add: an .onnx file of any detector, recognised, tried, and put into the store."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import InvalidArgument

if TYPE_CHECKING:
    from agent.core.model import ModelSpec
    from agent.detectors.onnx import OnnxDetector
    from agent.models.conclusions import Conclusion
    from agent.models.recognise import Recognised
    from agent.models.store import Store

_WIDEST = 60
_SIZE = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")


def run(args: argparse.Namespace, store: Store) -> int:
    from agent.detectors.onnx import open_detector, run_once
    from agent.models.class_names import read_labels
    from agent.models.onnx_input import check_batch
    from agent.models.overrides import read_overrides
    from agent.models.recognise import Said, recognise
    from agent.models.store import Store as Trial
    from agent.models.store import check_name

    name = check_name(args.name or args.file.stem)
    labels = read_labels(args.labels) if args.labels else ()
    keys, options = read_overrides(args.overrides)
    if args.batch:
        check_batch(args.batch)
    said = Said(labels=labels, size=read_size(args.size), batch=args.batch, keys=keys, options=options)
    found = recognise(args.file, name=name, run=run_once, said=said)
    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        # Nothing comes into the store that has not run once.
        path, spec = Trial(Path(folder)).add(found.data, found.spec)
        detector = open_detector(path, spec)
        if args.image:
            _settle(args.image, detector, found)
    print_conclusions(found.conclusions)
    path, spec = store.add(found.data, found.spec, found.reasons)
    print_added(path, spec)
    if any(one.sure == "likely" for one in found.conclusions):
        cure = f"herdlink model check {name} --image PICTURE shows whether what is likely is right"
        print(f"{cure}; --set KEY=VALUE, or {path.with_suffix('.toml')}, changes it", file=sys.stderr)
    return 0


def print_conclusions(conclusions: tuple[Conclusion, ...]) -> None:
    """A table of what was found out."""
    from agent.cli._table import print_table

    rows = [(one.key, str(one.value)[:_WIDEST], one.sure, one.why) for one in conclusions]
    print_table(("KEY", "VALUE", "SURE", "WHY"), rows)


def _settle(image: Path, detector: OnnxDetector, found: Recognised) -> None:
    """Asks the user where another way to feed the network finds far more in the picture."""
    from agent.cli._model_check import print_tries, tries
    from agent.cli.detect import read_image

    tried = tries(detector, found.spec, read_image(image))
    print_tries(tried)
    best = max(tried, key=lambda one: one.agreement)
    said = {one.key for one in found.conclusions if one.sure == "said"}
    if best.agreement > 2 * tried[0].agreement + 0.5 and not set(best.changes) <= said:
        other = " ".join(f"--set {key}={_text(value)}" for key, value in best.changes.items())
        this = " ".join(f"--set {key}={_text(getattr(found.spec, key))}" for key in best.changes)
        raise InvalidArgument(
            "MODEL_UNCLEAR",
            f"in {image} the model agrees with itself far better when fed otherwise ({best.agreement:.1f} against "
            f"{tried[0].agreement:.1f}); choose: {other}, or as it is: {this}",
        )


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def read_size(text: str) -> tuple[int, int]:
    """Width and height of "640" or "640x384"; zeros for nothing. Raises InvalidArgument (BAD_MODEL_SIZE)."""
    sides = _SIZE.fullmatch(text.strip().lower())
    if text and not sides:
        why = f"--size is a side or WIDTHxHEIGHT in pixels, e.g. 416 or 640x384; it is {text[:40]!r}"
        raise InvalidArgument("BAD_MODEL_SIZE", why)
    return (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)


def print_added(path: Path, spec: ModelSpec) -> None:
    """The last line of import and add."""
    print(f"{spec.label}: {spec.width}x{spec.height}, {len(spec.labels)} labels, {path}")
