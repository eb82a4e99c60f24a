"""Whole processes: what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_START = """
import os, sys, time
begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
cost = used.ru_utime + used.ru_stime, time.perf_counter() - begin, used.ru_maxrss
os.write(int(sys.argv[1]), " ".join(map(str, cost)).encode())
sys.exit(os.waitstatus_to_exitcode(status) & 255)
"""
"""A small process between: Linux counts what the starting process held as the started one's own peak."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process and its own children."""

    cpu_s: float
    wall_s: float
    rss_mb: float
    """The most that it held at once."""
    output: str


def measured(words: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Runs a program to its end. Raises CalledProcessError where it fails."""
    told, telling = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _START, str(telling), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
            pass_fds=(telling,),
            check=False,
        )
    finally:
        os.close(telling)
    with os.fdopen(told) as figures:
        cost = figures.read().split()
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, list(words), done.stdout)
    cpu_s, wall_s, rss_kb = map(float, cost)
    return Cost(cpu_s, wall_s, rss_kb / 1024, done.stdout)


def cpu_s(pid: int) -> float:
    """CPU of all threads of a running process so far, to the nanosecond; threads that have ended are not counted."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def whole_cpu_s(pid: int) -> float:
    """The same with threads that have ended, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most that a running process has held."""
    return _held_mb(pid, "VmHWM")


def rss_mb(pid: int) -> float:
    """What a running process holds now."""
    return _held_mb(pid, "VmRSS")


def _held_mb(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024
