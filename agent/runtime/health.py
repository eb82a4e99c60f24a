"""How the node is: figures of the machine and of this process, and what is wrong, each with what to do about it."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.core.types import JobState
from agent.runtime.clock import clock_synced
from agent.runtime.engine import Engine
from agent.runtime.rooms import StreamView
from agent.runtime.upkeep import LOOK_S, Upkeep

CPU = "CPUExecutionProvider"
CPU_OVER_S = 10.0
GPU_FILES = ("/dev/nvidiactl", "/dev/nvhost-ctrl", "/dev/nvmap")
PLAUSIBLE_C = (-40.0, 150.0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that somebody should see to."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """The node at one moment; times in seconds since 1970."""

    time: float
    clock_synced: bool
    start_time: float
    cpu_ratio: float
    rss_bytes: float
    temperature_c: float | None
    disk_free_bytes: float
    journal_rows: int
    lost_records: int
    provider: str
    provider_wanted: str
    problems: tuple[Trouble, ...]


class Health:
    """Looks when it is asked. `provider` is what the models run on, empty until one is open."""

    def __init__(
        self,
        *,
        engine: Engine,
        upkeep: Upkeep,
        provider_wanted: str,
        provider: Callable[[], str],
        gpu: bool | None = None,
    ) -> None:
        self._engine = engine
        self._upkeep = upkeep
        self._provider_wanted = provider_wanted
        self._provider = provider
        self._gpu = any(Path(file).exists() for file in GPU_FILES)
        self._start_time = time.time()
        self._used: deque[tuple[float, float]] = deque([_cpu_seconds()], maxlen=64)

    def view(self) -> HealthView:
        return HealthView(
            time=time.time(),
            clock_synced=clock_synced(),
            start_time=self._start_time,
            cpu_ratio=self._cpu_ratio(),
            rss_bytes=rss_bytes(),
            temperature_c=temperature_c(),
            disk_free_bytes=self._upkeep.free_bytes if math.isfinite(self._upkeep.free_bytes) else 0.0,
            journal_rows=self._engine.journal.rows,
            lost_records=self._engine.recorder.lost,
            provider=self._provider(),
            provider_wanted=self._provider_wanted,
            problems=tuple(self.problems()),
        )

    def problems(self) -> Iterator[Trouble]:
        """The node's own first, then each stream's."""
        unwritable = self._engine.journal.unwritable
        if unwritable:
            text = f"the journal in state_dir cannot be written ({unwritable}); make room on the disk or mend it"
            yield Trouble("JOURNAL_UNWRITABLE", text)
        if self._upkeep.disk_low:
            wanted = f"{self._upkeep.min_free_bytes / 1e6:.0f} MB"
            yield Trouble("DISK_LOW", f"less than {wanted} are free on the disk; delete old results before it is full")
        if not clock_synced():
            yield Trouble("CLOCK_NOT_SYNCED", "the clock is not synchronised; start chrony or systemd-timesyncd")
        if self._provider_wanted == "auto" and self._gpu and self._provider() == CPU:
            text = "this machine has an NVIDIA GPU, but the model runs on the CPU; install onnxruntime-gpu"
            yield Trouble("PROVIDER_FALLBACK", text)
        for view in self._engine.streams():
            yield from self._stream_problems(view)

    def _stream_problems(self, view: StreamView) -> Iterator[Trouble]:
        job, name = view.job, view.stream
        if job is None:
            return
        why = job.error.message if job.error else "nobody knows why"
        if job.state is JobState.RECONNECTING:
            yield Trouble("CAMERA_LOST", f"stream {name} has no pictures: {why}")
        if view.run is not None and view.run.output_error is not None:
            yield Trouble("OUTPUT_FAILED", f"stream {name}: {view.run.output_error.message}")
        if job.state is JobState.FAILED and job.error and job.error.reason == "MODEL_NOT_READY":
            yield Trouble("MODEL_NOT_READY", f"stream {name}: {why}")
        elif job.state is JobState.FAILED and view.values.enabled and self._engine.is_endless(name):
            yield Trouble(
                "STREAM_STOPPED", f"the camera of stream {name} is not watched: {why}; Compute starts it again"
            )

    def _cpu_ratio(self) -> float:
        """Share of all cores, over the last seconds."""
        now, used = _cpu_seconds()
        if now - self._used[-1][0] >= LOOK_S:
            self._used.append((now, used))
        while len(self._used) > 1 and now - self._used[1][0] >= CPU_OVER_S:
            self._used.popleft()
        since, before = self._used[0]
        return max(0.0, (used - before) / (now - since) / (os.cpu_count() or 1)) if now > since else 0.0


def _cpu_seconds() -> tuple[float, float]:
    """The time, and what this process has used of the processor, both in seconds."""
    return time.monotonic(), time.process_time()


def rss_bytes() -> float:
    """Memory of this process; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0.0
    return float(pages) * os.sysconf("SC_PAGE_SIZE")


def temperature_c(root: Path = Path("/sys/class")) -> float | None:
    """The hottest sensor of the machine; None where there is none."""
    for pattern in ("thermal/thermal_zone*/temp", "hwmon/hwmon*/temp*_input"):
        degrees = [one for file in root.glob(pattern) if (one := _degrees(file)) is not None]
        if degrees:
            return max(degrees)
    return None


def _degrees(file: Path) -> float | None:
    try:
        degrees = int(file.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None
    return degrees if PLAUSIBLE_C[0] < degrees < PLAUSIBLE_C[1] else None
