"""The input of a network that takes the picture: which one, its layout, and its size fixed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agent.core.errors import InvalidArgument
from agent.models.conclusions import Conclusion, ask
from agent.models.onnx_file import shape_of
from agent.models.structure import Structure, metadata

if TYPE_CHECKING:
    import onnx

MAX_SIDE = 4096
MAX_BATCH = 64
_DTYPES = {1: "float32", 10: "float16", 2: "uint8"}
"""TensorProto's numbers of the types that a picture may be fed as."""


@dataclass(frozen=True, slots=True)
class PictureInput:
    """What the network takes."""

    name: str
    dtype: str
    layout: Literal["NCHW", "NHWC"]
    width: int
    height: int
    batch: int
    """The pictures that it takes at once."""
    constants: Mapping[str, Any]
    """Further inputs and what they are always fed."""
    conclusions: tuple[Conclusion, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the picture's tensor."""
        sides = (self.height, self.width)
        return (self.batch, 3, *sides) if self.layout == "NCHW" else (self.batch, *sides, 3)


def find_input(
    model: onnx.ModelProto, structure: Structure, *, size: tuple[int, int], batch: int, said: Mapping[str, Any]
) -> PictureInput:
    """The input of a picture. `size`: width, height, `batch`: pictures at once, 0 where not chosen; `said`: what the
    user set.

    Raises InvalidArgument (MODEL_INVALID, MODEL_UNCLEAR, BAD_MODEL_SIZE, BAD_BATCH).
    """
    filled = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in filled]
    pictures = [value for value in inputs if len(shape_of(value)) == 4]
    if len(pictures) != 1:
        shown = ", ".join(f"{value.name} {shape_of(value)}" for value in inputs) or "none"
        raise InvalidArgument("MODEL_INVALID", f"the network needs one input of a picture; its inputs are {shown}")
    value = pictures[0]
    dtype = _DTYPES.get(value.type.tensor_type.elem_type)
    if dtype is None:
        raise InvalidArgument("MODEL_INVALID", f"its input {value.name} takes no float32, float16 or uint8")
    sides = shape_of(value)
    batch, why_batch = _batch(sides[0], batch)
    layout, why_layout = _layout(value, sides, structure, said)
    width, height, why_size = _size(model, sides, layout, size)
    others = [one for one in inputs if one.name != value.name]
    constants = {one.name: _constant(one, width, height, batch, said.get("constants", {})) for one in others}
    conclusions = (
        Conclusion("layout", layout, "said" if "layout" in said else "certain", why_layout),
        Conclusion("width", f"{width}x{height}", "certain", why_size),
        *([Conclusion("batch", batch, "certain", why_batch)] if batch > 1 else []),
    )
    return PictureInput(value.name, dtype, layout, width, height, batch, constants, conclusions)


def fix_shapes(model: onnx.ModelProto, picture: PictureInput) -> bool:
    """Writes the shapes of the inputs into the graph and lets all others follow; False where they stood there."""
    wanted: dict[str, Sequence[int]] = {picture.name: picture.shape}
    changed = False
    for value in model.graph.input:
        sides = value.type.tensor_type.shape.dim
        # A further input whose first side is free has a row a picture.
        for side, length in zip(sides, wanted.get(value.name, [picture.batch] * min(1, len(sides))), strict=False):
            if not side.dim_value:
                side.dim_value = length
                changed = True
    if changed:
        del model.graph.value_info[:]
        for output in model.graph.output:
            output.type.tensor_type.ClearField("shape")
    return changed


def _batch(side: int, wanted: int) -> tuple[int, str]:
    """How many pictures at once, and why."""
    if side and wanted not in (0, side):
        why = f"the network is made for batches of {side}; export it with a free number of pictures to choose another"
        raise InvalidArgument("BAD_BATCH", why)
    return check_batch(side or wanted or 1), "fixed in the graph" if side else "as chosen"


def check_batch(batch: int) -> int:
    """A number of pictures that a network may take at once. Raises InvalidArgument (BAD_BATCH)."""
    if not 1 <= batch <= MAX_BATCH:
        raise InvalidArgument("BAD_BATCH", f"a network takes 1 to {MAX_BATCH} pictures at once, not {batch}")
    return batch


def _layout(
    value: onnx.ValueInfoProto, sides: Sequence[int], structure: Structure, said: Mapping[str, Any]
) -> tuple[Literal["NCHW", "NHWC"], str]:
    """Where the three colours are, and why."""
    first, last = sides[1], sides[3]
    kernel = structure.first_kernel_channels(value.name)
    shown = "x".join(str(side) if side else "?" for side in sides)
    if "layout" in said:
        layout: Literal["NCHW", "NHWC"] = said["layout"]
        found = first if layout == "NCHW" else last
        if found not in (0, 3) or (layout == "NHWC" and kernel[1:2] == (3,)):
            raise InvalidArgument("MODEL_INVALID", f"its input {value.name} is {shown}: that is not {layout}")
        return layout, "as set"
    if kernel[1:2] == (3,) and first in (0, 3):
        return "NCHW", f"the first kernel reads 3 planes of {shown}"
    if (first == 3) != (last == 3):
        return ("NCHW" if first == 3 else "NHWC"), f"the input is {shown}"
    if first == 1 or last == 1:
        raise InvalidArgument("MODEL_INVALID", f"its input is {shown}: only networks for colour pictures can be used")
    raise ask("layout", ("NCHW", "NHWC"), f"its input is {shown}")


def _size(model: onnx.ModelProto, sides: Sequence[int], layout: str, size: tuple[int, int]) -> tuple[int, int, str]:
    """Width and height, and why."""
    high, wide = sides[2:4] if layout == "NCHW" else sides[1:3]
    if high and wide:
        if any(size) and size != (wide, high):
            why = f"the network's input is fixed to {wide}x{high}; export it with a free size to choose another"
            raise InvalidArgument("BAD_MODEL_SIZE", why)
        return wide, high, "fixed in the graph"
    told = re.findall(r"\d+", metadata(model).get("imgsz", ""))
    if any(size):
        wide, high, why = *size, "as chosen"
    elif told:
        wide, high, why = int(told[-1]), int(told[0]), "the file's metadata say imgsz"
    else:
        why = "the network takes pictures of any size; choose one with --size, best the one it was trained with"
        raise InvalidArgument("MODEL_UNCLEAR", f"{why}, e.g. --size 640 or --size 640x384")
    if not all(16 <= side <= MAX_SIDE for side in (wide, high)):
        raise InvalidArgument("BAD_MODEL_SIZE", f"the input's sides must lie between 16 and {MAX_SIDE}: {wide}x{high}")
    return wide, high, why


def _constant(value: onnx.ValueInfoProto, width: int, height: int, batch: int, said: Mapping[str, Any]) -> Any:
    """What a further input is fed: sizes that make boxes come in pixels of the network's input."""
    known = {
        "orig_target_sizes": [[width, height]] * batch,
        "im_shape": [[height, width]] * batch,
        "image_shape": [[height, width]] * batch,
        "scale_factor": [[1.0, 1.0]] * batch,
    }
    if value.name in said:
        return said[value.name]
    if value.name not in known:
        example = f"--set 'constants={{ {value.name} = [[1, 2]] }}'"
        raise InvalidArgument("MODEL_UNCLEAR", f"the network has a further input {value.name!r}; say it with {example}")
    return known[value.name]
