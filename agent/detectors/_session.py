"""ONNX Runtime sessions: execution providers, threads, and its many errors as one sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.core.errors import FailedPrecondition, InvalidArgument

if TYPE_CHECKING:
    import onnxruntime

PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
    "openvino": ("OpenVINOExecutionProvider", "CPUExecutionProvider"),
}
PACKAGES = {"cuda": "onnxruntime-gpu", "tensorrt": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}
DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
}
"""ONNX Runtime's words for the types of inputs that can be fed, and numpy's."""


def provider_names(provider: str) -> Sequence[str]:
    """ONNX Runtime's names for `provider`. Raises InvalidArgument, FailedPrecondition (see `open_detector`)."""
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


def check_provider(session: onnxruntime.InferenceSession, provider: str, wanted: Sequence[str]) -> None:
    """ONNX Runtime falls back to the CPU in silence; who asked for a provider by name hears of it."""
    if provider != "auto" and session.get_providers()[0] != wanted[0]:
        raise _unavailable(provider, "it is built in but did not start; check its driver and libraries")


def make_session(
    what: str,
    data: bytes | str,
    *,
    providers: Sequence[str] = PROVIDERS["cpu"],
    threads: int = 0,
) -> onnxruntime.InferenceSession:
    """A session of the model `data`, its bytes or its path; errors call it `what`.

    Raises InvalidArgument (MODEL_INVALID).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A number instead of 0: ONNX Runtime then leaves the threads' affinity alone, which a container may forbid.
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Threads that spin between pictures burn half of a small machine for nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Planned memory holds a whole run's buffers at once: 30 MB more for a YOLOv8n, and no faster (measured).
    options.enable_mem_pattern = False
    # What goes wrong comes as an exception; said twice, it would not be one plain line.
    options.log_severity_level = 4
    try:
        # Where there is nothing to fall back to, it would only print what the exception says.
        return onnxruntime.InferenceSession(
            data, options, providers=list(providers), enable_fallback=int(len(providers) > 1)
        )
    except _runtime_errors() as error:
        raise InvalidArgument(
            "MODEL_INVALID", f"{what} is no ONNX model that can be run: {_first_line(error)}"
        ) from error


def run_session(
    what: str, session: onnxruntime.InferenceSession, names: Sequence[str] | None, feeds: Mapping[str, Any]
) -> Sequence[Any]:
    """One inference. Raises InvalidArgument (MODEL_INVALID)."""
    try:
        outputs: Sequence[Any] = session.run(names, dict(feeds))
    except _runtime_errors() as error:
        raise InvalidArgument("MODEL_INVALID", f"{what} loads but does not run: {_first_line(error)}") from error
    return outputs


def _unavailable(provider: str, why: str) -> FailedPrecondition:
    message = f'provider {provider} cannot be used: {why}, or set provider = "auto"'
    return FailedPrecondition("PROVIDER_UNAVAILABLE", message)


def _runtime_errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's errors have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*found, RuntimeError, ValueError)


def _first_line(error: Exception) -> str:
    """ONNX Runtime's own words without its prefix."""
    newest = re.search(r"support for domain ai\.onnx is till opset (\d+)", str(error))
    if newest:
        why = f"its operators are newer than opset {newest[1]}, the last that this ONNX Runtime knows"
        return f"{why}; export it with opset 17"
    return str(error).strip().splitlines()[0].rsplit(" : ", maxsplit=1)[-1][:200]
