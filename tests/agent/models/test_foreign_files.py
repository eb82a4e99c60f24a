"""Files that may be anything: one sentence each, no crash, bounded memory."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import planted
import pytest
from onnx import TensorProto, external_data_helper, helper
from planted import Drawing

from agent.core.errors import InvalidArgument
from agent.detectors.onnx import open_detector, run_once
from agent.models.recognise import Said, recognise
from agent.models.store import Store

NAMES = {"names": "{0: 'cow', 1: 'calf', 2: 'dog'}"}


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    return planted.yolov8(Drawing()).save(tmp_path / "whole.onnx", NAMES).read_bytes()


def refusal(path: Path) -> str:
    with pytest.raises(InvalidArgument) as caught:
        recognise(path, name="toy", run=run_once, said=Said())
    assert caught.value.reason == "MODEL_INVALID" and "\n" not in caught.value.message
    assert len(caught.value.message) < 500
    return caught.value.message


def zipped() -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as packed:
        packed.writestr("data.pkl", b"x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty (0 bytes)"),
        (zipped(), "is a zip archive (PyTorch's .pt files are such), not an ONNX file"),
        (b"a text about pigs\n" * 40, "is a text, not an ONNX file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a Git LFS pointer"),
        (b"\x80\x02ctorch\n" + bytes(99), "is a Python pickle"),
        (b"\x00\x00\x00\x1cTFL3" + bytes(99), "is a TensorFlow Lite file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file"),
        (bytes(100), "is no ONNX file"),
        (bytes(range(256)) * 9, "is no ONNX file"),
        (b"\x08\x08", "is no ONNX file"),
    ],
)
def test_other_files(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "any.onnx"
    path.write_bytes(content)
    assert says in refusal(path)


def test_a_folder_and_nothing_at_all(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    assert "cannot be read: No such file" in refusal(tmp_path / "none.onnx")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99, 0.999])
def test_a_file_that_is_cut_off(part: float, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * part)])
    assert str(path) in refusal(path)


def test_damaged_bytes_never_crash(whole: bytes, tmp_path: Path) -> None:
    """A damaged file is refused in a sentence, or is still a network that can be read."""
    path, rng = tmp_path / "damaged.onnx", np.random.default_rng(0)
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            recognise(path, name="toy", run=run_once, said=Said())
        except InvalidArgument as error:
            assert "\n" not in error.message


Change = Callable[[onnx.ModelProto], object]


def set_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 999


def set_operator(model: onnx.ModelProto) -> None:
    model.graph.node[-1].op_type = "EfficientNMS_TRT"


def set_domain(model: onnx.ModelProto) -> None:
    model.graph.node[-1].domain = "com.acme"
    model.opset_import.append(helper.make_opsetid("com.acme", 1))


def set_huge(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="huge", data_type=TensorProto.FLOAT)
    tensor.dims.append(1_000_000_000)


def set_short(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="short", data_type=TensorProto.FLOAT, raw_data=b"\0" * 8)
    tensor.dims.append(1000)


def set_negative(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer.add(name="negative", data_type=TensorProto.FLOAT)
    tensor.dims.extend([-4, 4])


def set_outside(model: onnx.ModelProto) -> None:
    external_data_helper.set_external_data(model.graph.initializer[0], "weights.bin")
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def set_far_outside(model: onnx.ModelProto) -> None:
    set_outside(model)
    model.graph.initializer[0].external_data[0].value = "../../etc/passwd"


def set_computed(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("length", TensorProto.INT64, [1], [1_000_000_000]))
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["length"], ["giant"]))
    model.graph.node.insert(1, helper.make_node("ReduceMax", ["giant"], ["small"], keepdims=0))
    model.graph.output.append(helper.make_tensor_value_info("small", TensorProto.FLOAT, []))


def set_input_type(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_opset, "the last that this ONNX Runtime knows; export it with opset 17"),
        (set_operator, "uses the operator 'EfficientNMS_TRT', which is none of ONNX's own; export without it"),
        (set_domain, "of 'com.acme', which is none of ONNX's own"),
        (set_huge, "declares the array 'huge' as 1000000000, which is more than is allowed"),
        (set_negative, "declares the array 'negative' as -4x4"),
        (set_short, "is damaged: the array 'short' declares 4000 bytes and holds 8"),
        (set_computed, "computes 'giant' of 1000000000 numbers"),
        (set_outside, "keeps its weights in another file, 'weights.bin', which must lie beside it"),
        (set_far_outside, "keeps its weights in another file, '../../etc/passwd'"),
        (set_input_type, "takes no float32, float16 or uint8"),
        (lambda model: model.graph.node.pop(), "is no ONNX"),
        (lambda model: model.graph.input.pop(), "needs one input of a picture; its inputs are none"),
    ],
)
def test_networks_that_cannot_be(change: Change, says: str, whole: bytes, tmp_path: Path) -> None:
    model = onnx.load_model_from_string(whole)
    change(model)
    path = tmp_path / "any.onnx"
    path.write_bytes(model.SerializeToString())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert says in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10, "in KiB"


def test_weights_in_another_file_are_taken_in(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "outside" / "any.onnx"
    path.parent.mkdir()
    onnx.save_model(
        onnx.load_model_from_string(whole), path, save_as_external_data=True, location="any.data", size_threshold=0
    )
    assert (path.parent / "any.data").stat().st_size > 1000
    found = recognise(path, name="toy", run=run_once, said=Said())
    alone, spec = Store(tmp_path / "store").add(found.data, found.spec)
    picture = np.zeros((96, 128, 3), np.uint8)
    assert len(open_detector(alone, spec).detect([picture], 0.3)[0]) == 3
    (path.parent / "any.data").write_bytes(struct.pack("<f", 1.0))
    assert "any.onnx" in refusal(path)


def test_nothing_hangs_on_the_files_name(whole: bytes, tmp_path: Path) -> None:
    specs = []
    for name in ("yolox.onnx", "nanodet.onnx", "model"):
        (tmp_path / name).write_bytes(whole)
        specs.append(recognise(tmp_path / name, name="toy", run=run_once, said=Said()).spec)
    assert len({(spec.format, spec.colour, spec.fit, str(spec.options)) for spec in specs}) == 1
