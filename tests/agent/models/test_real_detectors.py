"""Published networks, added without a hint, on real photos. Their files are where HERDLINK_TEST_MODELS says."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from darknet_toys import opencv_layers, our_layers

from agent.core.model import ModelSpec
from agent.core.types import Detections
from agent.detectors.onnx import OnnxDetector, open_detector, run_once
from agent.models import darknet_layers
from agent.models.darknet import import_darknet
from agent.models.recognise import Said, recognise
from agent.models.store import Store

# Public files that are not this project's: yolox_nano.onnx from Kazuhito00/YOLOX-ONNX-TFLite-Sample, FastestDet.onnx
# from dog-qiuqiu/FastestDet, yolo-fastest-1.1.cfg and .weights from dog-qiuqiu/Yolo-Fastest; in folders as below.
MODELS = Path(os.environ.get("HERDLINK_TEST_MODELS", "not-set"))
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
        pytest.skip(
            f"set HERDLINK_TEST_MODELS to a folder that holds {FILES[format_name]} (see above) to try the real network"
        )
    if format_name == "darknet":
        onnx = folder / "any.bin"
        spec = import_darknet(file.with_suffix(".cfg"), file, onnx, name="any")
        path, spec = Store(folder).add(onnx, spec)
    else:
        (folder / "any").write_bytes(file.read_bytes())
        found = recognise(folder / "any", name="any", run=run_once, said=Said())
        path, spec = Store(folder).add(found.data, found.spec, found.reasons)
    return open_detector(path, spec, provider="cpu"), spec


def best_overlap(found: Detections, label: int, box: tuple[float, ...]) -> float:
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


@pytest.mark.parametrize("photo", ["bus.jpg", "zidane.jpg"])
def test_yolo_fastest_equals_opencv_layer_by_layer(
    photo: str, darknet_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With OpenCV's epsilon in the batch norm: one of its channels has a variance so small that Darknet's own shows."""
    monkeypatch.setattr(darknet_layers, "_BATCH_NORM_EPSILON", 1e-6)
    weights = MODELS / FILES["darknet"]
    if not weights.is_file():
        pytest.skip(f"HERDLINK_TEST_MODELS has no {weights.name}: the check on a real network is left out")
    image = cv2.imread(str(darknet_files / photo))
    blob = cv2.dnn.blobFromImage(image, 1 / 255, (320, 320), swapRB=True)
    cfg = weights.with_suffix(".cfg")
    ours, theirs = our_layers(cfg, weights, blob), opencv_layers(cfg, weights, blob)
    assert len(ours) > 120 and ours.keys() == theirs.keys()
    for number, value in ours.items():
        np.testing.assert_allclose(value, theirs[number], atol=1e-3, rtol=1e-4, err_msg=f"layer {number}")


@pytest.mark.parametrize("photo", ["bus.jpg", "zidane.jpg"])
def test_yolox_equals_its_own_code_written_out(photo: str, darknet_files: Path, tmp_path: Path) -> None:
    """Ratio, padding, decoding and greedy suppression as the paper's repository describes them, in plain numpy."""
    detector, _ = opened("yolox", tmp_path)
    image = cv2.imread(str(darknet_files / photo))
    ratio = min(416 / image.shape[0], 416 / image.shape[1])
    small = cv2.resize(image, (int(image.shape[1] * ratio), int(image.shape[0] * ratio)))
    padded = np.full((416, 416, 3), 114, np.float32)
    padded[: small.shape[0], : small.shape[1]] = small
    rows = next(iter(run_once("yolox", MODELS / FILES["yolox"], {"images": padded.transpose(2, 0, 1)[None]}).values()))[
        0
    ]
    wanted, cell = [], 0
    for stride in (8, 16, 32):
        for row, column in np.ndindex(416 // stride, 416 // stride):
            x, y, w, h = rows[cell, :4] + [column, row, 0, 0]
            label = int(rows[cell, 5:].argmax())
            middle, size = np.array([x, y]) * stride / ratio, np.exp([w, h]) * stride / ratio
            wanted.append((rows[cell, 4] * rows[cell, 5 + label], label, [*(middle - size / 2), *(middle + size / 2)]))
            cell += 1
    kept: list[tuple[float, int, list[float]]] = []
    for one in sorted((one for one in wanted if one[0] >= 0.3), key=lambda one: -one[0]):
        alone = Detections(*(np.array(part, np.float32) for part in ([one[2]], [one[0]])), np.array([one[1]], np.int32))
        if all(best_overlap(alone, label, tuple(box)) <= 0.45 for _, label, box in kept):
            kept.append(one)
    found = detector.detect([image], 0.3)[0]
    assert found.classes.tolist() == [label for _, label, _ in kept] and len(kept) > 2
    np.testing.assert_allclose(found.scores, [score for score, _, _ in kept], atol=1e-4)
    limits = [image.shape[1], image.shape[0]] * 2
    # The repository divides by the ratio before rounding, we by the one after: less than a pixel.
    np.testing.assert_allclose(found.boxes, np.clip([box for _, _, box in kept], 0, limits), atol=2.0)


def test_yolox_has_the_colours_and_the_place_right(darknet_files: Path, tmp_path: Path) -> None:
    """Fed as its own code does it, the network is surer of the same objects than fed otherwise."""
    detector, spec = opened("yolox", tmp_path)
    assert (spec.colour, spec.scale, spec.fit, spec.place, spec.fill) == ("BGR", 1.0, "letterbox", "corner", 114)
    found = detector.detect([cv2.imread(str(darknet_files / "bus.jpg"))], 0.3)[0]
    assert best_overlap(found, detector.labels.index("bus"), BUS["bus"][0]) > 0.85
    assert found.scores[0] > 0.85
