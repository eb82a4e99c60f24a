"""The detector on real photos against OpenCV's own importer, and everything that can be wrong with a model file."""

from __future__ import annotations

import json
import struct
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from agent.core.errors import FailedPrecondition, HerdlinkError, InvalidArgument, NotFound
from agent.core.model import ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections
from agent.detectors import _model_file
from agent.detectors.onnx import OnnxDetector, open_detector
from agent.models.darknet import import_darknet
from agent.models.store import Store

TOY = """[net]
width=64
height=96
[convolutional]
filters=8
size=3
stride=2
pad=1
activation=mish
[convolutional]
filters=14
size=1
activation={activation}
[yolo]
mask=0,2
anchors=6,9, 2,3, 17,15
classes=2
num=3
scale_x_y={scale}
new_coords={new}
"""


@pytest.fixture(scope="module")
def coco(coco_model: tuple[Path, ModelSpec]) -> OnnxDetector:
    return open_detector(*coco_model, provider="cpu")


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Path, ModelSpec]:
    return toy_model(tmp_path)


def toy_model(folder: Path, *, scale: float = 1.0, new: int = 0, batch: int = 1) -> tuple[Path, ModelSpec]:
    """A small network with random weights, in a store, its Darknet files beside."""
    folder.mkdir(exist_ok=True)
    cfg, weights = folder / "toy.cfg", folder / "toy.weights"
    cfg.write_text(TOY.format(scale=scale, new=new, activation="logistic" if new else "linear"))
    values = np.random.default_rng(5).normal(0, 0.5, 8 + 8 * 27 + 14 + 14 * 8).astype("<f4")
    weights.write_bytes(struct.pack("<3iq", 0, 2, 5, 0) + values.tobytes())
    onnx = folder / "new.bin"
    spec = import_darknet(cfg, weights, onnx, name="toy", labels=("cow", "sheep"), batch=batch)
    return Store(folder).add(onnx, spec)


def opencv_detections(cfg: Path, weights: Path, image: np.ndarray, spec: ModelSpec, threshold: float) -> Detections:
    """OpenCV reads the Darknet files, stretches, runs and decodes by itself; rows are cx, cy, w, h, obj, classes."""
    net = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, (spec.width, spec.height), swapRB=True))
    rows = np.concatenate(net.forward(net.getUnconnectedOutLayersNames()))
    scores, classes = rows[:, 5:].max(axis=1), rows[:, 5:].argmax(axis=1).astype(np.int32)
    rows, scores, classes = rows[scores >= threshold], scores[scores >= threshold], classes[scores >= threshold]
    height, width = image.shape[:2]
    centres, sizes = rows[:, :2] * [width, height], rows[:, 2:4] * [width, height]
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
    return pick(boxes, scores, classes, width=width, height=height)


def assert_equal(ours: Detections, theirs: Detections) -> None:
    assert len(ours) == len(theirs)
    np.testing.assert_array_equal(ours.classes, theirs.classes)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.5)


@pytest.mark.parametrize("photo", ["bus.jpg", "zidane.jpg"])
@pytest.mark.parametrize("threshold", [0.25, 0.5])
def test_the_real_model_finds_what_opencv_finds(
    coco: OnnxDetector, coco_model: tuple[Path, ModelSpec], darknet_files: Path, photo: str, threshold: float
) -> None:
    image = cv2.imread(str(darknet_files / photo))
    files = darknet_files / "yolov4-tiny.cfg", darknet_files / "yolov4-tiny.weights"
    theirs = opencv_detections(*files, image, coco_model[1], threshold)
    found = coco.detect([image], threshold)[0]
    assert "person" in [coco.labels[n] for n in found.classes]
    assert_equal(found, theirs)


@pytest.mark.parametrize(("scale", "new"), [(1.0, 0), (1.2, 0), (2.0, 1)])
def test_scale_x_y_and_new_coords_are_decoded_as_opencv_does(tmp_path: Path, scale: float, new: int) -> None:
    path, spec = toy_model(tmp_path, scale=scale, new=new)
    image = np.random.default_rng(2).integers(0, 256, (120, 90, 3), np.uint8)
    # OpenCV drops scores below 0.2 by itself.
    theirs = opencv_detections(tmp_path / "toy.cfg", tmp_path / "toy.weights", image, spec, 0.3)
    assert len(theirs) > 5
    assert_equal(open_detector(path, spec).detect([image], 0.3)[0], theirs)


def test_it_tells_what_it_is(coco: OnnxDetector, coco_model: tuple[Path, ModelSpec]) -> None:
    assert coco.name == f"yolov4-tiny@{coco_model[1].sha256[:8]}"
    assert coco.provider == "CPUExecutionProvider"
    assert len(coco.labels) == 80 and coco.labels[18] == "sheep"
    assert coco.output_shapes == [(1, 255, 13, 13), (1, 255, 26, 26)]


def test_several_pictures_give_one_answer_each(coco: OnnxDetector, darknet_files: Path) -> None:
    images = [cv2.imread(str(darknet_files / name)) for name in ("bus.jpg", "zidane.jpg")]
    alone = [coco.detect([image], 0.3)[0] for image in images]
    for one, other in zip(coco.detect(images, 0.3), alone, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
    assert coco.detect([], 0.3) == []


def pictures(count: int) -> list[np.ndarray]:
    """Noise of several sizes."""
    return [np.random.default_rng(seed).integers(0, 256, (50 + 31 * seed, 80, 3), np.uint8) for seed in range(count)]


@pytest.mark.parametrize("batch", [1, 3])
def test_threads_do_not_disturb_each_other(batch: int, tmp_path: Path) -> None:
    detector = open_detector(*toy_model(tmp_path, batch=batch), threads=1)
    images = pictures(4)
    alone = [detector.detect([image], 0.3)[0].boxes for image in images]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(100):
            found = detector.detect([images[number]], 0.3)[0].boxes
            if found.shape != alone[number].shape or not np.allclose(found, alone[number], atol=1e-3):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len({len(boxes) for boxes in alone}) > 1


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_network_of_three_pictures_sees_each_as_alone(count: int, tmp_path: Path) -> None:
    single = open_detector(*toy_model(tmp_path / "one"))
    triple = open_detector(*toy_model(tmp_path / "three", batch=3))
    assert (single.batch, triple.batch, triple.output_shapes) == (1, 3, single.output_shapes)
    images = pictures(count)
    for one, other in zip(triple.detect(images, 0.3), single.detect(images, 0.3), strict=True):
        assert len(one) > 0
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
    assert triple.detect([], 0.3) == []


def test_letterbox_boxes_are_in_the_pictures_pixels(coco_model: tuple[Path, ModelSpec], darknet_files: Path) -> None:
    path, spec = coco_model
    image = cv2.imread(str(darknet_files / "zidane.jpg"))
    boxed = open_detector(path, replace(spec, fit="letterbox")).detect([image], 0.3)[0]
    plain = open_detector(path, spec).detect([image], 0.3)[0]
    for found in (boxed, plain):
        best = found.boxes[found.classes == 0][0]
        # Zidane's place in the photo, by eye.
        assert np.abs(best - [745, 40, 1140, 715]).max() < 60


def test_another_file_under_the_name_is_refused(toy: tuple[Path, ModelSpec]) -> None:
    path, spec = toy
    path.write_bytes(path.read_bytes() + b"\0")
    assert "toy.onnx is not the file it was" in refusal(path, spec, FailedPrecondition, "MODEL_CHANGED")


def test_a_model_that_is_gone(toy: tuple[Path, ModelSpec]) -> None:
    toy[0].unlink()
    assert "No such file" in refusal(*toy, NotFound, "MODEL_NOT_FOUND")


@pytest.mark.parametrize("content", [b"", b"no model but a text", b"\x00" * 100, bytes(range(256)) * 9])
def test_a_file_that_is_no_model(content: bytes, toy: tuple[Path, ModelSpec], tmp_path: Path) -> None:
    path, spec = Store(tmp_path / "other").add(content, toy[1])
    assert "toy.onnx is no ONNX model that can be run" in refusal(path, spec, InvalidArgument, "MODEL_INVALID")


def test_a_model_cut_in_half(toy: tuple[Path, ModelSpec], tmp_path: Path) -> None:
    path, spec = Store(tmp_path / "other").add(toy[0].read_bytes()[:-200], toy[1])
    assert "is no ONNX model that can be run" in refusal(path, spec, InvalidArgument, "MODEL_INVALID")


def test_a_description_of_another_input(toy: tuple[Path, ModelSpec]) -> None:
    path, spec = toy
    said = refusal(path, replace(spec, width=96), InvalidArgument, "MODEL_INVALID")
    assert "takes tensor(float) [1, 3, 96, 64]; its description says tensor(float) [1, 3, 96, 96]" in said


def test_a_description_of_other_outputs(toy: tuple[Path, ModelSpec]) -> None:
    path, spec = toy
    said = refusal(path, replace(spec, labels=("cow",)), InvalidArgument, "MODEL_INVALID")
    assert "2 anchors and 1 labels make 12 channels" in said


def test_a_format_nobody_knows(toy: tuple[Path, ModelSpec]) -> None:
    path, spec = toy
    said = refusal(path, replace(spec, format="crystal"), InvalidArgument, "UNKNOWN_MODEL_FORMAT")
    assert "no model format 'crystal'; known: " in said and "darknet" in said


def test_a_model_that_loads_but_fails_in_its_first_run(toy: tuple[Path, ModelSpec], tmp_path: Path) -> None:
    # Its reshape asks for another number of values than there are, which shows only when it runs.
    shape = helper.make_tensor("wanted", TensorProto.INT64, [1], [7])
    nodes = [
        helper.make_node("Reshape", ["image", "shape"], ["out"]),
        helper.make_node("Add", ["wanted", "zero"], ["shape"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 96, 64])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    zero = helper.make_tensor("zero", TensorProto.INT64, [1], [0])
    graph = helper.make_graph(nodes[::-1], "bad", [image], [out], [shape, zero])
    data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    path, spec = Store(tmp_path / "other").add(data, toy[1])
    assert "toy.onnx" in refusal(path, spec, InvalidArgument, "MODEL_INVALID")


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA"
)
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_provider_that_is_not_there_is_not_replaced_in_silence(provider: str, toy: tuple[Path, ModelSpec]) -> None:
    with pytest.raises(FailedPrecondition, match="install onnxruntime-gpu in place of onnxruntime") as caught:
        open_detector(*toy, provider=provider)
    assert caught.value.reason == "PROVIDER_UNAVAILABLE" and provider in caught.value.message


def test_a_provider_nobody_knows(toy: tuple[Path, ModelSpec]) -> None:
    with pytest.raises(InvalidArgument, match="no provider 'abacus'; known: auto, cpu, cuda"):
        open_detector(*toy, provider="abacus")


def test_the_graph_holds_nothing_that_old_runtimes_lack(coco_model: tuple[Path, ModelSpec]) -> None:
    model = onnx.load(coco_model[0])
    assert {node.op_type for node in model.graph.node} == {"Conv", "LeakyRelu", "Slice", "Concat", "MaxPool", "Resize"}
    # Nothing but numbers and names: a description that is plain data goes through JSON unchanged.
    assert json.loads(json.dumps(dict(coco_model[1].options))) == coco_model[1].options


def refusal(path: Path, spec: ModelSpec, kind: type[HerdlinkError], reason: str) -> str:
    with pytest.raises(kind) as caught:
        open_detector(path, spec)
    assert caught.value.reason == reason and "\n" not in caught.value.message
    return caught.value.message


def test_a_large_file_is_checked_too(
    toy: tuple[Path, ModelSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is loaded from its path, and neither before nor meanwhile another one."""
    path, spec = toy
    monkeypatch.setattr(_model_file, "MAX_HELD_BYTES", 10)
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    assert len(open_detector(path, spec).detect([picture], 0.1)[0]) > 0
    with _model_file.checked_file(path, spec) as source:
        assert source == str(path)
    assert "is not the file it was" in refusal(
        path, replace(spec, sha256="0" * 64), FailedPrecondition, "MODEL_CHANGED"
    )
    with pytest.raises(FailedPrecondition, match="changed while it was loaded"), _model_file.checked_file(path, spec):
        path.write_bytes(b"another one")
