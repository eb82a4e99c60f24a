"""What an agent and a bridge take while nothing is asked of them: the share of one core; without streams, and with four
cameras that are paused. A round takes 50 seconds.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from mqtt_calls import node
from process import cpu_s, rss_mb
from table import Figure, show

SECONDS = 20.0
SETTLE_S = 5.0
PAUSED = "".join(
    f'[streams.pen{number}]\ninput = "synthetic:herd?animals=20&seconds=0"\nenabled = false\n' for number in range(1, 5)
)


def run(rounds: int) -> None:
    figures = []
    for name, more in (("no stream", ""), ("4 paused cameras", PAUSED)):
        with tempfile.TemporaryDirectory() as folder, node(Path(folder), more=more) as (_, agent, bridge, _):
            assert agent.process is not None
            pids = agent.process.pid, bridge.pid
            time.sleep(SETTLE_S)
            rows = [_shares(*pids) for _ in range(rounds)]
            memory = [rss_mb(pid) for pid in pids]
        for column, program in enumerate(("agent", "bridge")):
            figures += [
                Figure(f"{name}, {program}: CPU", [100 * row[column] for row in rows], "% of a core"),
                Figure(f"{name}, {program}: memory", [memory[column]], "MB"),
            ]
    show(f"nothing to do, {SECONDS:.0f} s a round", figures)


def _shares(*pids: int) -> list[float]:
    before = [cpu_s(pid) for pid in pids]
    time.sleep(SECONDS)
    return [(cpu_s(pid) - was) / SECONDS for pid, was in zip(pids, before, strict=True)]
