"""Processor, memory, clock and disks."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

from agent.cli.checks.finding import Finding, Findings, fail, ok, warn
from agent.settings import AgentSettings

GIB = 1 << 30
MEMORY_SCANT = GIB // 2
MEMORY_NONE = GIB // 8
DISK_SCANT = 2 * GIB
DISK_NONE = GIB // 5
"""A film of an hour takes about 1 GB."""
OLDEST_CLOCK = 1_750_000_000.0
"""Before this program was written (2025)."""


def look(settings: AgentSettings | None) -> Findings:
    """What the machine has to give."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    yield ok(
        "machine", f"{platform.machine()}, {cores} cores, load {load:.1f}, {platform.system()} {platform.release()}"
    )
    yield _memory()
    yield _clock()
    if settings is not None:
        yield _folder("state_dir", settings.state_dir)
        yield _folder("output_root", settings.output_root)


def _memory() -> Finding:
    free, total = _memory_bytes()
    told = f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"
    cure = "stop other programs; an agent takes 0.3 GiB, and more with several streams"
    if free < MEMORY_NONE:
        return fail("memory", told, cure)
    return warn("memory", told, cure) if free < MEMORY_SCANT else ok("memory", told)


def _memory_bytes() -> tuple[int, int]:
    """What is free and what there is; a container's own limit where it is the smaller."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    kib = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
    free, total = kib["MemAvailable"] << 10, kib["MemTotal"] << 10
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        return min(free, limit - int((group / "memory.current").read_text())), min(total, limit)
    except (OSError, ValueError):
        return free, total


def _clock() -> Finding:
    from agent.runtime.clock import clock_synced

    now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    cure = "timedatectl set-ntp true, and see that the network lets NTP through"
    if time.time() < OLDEST_CLOCK:
        return fail("clock", f"it says {now}, which cannot be", cure)
    if not clock_synced():
        return warn("clock", f"{now}, not synchronised: times in records may be wrong", cure)
    return ok("clock", f"{now}, synchronised")


def _folder(check: str, path: Path) -> Finding:
    """Whether a folder can be written by who asks, and how much room there is."""
    place = next(parent for parent in (path, *path.parents) if parent.exists())
    user = getpass.getuser()
    try:
        # Leaves no trace, and is true where rights alone are not (a disk mounted read-only).
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return fail(
            check,
            f"{path} cannot be written by {user}: {error.strerror}",
            f"mkdir -p {path}; chown {user} {path}; or run this as the user that runs the agent",
        )
    told = f"{path}{'' if place == path else ' (will be made)'}: {free / GIB:.1f} GiB free"
    cure = "remove old results, or set another folder in agent.toml"
    if free < DISK_NONE:
        return fail(check, told, cure)
    return warn(check, told, cure) if free < DISK_SCANT else ok(check, told)
