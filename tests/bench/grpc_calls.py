"""GetInput of an agent against a bare grpc.aio server that answers the same message: one call of each, in turn.

A round takes some 5 seconds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from agent_process import AgentProcess
from process import cpu_s
from table import Figure, at, show

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import edge_pb2_grpc

CALLS = 2000
WARM = 200
BARE = """
import asyncio, sys
import grpc.aio
from herdlink.v1 import edge_pb2 as pb, edge_pb2_grpc
class Edge(edge_pb2_grpc.EdgeServiceServicer):
    async def GetInput(self, request, context):
        return pb.GetInputResponse(uri="")
async def serve():
    server = grpc.aio.server()
    edge_pb2_grpc.add_EdgeServiceServicer_to_server(Edge(), server)
    server.add_insecure_port(sys.argv[1])
    await server.start()
    await server.wait_for_termination()
asyncio.run(serve())
"""


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, _both(Path(name)) as servers:
        for server in servers:
            _calls(server[0], WARM)
        rows = [_round(*servers) for _ in range(rounds)]
    show(
        f"GetInput, {CALLS} unary calls of each a round, in turn",
        [
            Figure("agent p50 / bare grpc.aio server p50", [at(a, 0.5) / at(b, 0.5) for (a, _), (b, _) in rows]),
            Figure("agent p99 / bare p99", [at(a, 0.99) / at(b, 0.99) for (a, _), (b, _) in rows]),
            Figure("CPU of a call: agent / bare", [a / b for (_, a), (_, b) in rows]),
            Figure("agent p50", [at(a, 0.5) for (a, _), _ in rows], "ms"),
            Figure("bare p50", [at(b, 0.5) for _, (b, _) in rows], "ms"),
            Figure("agent: CPU of a call", [a * 1000 for (_, a), _ in rows], "ms"),
        ],
    )


Server = tuple[Any, int]
"""A stub and the process behind it."""
Told = tuple[list[float], float]
"""Milliseconds of each call, and CPU seconds of one."""


def _round(agent: Server, bare: Server) -> tuple[Told, Told]:
    before = cpu_s(agent[1]), cpu_s(bare[1])
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        took[0].extend(_calls(agent[0], 1))
        took[1].extend(_calls(bare[0], 1))
    used = (cpu_s(agent[1]) - before[0]) / CALLS, (cpu_s(bare[1]) - before[1]) / CALLS
    return (took[0], used[0]), (took[1], used[1])


def _calls(stub: Any, times: int) -> list[float]:
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        stub.GetInput(pb.GetInputRequest())
        took.append((time.perf_counter() - begin) * 1000)
    return took


@contextmanager
def _both(folder: Path) -> Iterator[tuple[Server, Server]]:
    target = f"unix:{folder}/bare.sock"
    bare = subprocess.Popen([sys.executable, "-c", BARE, target])
    agent = AgentProcess(folder).start()
    try:
        with grpc.insecure_channel(target) as channel:
            grpc.channel_ready_future(channel).result(30)
            assert agent.process is not None
            yield (agent.edge, agent.process.pid), (edge_pb2_grpc.EdgeServiceStub(channel), bare.pid)
    finally:
        bare.kill()
        bare.wait()
        agent.stop()
