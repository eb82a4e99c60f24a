"""Published networks, added without a hint, on real photos. Their files lie beside the checkout or nowhere."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.model import ModelSpec
from agent.core.types import Detections
from agent.detectors.onnx import OnnxDetector, open_detector, run_once
from agent.models.darknet import import_darknet
from agent.models.recognise import Said, recognise
from agent.models.store import Store

MODELS = Path(__file__).parents[4] / "shared" / "data" / "models"
FILES = {
    "yolox": "yolox-nano/yolox_nano.onnx",
    "fastestdet": "fastestdet/FastestDet.onnx",
    "darknet": "yolo-fastest-1.1/yolo-fastest-1.1.weights",
}
# The people and the bus, by eye: left, top, right, bottom.
BUS = {"bus": [(15, 220, 805, 745)], "person": [(50, 398, 240, 900), (222, 405, 345, 860), (670, 385, 810, 880)]}
ZIDANE = {"person": [(745, 40, 1140, 715), (120, 200, 1000, 715)]}


def opened(format_name: str, folder: Path) -> tuple[OnnxDetector, ModelSpec]:
    """The network under a name that tells nothing."""
    file = MODELS / FILES[format_name]
    if not file.is_file():
        pytest.skip(f"{file} is not on this machine: the check on a real network is left out")
    if format_name == "darknet":
        onnx = folder / "any.bin"
        spec = import_darknet(file.with_suffix(".cfg"), file, onnx, name="any")
        path, spec = Store(folder).add(onnx, spec)
    else:
        (folder / "any").write_bytes(file.read_bytes())
        found = recognise(folder / "any", name="any", run=run_once, said=Said())
        path, spec = Store(folder).add(found.data, found.spec, found.reasons)
    return open_detector(path, spec, provider="cpu"), spec


def best_overlap(found: Detections, label: int, box: tuple[int, ...]) -> float:
    boxes = found.boxes[found.classes == label]
    shared = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    area = np.clip(shared, 0, None).prod(axis=1)
    both = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2] - box[0]) * (box[3] - box[1])
    return float((area / (both - area)).max(initial=0.0))


@pytest.mark.parametrize("format_name", FILES)
def test_it_finds_what_is_in_the_photos(format_name: str, darknet_files: Path, tmp_path: Path) -> None:
    detector, spec = opened(format_name, tmp_path)
    assert spec.format == format_name
    overlaps = []
    for photo, wanted in (("bus.jpg", BUS), ("zidane.jpg", ZIDANE)):
        found = detector.detect([cv2.imread(str(darknet_files / photo))], 0.3)[0]
        overlaps += [
            best_overlap(found, detector.labels.index(label), box) for label, boxes in wanted.items() for box in boxes
        ]
    # A network of a megabyte may miss one of them.
    assert sorted(overlaps)[1] > 0.5, overlaps


def test_yolox_has_the_colours_and_the_place_right(darknet_files: Path, tmp_path: Path) -> None:
    """Fed as its own code does it, the network is surer of the same objects than fed otherwise."""
    detector, spec = opened("yolox", tmp_path)
    assert (spec.colour, spec.scale, spec.fit, spec.place, spec.fill) == ("BGR", 1.0, "letterbox", "corner", 114)
    found = detector.detect([cv2.imread(str(darknet_files / "bus.jpg"))], 0.3)[0]
    assert best_overlap(found, detector.labels.index("bus"), BUS["bus"][0]) > 0.85
    assert found.scores[0] > 0.85
