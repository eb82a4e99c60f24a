"""What an agent and a bridge take while nothing is asked of them: the share of one core."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from mqtt_calls import _node
from table import Figure, show

SECONDS = 20.0


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _node(Path(folder)) as (_, agent, bridge):
        time.sleep(5)
        rows = [_shares(agent.process.pid, bridge.pid) for _ in range(rounds)]
    show(
        f"nothing to do, {SECONDS:.0f} s a round",
        [
            Figure("agent: CPU", [100 * row[0] for row in rows], "% of a core"),
            Figure("bridge: CPU", [100 * row[1] for row in rows], "% of a core"),
        ],
    )


def _shares(*pids: int) -> list[float]:
    before = [_cpu_s(pid) for pid in pids]
    time.sleep(SECONDS)
    return [(_cpu_s(pid) - was) / SECONDS for pid, was in zip(pids, before, strict=True)]


def _cpu_s(pid: int) -> float:
    """Of all its threads, to the nanosecond."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9
