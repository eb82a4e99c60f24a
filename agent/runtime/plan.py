"""What one job is made of, before it is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.core.herd.window import Herd
from agent.core.pipeline import Pipeline
from agent.core.ports import Detector, Sink, Source
from agent.core.scene import Scene
from agent.core.types import InputInfo, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that one job is made of. Every `open_` may take its time: it is called on the job's own threads."""

    job: Job
    live: bool
    max_fps: float
    scene: Scene
    tell_tracks: bool
    """Whether records tell the single tracks."""
    settings: Mapping[str, Any]
    """What run.json says of the stream's values."""
    input_file: Path | None
    """Where the input is a file of this machine."""
    pool: Executor
    """Where the model works."""
    ahead: int
    """How many pictures may be with the model at once."""
    open_source: Callable[[], Source]
    open_detector: Callable[[], Detector]
    open_pipeline: Callable[[Detector, int], Pipeline]
    """(detector, first track id)"""
    open_herd: Callable[[Detector], Herd]
    open_sinks: Callable[[Detector, InputInfo], Sequence[Sink]]
