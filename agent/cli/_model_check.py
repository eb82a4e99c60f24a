"""herdlink model check: a model tried, and what it finds in a picture, fed as described and otherwise."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.core.model import ModelSpec
    from agent.core.types import Detections, Doubles, Floats, Image
    from agent.detectors.onnx import OnnxDetector
    from agent.models.store import Store

_SAME = 0.5
"""IoU."""
_ENOUGH = 5.0
"""Sum of scores: a network that is fed wrongly may find hundreds of objects."""
_PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def run(args: argparse.Namespace, store: Store) -> int:
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import find_or_fetch

    path, spec = find_or_fetch(store, args.name, lambda text: print(text, file=sys.stderr))
    detector = open_detector(path, spec)
    for key, value in _facts(path, spec, detector).items():
        print(f"{key:12} {value}")
    if args.image:
        _look(args.image, detector, spec)
    return 0


def _facts(path: Path, spec: ModelSpec, detector: OnnxDetector) -> dict[str, str]:
    shown = ", ".join(spec.labels[:10]) + (" ..." if len(spec.labels) > 10 else "")
    sides = f"3x{spec.height}x{spec.width}" if spec.layout == "NCHW" else f"{spec.height}x{spec.width}x3"
    many = detector.batch
    return {
        "model": detector.name,
        "file": f"{path} ({path.stat().st_size / 1e6:.1f} MB)",
        "sha256": f"{spec.sha256} (as recorded)",
        "format": spec.format,
        "input": f"{many}x{sides} {spec.colour} {detector.input_type}, {_fit(spec)}",
        "values": _values(spec),
        "outputs": ", ".join("x".join(map(str, (many * shape[0], *shape[1:]))) for shape in detector.output_shapes),
        "labels": f"{len(spec.labels)}: {shown}",
        "source": spec.source or "not known",
        "licence": spec.licence or "not known",
        "provider": detector.provider,
        "one picture" if many == 1 else f"{many} pictures": f"{_time_ms(detector, spec):.1f} ms",
    }


def _fit(spec: ModelSpec) -> str:
    return spec.fit if spec.fit == "stretch" else f"letterbox ({spec.place}, bars of {spec.fill})"


def _values(spec: ModelSpec) -> str:
    plain = spec.mean == _PLAIN["mean"] and spec.std == _PLAIN["std"]
    return f"byte x {spec.scale:.6g}" + ("" if plain else f" - {list(spec.mean)}, / {list(spec.std)}")


def _time_ms(detector: OnnxDetector, spec: ModelSpec) -> float:
    """Milliseconds of the second inference on grey pictures; the first pays for buffers."""
    import numpy as np

    grey = [np.full((spec.height, spec.width, 3), 127, np.uint8)] * detector.batch
    detector.detect(grey, 0.5)
    begin = time.perf_counter()
    detector.detect(grey, 0.5)
    return (time.perf_counter() - begin) * 1000


def _look(image: Path, detector: OnnxDetector, spec: ModelSpec) -> None:
    from agent.cli.detect import DEFAULT_THRESHOLD, draw, print_detections, read_image

    picture = read_image(image)
    found = detector.detect([picture], DEFAULT_THRESHOLD)[0]
    print_detections(found, detector.labels)
    output = Path(f"{image.stem}.checked.jpg")
    draw(picture, found, detector.labels, output)
    print_tries(tries(detector, spec, picture))
    print(f"picture: {output}")


@dataclass(frozen=True, slots=True)
class Try:
    """What a model finds in a picture when it is fed in one way."""

    changes: Mapping[str, Any]
    """Of its description."""
    objects: int
    agreement: float
    """How far it finds the same objects in the picture and in its mirror image. What is fed wrongly may find much, but
    not the same, or everything everywhere.
    """


def tries(detector: OnnxDetector, spec: ModelSpec, picture: Image) -> list[Try]:
    """As described first, then with one thing changed each: the more it agrees with itself, the likelier."""
    import numpy as np

    from agent.cli.detect import DEFAULT_THRESHOLD

    pictures = [picture, np.ascontiguousarray(picture[:, ::-1])]
    found = []
    for changes in ({}, *_others(spec, detector.input_type)):
        seen, mirrored = detector.fed(replace(spec, **changes)).detect(pictures, DEFAULT_THRESHOLD)
        found.append(Try(changes, len(seen), _agreement(seen, mirrored, picture.shape[1])))
    return found


def _agreement(seen: Detections, mirrored: Detections, width: int) -> float:
    """How far a picture and its mirror image agree beyond chance: the share of all found, squared, times what is found,
    of which more than a few objects count no more.
    """
    import numpy as np

    left, top, right, bottom = mirrored.boxes.T
    centres = np.stack([width - (left + right) / 2, (top + bottom) / 2, right - left, bottom - top], axis=1)
    moved = centres.copy()
    moved[:, 0] = (moved[:, 0] + width / 3) % width
    # Boxes all over the picture agree with anything: also with themselves a third of the picture farther.
    beyond = max(_shared(seen, mirrored, centres) - _shared(seen, mirrored, moved), 0.0)
    total = max(float(seen.scores.sum()), 1e-9)
    return (beyond / total) ** 2 * min(total, _ENOUGH)


def _shared(seen: Detections, others: Detections, centres: Doubles | Floats) -> float:
    """Sum of the lower scores of what is found in both; (N, 4) centre and size are the places of the others."""
    import numpy as np

    boxes = np.concatenate([centres[:, :2] - centres[:, 2:] / 2, centres[:, :2] + centres[:, 2:] / 2], axis=1)
    begin = np.maximum(seen.boxes[:, None, :2], boxes[None, :, :2])
    inside = np.clip(np.minimum(seen.boxes[:, None, 2:], boxes[None, :, 2:]) - begin, 0, None).prod(axis=2)
    areas = [(one[:, 2:] - one[:, :2]).prod(axis=1) for one in (seen.boxes, boxes)]
    overlap = inside / (areas[0][:, None] + areas[1][None] - inside)
    same = (overlap >= _SAME) & (seen.classes[:, None] == others.classes[None])
    both = np.minimum(seen.scores[:, None], others.scores[None])
    return float(np.where(same, both, 0).max(axis=1, initial=0).sum())


def _others(spec: ModelSpec, dtype: str) -> Sequence[dict[str, Any]]:
    """Other ways to feed it."""
    changes: list[dict[str, Any]] = [
        {"colour": "BGR" if spec.colour == "RGB" else "RGB"},
        {"fit": "letterbox" if spec.fit == "stretch" else "stretch"},
    ]
    if spec.fit == "letterbox":
        changes.append({"place": "corner" if spec.place == "centre" else "centre"})
    if dtype != "uint8":
        imagenet = {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
        scales = ({"scale": 1.0, **_PLAIN}, {"scale": 1 / 255, **_PLAIN}, imagenet)
        changes += [one for one in scales if any(getattr(spec, key) != value for key, value in one.items())]
    return changes


def print_tries(tried: Sequence[Try]) -> None:
    """A table, as described first."""
    from agent.cli._table import print_table

    rows = [
        (
            ", ".join(f"{key} = {value}" for key, value in one.changes.items()) or "as described",
            str(one.objects),
            f"{one.agreement:.2f}",
        )
        for one in tried
    ]
    print_table(("FED", "OBJECTS", "AGREEMENT WITH ITS MIRROR IMAGE"), rows)
