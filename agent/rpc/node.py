"""What GetNode tells."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agent import plugins
from agent.rpc import convert
from agent.runtime.engine import LIST_LIMIT, RUNNING_JOBS_LIMIT, STREAMS_LIMIT
from herdlink.v1 import edge_pb2 as pb

MESSAGE_BYTES = 8 * 1024 * 1024


class Node:
    """The node's own description; what does not change is looked up once."""

    def __init__(
        self, *, node: str, journal: str, records: int, provider_wanted: str, provider: Callable[[], str]
    ) -> None:
        self._provider = provider
        self._fixed = pb.GetNodeResponse(
            id=node,
            version=herdlink_version(),
            hardware=_hardware(),
            provider_wanted=provider_wanted,
            limits=pb.Limits(
                message_bytes=MESSAGE_BYTES,
                streams=STREAMS_LIMIT,
                running_jobs=RUNNING_JOBS_LIMIT,
                records=records,
                list_limit=LIST_LIMIT,
            ),
            start_time=convert.timestamp(time.time()),
            journal=journal,
            trackers=plugins.names("agent.core.trackers"),
            schemes=plugins.names("agent.sources"),
        )

    def describe(self) -> pb.GetNodeResponse:
        answer = pb.GetNodeResponse()
        answer.CopyFrom(self._fixed)
        answer.provider = self._provider()
        return answer


def herdlink_version() -> str:
    """The installed version; "0" where it runs without being installed."""
    try:
        return version("herdlink")
    except PackageNotFoundError:
        return "0"


def _hardware() -> pb.Hardware:
    return pb.Hardware(
        machine=platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        cpu=_cpu_name(),
        cpu_count=os.cpu_count() or 1,
        memory_bytes=float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name")), "")
