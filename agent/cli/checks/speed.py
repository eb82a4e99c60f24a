"""Which of the profiles in config/profiles suits this node, by measuring those that it can run."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli._layouts import ALIKE, Layout, best, measure, picture
from agent.cli.checks.finding import Findings, fail, ok, warn
from agent.cli.checks.model import open_model
from agent.settings import AgentSettings

if TYPE_CHECKING:
    from agent.detectors.onnx import OnnxDetector

SECONDS = 5.0
"""For each profile."""
_JETSON = Path("/etc/nv_tegra_release")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a file of config/profiles says."""

    name: str
    provider: str
    threads: int
    """0: one a core."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What a profile does on this node."""

    profile: Profile
    fps: float
    cpu_ms: float
    best_threads: int


CPU, GPU, XAVIER = Profile("cpu", "cpu", 0), Profile("gpu", "cuda", 2), Profile("xavier", "cuda", 2)


def look(settings: AgentSettings | None) -> Findings:
    """A line for each profile, and which one to take and why. Takes some 5 seconds for each that can run."""
    speeds: list[Speed] = []
    for profile in (XAVIER if _JETSON.exists() else GPU, CPU):
        detector, why = _open(settings or AgentSettings.model_construct(), profile)
        if detector is None:
            yield ok(f"profile {profile.name}", f"not for this node: {why}")
            continue
        speed, told = _measured(profile, detector)
        speeds.append(speed)
        yield ok(f"profile {profile.name}", told)
    if speeds:
        yield from _chosen(speeds, settings)
    else:
        yield fail("profile", "no profile runs on this node", "see the lines above")


def choose(speeds: list[Speed]) -> Speed:
    """The fastest; of those about as fast the one that costs the processor least."""
    fastest = max(speed.fps for speed in speeds)
    return min((one for one in speeds if one.fps * ALIKE >= fastest), key=lambda one: one.cpu_ms)


def _open(settings: AgentSettings, profile: Profile) -> tuple[OnnxDetector | None, str]:
    """The node's model as the profile has it run; `pig`, which is always there, where the node's is not fetched yet."""
    given = settings.model_copy(update={"model": settings.model.model_copy(update={"provider": profile.provider})})
    detector, why = open_model(given)
    if detector is None and why.level == "WARN":
        detector, why = open_model(given, "pig")
    return detector, why.message


def _measured(profile: Profile, detector: OnnxDetector) -> tuple[Speed, str]:
    threads = profile.threads or _cores()
    layouts = [Layout(workers) for workers in sorted({1, threads})]
    measure(detector, layouts, picture(), SECONDS)
    fps, cpu_ms = 1000 / statistics.median(layouts[-1].wall_ms), statistics.median(layouts[-1].cpu_ms)
    one = 1000 / statistics.median(layouts[0].wall_ms)
    told = f"{detector.name} on {detector.provider}, {threads} at once: {fps:.1f} pictures/s, {cpu_ms:.0f} CPU ms each"
    return Speed(profile, fps, cpu_ms, best(layouts, layouts[0]).workers), f"{told}; one at a time {one:.1f} pictures/s"


def _chosen(speeds: list[Speed], settings: AgentSettings | None) -> Findings:
    chosen = choose(speeds)
    profile, others = chosen.profile, [speed for speed in speeds if speed is not chosen]
    why = (
        f"{chosen.fps / others[0].fps:.1f} times the pictures of {others[0].profile.name}"
        if others
        else "it alone runs"
    )
    threads = profile.threads or _cores()
    if chosen.best_threads != threads:
        why += f"; threads = {chosen.best_threads} does no less here, for less"
    message = f"{profile.name} ({why})"
    if settings is None or _has(settings, profile):
        yield ok("profile", message)
        return
    cure = f'[model] of agent.toml: provider = "{profile.provider}", threads = {profile.threads}'
    yield warn("profile", f"{message}; the settings differ", f"{cure} (config/profiles/{profile.name}.toml)")


def _has(settings: AgentSettings, profile: Profile) -> bool:
    """Whether the settings come to the same: `auto` takes CUDA where it is built in."""
    import onnxruntime

    provider = settings.model.provider
    if provider == "auto":
        provider = "cuda" if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else "cpu"
    return (provider, settings.model.threads or _cores()) == (profile.provider, profile.threads or _cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0))
