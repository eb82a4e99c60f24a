"""make bench: what a claim about speed rests on. Every figure is a ratio of two things measured in turn in one run.

tests/bench/run.py [--rounds N] [SUITE ...]; each suite says at its top how long a round takes.
"""

from __future__ import annotations

import argparse
import os
import platform
from importlib import import_module

SUITES = (
    "pipeline", "peers", "trackers", "starts", "grpc_calls", "mqtt_calls", "watchers", "streams", "fleet",
    "video_bytes", "rest", "idle", "scale", "hours",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures herdlink beside its limits.")
    parser.add_argument("suite", nargs="*", choices=[*SUITES, []], help="which (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="how often each pair is measured (default: 5)"
    )
    args = parser.parse_args()
    print(f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    for name in args.suite or SUITES:
        import_module(name).run(args.rounds)


if __name__ == "__main__":
    main()
