"""ONNX Runtime, and one real inference of the model."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.checks.finding import Finding, Findings, fail, ok, warn
from agent.core.errors import HerdlinkError
from agent.settings import AgentSettings

if TYPE_CHECKING:
    from agent.core.ports import Detector
    from agent.detectors.onnx import OnnxDetector

RUNS = 5
_NOT_OURS = "AzureExecutionProvider"
"""Built in everywhere, and of no use to us: it sends the pictures away."""
_GPUS = ("/dev/nvidia0", "/dev/nvhost-ctrl-gpu", "/dev/nvhost-gpu")


def look(settings: AgentSettings | None) -> Findings:
    """The providers that are built in, and what really runs the model."""
    try:
        import onnxruntime
    except ImportError:
        # Said by the packages already.
        return
    available = onnxruntime.get_available_providers()
    yield from _providers(available)
    settings = settings or AgentSettings.model_construct()
    detector, why = open_model(settings)
    if detector is None:
        yield why
        return
    yield ok("model", f"{detector.name} on {detector.provider}: {_picture_ms(detector):.0f} ms a picture")
    if settings.model.provider == "auto" and "CUDAExecutionProvider" in available and _on_cpu(detector):
        yield warn(
            "provider",
            "CUDA is built in but did not start; the model runs on the CPU",
            "check nvidia-smi and that CUDA and cuDNN are those of this onnxruntime-gpu",
        )
    yield from _labels(settings, detector)


def open_model(settings: AgentSettings, name: str = "") -> tuple[OnnxDetector | None, Finding]:
    """A model, or what is wrong with it; without a name the configured one. Nothing is fetched."""
    from agent.detectors.onnx import open_detector
    from agent.models.shipped import SHIPPED, find
    from agent.models.store import Store

    name = name or settings.model.name
    store = Store(store_folder(settings))
    if name in SHIPPED and name not in store.names():
        return None, warn(
            "model",
            f"{name} is not in {store.folder} yet; the first job fetches it ({SHIPPED[name].megabytes} MB)",
            f"fetch it now: herdlink model check {name} --store {store.folder}",
        )
    try:
        # One thread a picture, as in the node; its setting says how many pictures at once.
        detector = open_detector(*find(store, name), provider=settings.model.provider, threads=1)
    except HerdlinkError as error:
        return None, fail("model", error.message, "see herdlink model list, and model.name in agent.toml")
    return detector, ok("model", detector.name)


def store_folder(settings: AgentSettings) -> Path:
    """Where the agent looks for models."""
    from agent.models.store import default_folder

    return default_folder() if os.environ.get("HERDLINK_STORE") else settings.state_dir / "models"


def _providers(available: list[str]) -> Findings:
    auto = "cuda" if "CUDAExecutionProvider" in available else "cpu"
    short = ", ".join(name.removesuffix("ExecutionProvider") for name in available if name != _NOT_OURS)
    yield ok("provider", f"ONNX Runtime has {short}; auto takes {auto}")
    if auto == "cpu" and any(Path(device).exists() for device in _GPUS):
        yield warn(
            "provider",
            "there is an NVIDIA GPU that this ONNX Runtime cannot use",
            "python -m pip uninstall onnxruntime; python -m pip install onnxruntime-gpu (Jetson: NVIDIA's own wheel)",
        )


def _on_cpu(detector: Detector) -> bool:
    return detector.provider.startswith("CPU")


def _picture_ms(detector: OnnxDetector) -> float:
    """Median milliseconds of a grey picture of a camera's size."""
    import numpy as np

    grey = np.full((720, 1280, 3), 127, np.uint8)
    detector.detect([grey], 0.5)
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        detector.detect([grey], 0.5)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


def _labels(settings: AgentSettings, detector: Detector) -> Findings:
    for name, stream in settings.streams.items():
        unknown = [] if stream.model else sorted(set(stream.labels or ()) - set(detector.labels) - {"*"})
        if unknown:
            yield warn(
                f"stream {name}",
                f"{detector.name} knows no {', '.join(unknown)}",
                f"labels it knows: herdlink model check {settings.model.name} --store {store_folder(settings)}",
            )
