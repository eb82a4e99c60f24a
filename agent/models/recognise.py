"""What an .onnx file is: its input, its format, how its family feeds pictures, its classes, each with a reason."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent import plugins
from agent.core.errors import InvalidArgument
from agent.core.model import ModelSpec, of_one
from agent.models import finished, readings
from agent.models.anchor_heads import anchor_heads
from agent.models.class_names import labels_for, names_in
from agent.models.conclusions import Conclusion, Sure
from agent.models.families import FAMILY_OF_FORMAT
from agent.models.feeding import feeding
from agent.models.onnx_file import MAX_VALUES, read_model, whole_model
from agent.models.onnx_input import PictureInput, find_input, fix_shapes
from agent.models.readings import Known, Output, Reading
from agent.models.structure import Structure, metadata

if TYPE_CHECKING:
    import onnx

FINDERS: Sequence[readings.Finder] = (
    readings.dense,
    readings.queries_in_one,
    readings.maps,
    readings.maps_of_two,
    anchor_heads,
    finished.rows_of_six,
    finished.several,
    finished.side_by_side,
)
Run = Callable[[str, bytes | Path, Mapping[str, Any]], Mapping[str, NDArray[Any]]]
"""One inference: what to call the model in an error, the model or its path, the inputs -> the outputs by name."""
_OTHER_TASKS = ("classify", "obb", "semantic", "depth")


@dataclass(frozen=True, slots=True)
class Said:
    """What the user says of a model."""

    labels: tuple[str, ...] = ()
    size: tuple[int, int] = (0, 0)
    """Width, height of an input whose size is free."""
    batch: int = 0
    """Pictures at once, where their number is free."""
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the description."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the format."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A model that is ready for the store."""

    data: bytes | Path
    """The file as it came, or what was made of it: shapes fixed, external data taken in."""
    spec: ModelSpec
    conclusions: tuple[Conclusion, ...]

    @property
    def reasons(self) -> dict[str, str]:
        """Why each key of the description is what it is."""
        return {one.key: f"{one.sure}: {one.why}" for one in self.conclusions}


@dataclass(frozen=True, slots=True)
class _File:
    """The network as far as it can be told without its outputs."""

    path: Path
    data: bytes | Path
    told: Mapping[str, str]
    structure: Structure
    picture: PictureInput


def recognise(path: Path, *, name: str, run: Run, said: Said) -> Recognised:
    """The model in `path`, to be called `name`.

    Raises InvalidArgument: MODEL_INVALID, MODEL_UNCLEAR (the user must choose), LABELS_MISMATCH, BAD_MODEL_SIZE.
    """
    file = _opened(path, said)
    outputs = _trial(file, run, said.keys.get("outputs", ()))
    named = said.labels or names_in(file.told)
    reading = _reading(outputs, _known(file, outputs, len(named), said), said)
    if not (reading.classes or named):
        why = "its outputs do not tell how many classes it has; name them with --labels FILE, one a line"
        raise InvalidArgument("MODEL_UNCLEAR", why)
    labels, about_labels = labels_for(reading.classes or len(named), said.labels, names_in(file.told))
    fed, about_feeding = feeding(
        reading.family,
        author=file.told.get("author", ""),
        dtype=file.picture.dtype,
        in_graph=file.structure.normalised_in_graph(file.picture.name),
        said=said.keys,
    )
    spec = replace(_spec(file, reading, labels, name), **fed, **{k: v for k, v in said.keys.items() if k not in fed})
    sure: Sure = "said" if "format" in said.keys else "certain" if reading.sure else "likely"
    about_format = Conclusion("format", reading.format, sure, reading.why)
    # Anchors have become heads.
    options = {key: value for key, value in said.options.items() if key != "anchors" or reading.format != "darknet"}
    spec = replace(spec, options={**spec.options, **options})
    return Recognised(file.data, spec, (about_format, *file.picture.conclusions, *about_feeding, about_labels))


def _opened(path: Path, said: Said) -> _File:
    """The file with all its shapes fixed."""
    data, model = read_model(path)
    told = metadata(model)
    if told.get("task", "detect") in _OTHER_TASKS:
        raise InvalidArgument("MODEL_INVALID", f"{path} is a network for the task {told['task']!r}, not a detector")
    structure = _structure(model)
    picture = find_input(model, structure, size=said.size, batch=said.batch, said=said.keys)
    if fix_shapes(model, picture):
        whole = whole_model(data)
        fix_shapes(whole, picture)
        data, structure = whole.SerializeToString(), _structure(model)
    name, count = structure.largest()
    if count > MAX_VALUES:
        raise InvalidArgument(
            "MODEL_INVALID", f"{path} computes {name[:60]!r} of {count} numbers: more than is allowed"
        )
    return _File(path, data, told, structure, picture)


def _structure(model: onnx.ModelProto) -> Structure:
    """The graph with the shapes of its values, as far as they can be told without running it."""
    from onnx import shape_inference

    try:
        return Structure(shape_inference.infer_shapes(model, data_prop=True))
    except (shape_inference.InferenceError, RuntimeError, ValueError):
        return Structure(model)


def _trial(file: _File, run: Run, names: Sequence[str]) -> list[Output]:
    """The outputs for a picture of noise."""
    picture = file.picture
    noise = np.random.default_rng(0).random(picture.shape, np.float32)
    tensor = (noise * 255).astype(np.uint8) if picture.dtype == "uint8" else noise.astype(picture.dtype)
    feeds = {picture.name: tensor, **picture.constants}
    found = dict(run(str(file.path), file.data, feeds))
    parts = file.structure.unknown_parts(found)
    if parts:
        # A network that runs only as it is keeps this to itself.
        with contextlib.suppress(InvalidArgument):
            seen = run(str(file.path), _with_outputs(file.data, parts), feeds)
            file.structure.learn({name: seen[name].shape for name in parts if isinstance(seen[name], np.ndarray)})
    missing = [name for name in names if name not in found]
    if missing:
        raise InvalidArgument("MODEL_INVALID", f"{file.path} has no output {missing[0]!r}; it has {', '.join(found)}")
    return [
        Output(name, one, {side: file.structure.parts(name, side) for side in one.shape[1:]})
        for name in names or found
        if isinstance(found[name], np.ndarray)
        for one in [of_one(found[name], picture.batch)]
    ]


def _with_outputs(data: bytes | Path, names: Sequence[str]) -> bytes:
    """The model with further values put out."""
    from onnx import ValueInfoProto

    whole = whole_model(data)
    there = {output.name for output in whole.graph.output}
    whole.graph.output.extend(ValueInfoProto(name=name) for name in names if name not in there)
    return whole.SerializeToString()


def _known(file: _File, outputs: Sequence[Output], classes: int, said: Said) -> Known:
    return Known(
        width=file.picture.width,
        height=file.picture.height,
        classes=classes,
        extra=said.options.get("extra", 0) or _extra(outputs, file.told, classes),
        further_inputs=tuple(file.picture.constants),
        decoded=said.options.get("decoded"),
        nothing=said.options.get("nothing"),
        first_class=said.options.get("first_class"),
        anchors=said.options.get("anchors", ""),
    )


def _extra(outputs: Sequence[Output], told: Mapping[str, str], classes: int) -> int:
    """Values behind the classes' that networks for key points and masks add, as Ultralytics' metadata let tell."""
    points = re.findall(r"\d+", told.get("kpt_shape", ""))
    if points:
        return math.prod(map(int, points[:2]))
    rows = [output for output in outputs if len(output.shape) == 3]
    if told.get("task") not in ("pose", "segment") or not classes or not rows:
        return 0
    return max(0, min(rows[0].shape[1:]) - 4 - classes)


def _reading(outputs: Sequence[Output], known: Known, said: Said) -> Reading:
    wanted = str(said.keys.get("format", ""))
    if wanted and wanted not in FAMILY_OF_FORMAT:
        known_formats = ", ".join(sorted(FAMILY_OF_FORMAT))
        raise InvalidArgument("UNKNOWN_MODEL_FORMAT", f"no model format {wanted!r}; known: {known_formats}")
    # With the option that says how the outputs are cut, nothing needs to be found.
    cut = {"darknet": "heads", "end2end": "columns"}.get(wanted)
    if cut in said.options:
        return Reading(wanted, FAMILY_OF_FORMAT[wanted], known.classes, "as set")
    if wanted == "darknet" and "anchors" not in said.options:
        example = "--set 'heads=[{anchors=[[10,13]], scale_x_y=1.0, new_coords=false}]'"
        raise InvalidArgument(
            "MODEL_UNCLEAR", f"its anchors are not in the file: {example}, one an output, and --labels"
        )
    return readings.choose(outputs, known, FINDERS, wanted)


def _spec(file: _File, reading: Reading, labels: tuple[str, ...], name: str) -> ModelSpec:
    """The description without what depends on the family."""
    module = plugins.load("agent.core.formats", reading.format, "model format")
    licence = file.told.get("license", file.told.get("licence", ""))
    return ModelSpec(
        name=name,
        format=reading.format,
        labels=labels,
        width=file.picture.width,
        height=file.picture.height,
        layout=file.picture.layout,
        outputs=reading.outputs,
        constants=file.picture.constants,
        source=_source(file),
        licence=licence[:200] if licence.isprintable() else "",
        # With its defaults, so that the description shows what can be set.
        options={**getattr(module, "OPTIONS", {}), **reading.options},
    )


def _source(file: _File) -> str:
    """Where it comes from: the file, and what its exporter says."""
    digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
    said = [file.told[key] for key in ("description", "version", "date") if file.told.get(key)]
    return "; ".join([f"{file.path.name} (sha256 {digest})", *(text for text in said if text.isprintable())])[:500]
