"""Detection on ONNX Runtime."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent import plugins
from agent.core.errors import FailedPrecondition, InvalidArgument, NotFound
from agent.core.letterbox import Letterbox
from agent.core.model import Format, ModelSpec
from agent.core.types import Detections, Image

if TYPE_CHECKING:
    import onnxruntime

FORMATS = "agent.core.formats"
PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
    "openvino": ("OpenVINOExecutionProvider", "CPUExecutionProvider"),
}
PACKAGES = {"cuda": "onnxruntime-gpu", "tensorrt": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}


class OnnxDetector:
    """A detection model in an ONNX Runtime session; `detect` may be called from several threads."""

    def __init__(self, session: onnxruntime.InferenceSession, spec: ModelSpec, outputs: Format) -> None:
        self._session = session
        self._spec = spec
        self._format = outputs
        self._input = session.get_inputs()[0].name
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
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the network's outputs, as `make_format` was given them."""
        return [tuple(output.shape) for output in self._session.get_outputs()]

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """One Detections an image (height, width, 3) BGR: boxes in its pixels, scores >= threshold, best first."""
        return [self._detect(image, threshold) for image in images]

    def _detect(self, image: Image, threshold: float) -> Detections:
        tensor, fit = self._letterbox().tensor(image)
        return self._format.decode(self._session.run(None, {self._input: tensor}), fit, threshold)

    def _letterbox(self) -> Letterbox:
        """The calling thread's own: its buffers are written while other threads run."""
        kept: Letterbox | None = getattr(self._kept, "letterbox", None)
        if kept is None:
            kept = self._kept.letterbox = Letterbox(self._spec)
        return kept


def open_detector(path: Path, spec: ModelSpec, *, provider: str = "auto", threads: int = 0) -> OnnxDetector:
    """The model at `path`, after one real inference. `threads` of the CPU work on a picture; 0: one a core.

    Raises NotFound (MODEL_NOT_FOUND), FailedPrecondition (MODEL_CHANGED, PROVIDER_UNAVAILABLE), InvalidArgument
    (MODEL_INVALID, UNKNOWN_PROVIDER).
    """
    wanted = _providers(provider)
    session = _session(path, _read(path, spec), wanted, threads)
    _check_provider(session, provider, wanted)
    _check_input(session, spec)
    blank = np.zeros((1, 3, spec.height, spec.width), np.float32)
    outputs = _first_run(path, session, blank)
    form: Format = plugins.load(FORMATS, spec.format, "model format").make_format(spec, [o.shape for o in outputs])
    return OnnxDetector(session, spec, form)


def _providers(provider: str) -> Sequence[str]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    if provider == "auto":
        # TensorRT is not taken unasked: building its engine blocks the first picture for minutes.
        return PROVIDERS["cuda"] if "CUDAExecutionProvider" in available else PROVIDERS["cpu"]
    if provider not in PROVIDERS:
        raise InvalidArgument("UNKNOWN_PROVIDER", f"no provider {provider!r}; known: auto, {', '.join(PROVIDERS)}")
    if PROVIDERS[provider][0] not in available:
        package = PACKAGES.get(provider, "onnxruntime")
        raise _unavailable(
            provider, f"this ONNX Runtime was built without it; install {package} in place of onnxruntime"
        )
    return [name for name in PROVIDERS[provider] if name in available]


def _unavailable(provider: str, why: str) -> FailedPrecondition:
    message = f'provider {provider} cannot be used: {why}, or set provider = "auto"'
    return FailedPrecondition("PROVIDER_UNAVAILABLE", message)


def _read(path: Path, spec: ModelSpec) -> bytes:
    """The file, known to be the one that the sidecar describes: what is checked is what runs."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound("MODEL_NOT_FOUND", f"{path} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != spec.sha256:
        what = f"its sha256 begins with {digest[:8]}, the description beside it says {spec.sha256[:8]}"
        raise FailedPrecondition("MODEL_CHANGED", f"{path} is not the file it was: {what}; import the model again")
    return data


def _session(path: Path, data: bytes, providers: Sequence[str], threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A number instead of 0: ONNX Runtime then leaves the threads' affinity alone, which a container may forbid.
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Threads that spin between pictures burn half of a small machine for nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What goes wrong comes as an exception; said twice, it would not be one plain line.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=list(providers))
    except _runtime_errors() as error:
        raise InvalidArgument(
            "MODEL_INVALID", f"{path} is no ONNX model that can be run: {_first_line(error)}"
        ) from error


def _runtime_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's errors have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*found, RuntimeError, ValueError)


def _first_line(error: Exception) -> str:
    """ONNX Runtime's own words without its prefix."""
    return str(error).strip().splitlines()[0].rsplit(" : ", maxsplit=1)[-1][:200]


def _check_provider(session: onnxruntime.InferenceSession, provider: str, wanted: Sequence[str]) -> None:
    """ONNX Runtime falls back to the CPU in silence; who asked for a provider by name hears of it."""
    if provider != "auto" and session.get_providers()[0] != wanted[0]:
        raise _unavailable(provider, "it is built in but did not start; check its driver and libraries")


def _check_input(session: onnxruntime.InferenceSession, spec: ModelSpec) -> None:
    wanted = [1, 3, spec.height, spec.width]
    inputs = session.get_inputs()
    if len(inputs) != 1 or list(inputs[0].shape) != wanted or inputs[0].type != "tensor(float)":
        shown = ", ".join(f"{i.type} {i.shape}" for i in inputs)
        raise InvalidArgument(
            "MODEL_INVALID", f"model {spec.name} takes {shown}; its description says tensor(float) {wanted}"
        )


def _first_run(path: Path, session: onnxruntime.InferenceSession, blank: np.ndarray[Any, Any]) -> Sequence[Any]:
    try:
        outputs: Sequence[Any] = session.run(None, {session.get_inputs()[0].name: blank})
    except _runtime_errors() as error:
        raise InvalidArgument("MODEL_INVALID", f"{path} loads but does not run: {_first_line(error)}") from error
    return outputs
