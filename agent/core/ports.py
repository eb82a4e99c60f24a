"""What the rooms expect of each other. Every file in sources/, detectors/, embedders/, sinks/, core/trackers/ and
core/formats/ holds one of these; contract tests run over all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from agent.core.types import Detections, Floats, Frame, Image, InputInfo, Record, Result, Tracks


class Source(Protocol):
    """An open input. Opening is the module's `open_source`; reconnecting is the job's business."""

    @property
    def info(self) -> InputInfo: ...

    def frames(self) -> Iterator[Frame]:
        """Frames in order until the input ends. Raises HerdlinkError when the input turns out damaged or lost."""
        ...

    def close(self) -> None:
        """Gives everything back; `frames()` ends soon after. May be called from another thread, and twice."""
        ...


class Detector(Protocol):
    """A model that is ready."""

    @property
    def labels(self) -> Sequence[str]:
        """Name of each class."""
        ...

    @property
    def name(self) -> str:
        """The model as "name@sha8"."""
        ...

    @property
    def sha256(self) -> str:
        """Of the model's file, 64 hex digits."""
        ...

    @property
    def provider(self) -> str:
        """The execution provider that really runs it."""
        ...

    def detect(self, images: Sequence[Image], threshold: float) -> list[Detections]:
        """One Detections an image: boxes in its pixels, scores >= threshold. Safe to call from several threads."""
        ...


class Embedder(Protocol):
    """Appearance of each box."""

    def embed(self, image: Image, boxes: Floats) -> Floats:
        """(N, D) unit vectors for (N, 4) boxes."""
        ...


class Tracker(Protocol):
    """Follows objects through one job."""

    def update(self, detections: Detections, time: float) -> Tracks:
        """The tracks in the frame of this `time` (seconds, growing). Call it for empty frames too."""
        ...


class Sink(Protocol):
    """One way to leave the process, below a job's folder."""

    def write(self, result: Result) -> None: ...

    def record(self, record: Record) -> None:
        """Takes a finished window; most sinks have no use for it."""
        ...

    def close(self) -> None:
        """Finishes the file. Raises HerdlinkError where what was written cannot be used."""
        ...
