"""Reading an .onnx file that may be anything: what is wrong with it is one sentence, and memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import InvalidArgument

if TYPE_CHECKING:
    import onnx

MAX_FILE_BYTES = 1 << 30
MAX_VALUES = 1 << 28
"""Of one tensor; a picture of 4096x4096 has 50 million."""
# What shapes are computed from is smaller.
_SMALL_BYTES = 1 << 16
_STRANGERS: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive (PyTorch's .pt files are such)",
    b"\x80\x02": "a Python pickle (PyTorch's older .pt files are such)",
    b"\x80\x04": "a Python pickle",
    b"\x89HDF": "an HDF5 file (Keras writes such)",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"version https://git-lfs": "a Git LFS pointer in place of the file (git lfs pull fetches it)",
}
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})


def read_model(path: Path) -> tuple[bytes | Path, onnx.ModelProto]:
    """(The model in one piece: its path, or new bytes where external data was taken in; what it holds, without the
    numbers of large arrays.)

    Raises InvalidArgument (MODEL_INVALID).
    """
    import onnx

    model = _parsed(path)
    if not model.graph.node or not model.graph.output:
        raise _invalid(path, "is no ONNX file: it holds no network")
    _check_texts(path, model)
    _check_operators(path, model)
    tensors = list(_tensors(model.graph))
    _check_sizes(path, tensors)
    outside = any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors)
    if outside:
        _take_in(path, tensors)
    _check_payload(path, tensors)
    whole = model.SerializeToString() if outside else path
    for tensor in tensors:
        if len(tensor.raw_data) > _SMALL_BYTES:
            tensor.ClearField("raw_data")
    return whole, model


def whole_model(whole: bytes | Path) -> onnx.ModelProto:
    """What `read_model` gave first, with all its numbers."""
    import onnx

    return onnx.load_model_from_string(whole if isinstance(whole, bytes) else whole.read_bytes())


def shape_of(value: onnx.ValueInfoProto) -> list[int]:
    """A declared shape; 0 where a side is free."""
    return [int(side.dim_value) for side in value.type.tensor_type.shape.dim]


def _parsed(path: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    data = _read(path)
    _check_kind(path, data)
    try:
        return onnx.load_model_from_string(data)
    except DecodeError:
        raise _invalid(path, "is no ONNX file, or one that is cut off or damaged") from None


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _invalid(path, f"has {size >> 20} MiB, more than the {MAX_FILE_BYTES >> 20} MiB that are allowed")
        data = path.read_bytes()
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error.strerror}") from error
    if not data:
        raise _invalid(path, "is empty (0 bytes)")
    return data


def _check_kind(path: Path, data: bytes) -> None:
    """Other files are told by how they begin."""
    for begin, kind in _STRANGERS.items():
        if data.startswith(begin):
            raise _invalid(path, f"is {kind}, not an ONNX file; export the network as ONNX")
    if data[4:8] == b"TFL3":
        raise _invalid(path, "is a TensorFlow Lite file, not an ONNX file; export the network as ONNX")
    begin = data[:512]
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in begin):
        raise _invalid(path, "is a text, not an ONNX file")


def _check_texts(path: Path, model: onnx.ModelProto) -> None:
    """What is no text comes as bytes; names must be texts."""
    graph = model.graph
    names = [name for node in graph.node for name in (node.op_type, node.domain, node.name, *node.input, *node.output)]
    values = [*graph.input, *graph.output, *graph.value_info]
    names += [value.name for value in values] + [tensor.name for tensor in graph.initializer]
    names += [text for entry in model.metadata_props for text in (entry.key, entry.value)]
    names += [side.dim_param for value in values for side in value.type.tensor_type.shape.dim]
    if not all(isinstance(name, str) for name in names):
        raise _invalid(path, "is no ONNX file, or one that is damaged: a name in it is no text")


def _check_operators(path: Path, model: onnx.ModelProto) -> None:
    from onnx import defs

    own = {(function.domain, function.name) for function in model.functions}
    for node in model.graph.node:
        strange = node.domain not in _DOMAINS or (node.domain in ("", "ai.onnx") and not defs.has(node.op_type))
        if strange and (node.domain, node.op_type) not in own:
            place = f" of {node.domain!r}" if node.domain else ""
            why = f"uses the operator {node.op_type[:60]!r}{place}, which is none of ONNX's own; export without it"
            raise _invalid(path, why)


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """All arrays of a graph and of the graphs within."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)


def _check_sizes(path: Path, tensors: Sequence[onnx.TensorProto]) -> None:
    for tensor in tensors:
        if min(tensor.dims, default=1) < 0 or math.prod(tensor.dims) > MAX_VALUES:
            sides = "x".join(map(str, tensor.dims))
            raise _invalid(path, f"declares the array {tensor.name[:60]!r} as {sides}, which is more than is allowed")


def _check_payload(path: Path, tensors: Sequence[onnx.TensorProto]) -> None:
    """A tensor that holds less than it declares would be read beyond its end, or filled up."""
    from onnx import helper

    for tensor in tensors:
        if not tensor.raw_data:
            continue
        try:
            width = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except (KeyError, TypeError, ValueError):
            continue
        wanted = math.prod(tensor.dims) * width
        # Types of less than a byte are packed.
        if not wanted / 4 <= len(tensor.raw_data) <= wanted or (width > 1 and len(tensor.raw_data) != wanted):
            held = f"declares {wanted} bytes and holds {len(tensor.raw_data)}"
            raise _invalid(path, f"is damaged: the array {tensor.name[:60]!r} {held}")


def _take_in(path: Path, tensors: Sequence[onnx.TensorProto]) -> None:
    """Reads the arrays that lie in files beside the model."""
    from onnx import TensorProto, checker, external_data_helper

    outside = [tensor for tensor in tensors if tensor.data_location == TensorProto.EXTERNAL]
    places = {entry.value for tensor in outside for entry in tensor.external_data if entry.key == "location"}
    total = 0
    for place in sorted(places):
        file = path.parent / place
        if Path(place).is_absolute() or ".." in Path(place).parts or not file.is_file():
            raise _invalid(path, f"keeps its weights in another file, {place[:100]!r}, which must lie beside it")
        total += file.stat().st_size
    if total > MAX_FILE_BYTES:
        raise _invalid(path, f"has weights of {total >> 20} MiB, more than the {MAX_FILE_BYTES >> 20} MiB allowed")
    try:
        for tensor in outside:
            external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
            tensor.data_location = TensorProto.DEFAULT
            del tensor.external_data[:]
    except (OSError, ValueError, checker.ValidationError) as error:
        raise _invalid(path, f"has weights that cannot be read: {str(error).splitlines()[0][:150]}") from error


def _invalid(path: Path, what: str) -> InvalidArgument:
    return InvalidArgument("MODEL_INVALID", f"{path} {what}")
