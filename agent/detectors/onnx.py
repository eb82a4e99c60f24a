"""Detection on ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent import plugins
from agent.core.errors import InvalidArgument
from agent.core.letterbox import Letterbox
from agent.core.model import Fit, Format, ModelSpec, of_one
from agent.core.types import Detections, Floats, Image
from agent.detectors._batch import Batch, Tensor, fill
from agent.detectors._model_file import checked_file
from agent.detectors._session import DTYPES, check_provider, make_session, provider_names, run_session

if TYPE_CHECKING:
    import onnxruntime

FORMATS = "agent.core.formats"
_PICTURE_TYPES = ("float32", "float16", "uint8")


class OnnxDetector:
    """A detection model in an ONNX Runtime session; `detect` may be called from several threads."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        spec: ModelSpec,
        outputs: Format,
        shapes: Sequence[tuple[int, ...]],
        constants: Mapping[str, Any],
    ) -> None:
        self._session = session
        self._spec = spec
        self._format = outputs
        self._input, self._dtype, self._size = picture_input(session, spec)
        self._batch = Batch(self._run, self._size)
        self._names = list(spec.outputs) or None
        self._shapes = shapes
        self._constants = constants
        self._provider = str(session.get_providers()[0])
        self._kept = threading.local()

    @property
    def labels(self) -> Sequence[str]:
        """Name of each class."""
        return self._spec.labels

    @property
    def name(self) -> str:
        """The model as "name@sha8"."""
        return self._spec.label

    @property
    def sha256(self) -> str:
        """Of the model's file, 64 hex digits."""
        return self._spec.sha256

    @property
    def provider(self) -> str:
        """The execution provider that really runs it."""
        return self._provider

    @property
    def input_type(self) -> str:
        """Of the picture's tensor: float32, float16 or uint8."""
        return self._dtype

    @property
    def batch(self) -> int:
        """The pictures that one inference takes; where fewer wait for it, the rest is wasted."""
        return self._size

    @property
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the outputs that are read, for one picture, as `make_format` was given them."""
        return list(self._shapes)

    def fed(self, spec: ModelSpec) -> OnnxDetector:
        """The same network fed as another description says; its outputs are read as before."""
        return OnnxDetector(self._session, spec, self._format, self._shapes, self._constants)

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """One Detections an image (height, width, 3) BGR: boxes in its pixels, scores >= threshold, best first."""
        # All are run before any is decoded: the model leaves the caches cold, which is then paid once.
        seen = [self._look(image) for image in images] if self._size == 1 else self._look_at_once(images)
        return [self._format.decode(outputs, fit, threshold) for outputs, fit in seen]

    def _look(self, image: Image) -> tuple[Sequence[Floats], Fit]:
        tensor, fit = self._letterbox().tensor(image)
        return self._run(tensor), fit

    def _look_at_once(self, images: Sequence[Image]) -> list[tuple[Sequence[Floats], Fit]]:
        # Copies: the letterbox writes the next picture where the last one was.
        fed = [(tensor.copy(), fit) for tensor, fit in map(self._letterbox().tensor, images)]
        outputs = self._batch.outputs([tensor for tensor, _ in fed])
        return [(each, fit) for each, (_, fit) in zip(outputs, fed, strict=True)]

    def _run(self, tensor: Tensor) -> list[Floats]:
        return _floats(self._session.run(self._names, {self._input: tensor, **self._constants}))

    def _letterbox(self) -> Letterbox:
        """The calling thread's own: its buffers are written while other threads run."""
        kept: Letterbox | None = getattr(self._kept, "letterbox", None)
        if kept is None:
            kept = self._kept.letterbox = Letterbox(self._spec, self._dtype)
        return kept


def open_detector(path: Path, spec: ModelSpec, *, provider: str = "auto", threads: int = 0) -> OnnxDetector:
    """The model at `path`, after one real inference. `threads` of the CPU work on a picture; 0: one a core.

    Raises NotFound (MODEL_NOT_FOUND), FailedPrecondition (MODEL_CHANGED, PROVIDER_UNAVAILABLE), InvalidArgument
    (MODEL_INVALID, UNKNOWN_PROVIDER).
    """
    wanted = provider_names(provider)
    with checked_file(path, spec) as source:
        session = make_session(str(path), source, providers=wanted, threads=threads)
    check_provider(session, provider, wanted)
    constants = _constants(session, spec)
    name, dtype, batch = picture_input(session, spec)
    black = Letterbox(spec, dtype).tensor(np.zeros((spec.height, spec.width, 3), np.uint8))[0]
    feeds = {name: fill([black], batch), **constants}
    outputs = _floats(run_session(str(path), session, _wanted_outputs(session, spec), feeds))
    shapes = [of_one(output, batch).shape for output in outputs]
    form: Format = plugins.load(FORMATS, spec.format, "model format").make_format(spec, shapes)
    return OnnxDetector(session, spec, form, shapes, constants)


def run_once(what: str, data: bytes | Path, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of one inference of a model (or its path) on the CPU, by name; numbers are cast to the inputs' types.

    Raises InvalidArgument (MODEL_INVALID), which calls the model `what`.
    """
    session = make_session(what, str(data) if isinstance(data, Path) else data)
    types = {one.name: DTYPES.get(one.type, "float32") for one in session.get_inputs()}
    values = {name: np.asarray(value, types.get(name)) for name, value in feeds.items()}
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, run_session(what, session, names, values), strict=True))


def picture_input(session: onnxruntime.InferenceSession, spec: ModelSpec) -> tuple[str, str, int]:
    """Name and type of the input that takes pictures, and how many. Raises InvalidArgument (MODEL_INVALID)."""
    inputs = [one for one in session.get_inputs() if one.name not in spec.constants]
    wanted = [1, 3, spec.height, spec.width] if spec.layout == "NCHW" else [1, spec.height, spec.width, 3]
    shown = ", ".join(f"{one.type} {one.shape}" for one in inputs)
    dtype = DTYPES.get(inputs[0].type, "") if len(inputs) == 1 else ""
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if shape[1:] != wanted[1:] or not isinstance(shape[0], int) or shape[0] < 1 or dtype not in _PICTURE_TYPES:
        said = f"its description says tensor(float) {wanted} ({spec.layout})"
        raise InvalidArgument("MODEL_INVALID", f"model {spec.name} takes {shown}; {said}")
    if dtype == "uint8" and (spec.scale != 1 or any(spec.mean) or any(part != 1 for part in spec.std)):
        why = "it takes bytes, so its description must say scale = 1.0, mean 0 and std 1"
        raise InvalidArgument("MODEL_INVALID", f"model {spec.name}: {why}")
    return str(inputs[0].name), dtype, shape[0]


def _constants(session: onnxruntime.InferenceSession, spec: ModelSpec) -> dict[str, Any]:
    """The further inputs as arrays of the types that the model wants."""
    types = {one.name: DTYPES.get(one.type, "float32") for one in session.get_inputs()}
    unknown = sorted(set(spec.constants) - set(types))
    if unknown:
        raise InvalidArgument("MODEL_INVALID", f"model {spec.name} has no input {unknown[0]!r}; it has {list(types)}")
    try:
        return {name: np.array(value, types[name]) for name, value in spec.constants.items()}
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgument("MODEL_INVALID", f"model {spec.name}: constants must hold numbers") from None


def _wanted_outputs(session: onnxruntime.InferenceSession, spec: ModelSpec) -> list[str] | None:
    there = [one.name for one in session.get_outputs()]
    missing = [name for name in spec.outputs if name not in there]
    if missing:
        raise InvalidArgument("MODEL_INVALID", f"model {spec.name} has no output {missing[0]!r}; it has {there}")
    return list(spec.outputs) or None


def _floats(outputs: Sequence[Any]) -> list[Floats]:
    """The outputs as float32; those that are so already are not copied."""
    return [np.asarray(output, np.float32) for output in outputs]
