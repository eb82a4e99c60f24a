"""Whole processes: what they cost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
    begin = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})}
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words), output)
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - begin, used.ru_maxrss / 1024, output)
