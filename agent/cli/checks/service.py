"""The running agent: whether it answers, and what it says of its streams."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agent.cli.checks.finding import Finding, Findings, fail, ok, warn
from agent.settings import AgentSettings

ANSWER_S = 5.0
_START = "start it: systemctl start herdlink-agent, or herdlink-agent --config FILE"


def look(settings: AgentSettings) -> Findings:
    """At the first address on which it should listen."""
    import grpc

    target = settings.rpc.listen[0]
    socket = Path(target.removeprefix("unix:")) if target.startswith("unix:") else None
    if socket is not None and socket.exists() and not os.access(socket, os.W_OK):
        cure = f"sudo usermod -aG {socket.group()} $USER, then log in again"
        yield fail("agent", f"this user may not use the socket {socket}", cure)
        return
    with grpc.insecure_channel(target) as channel:
        try:
            health = _health(channel)
            if health is not None:
                yield health
                return
            yield from _answers(channel, target, settings)
        except grpc.RpcError as error:
            yield _refused(error, target)


def _health(channel: Any) -> Finding | None:
    """What is wrong; None where the agent serves."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_S)
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return None
    return warn("agent", "it answers, but does not serve (yet, or no more)", "wait a moment and look again")


def _answers(channel: Any, target: str, settings: AgentSettings) -> Findings:
    from agent.rpc.node import herdlink_version
    from herdlink.v1 import edge_pb2, edge_pb2_grpc

    edge = edge_pb2_grpc.EdgeServiceStub(channel)
    node = edge.GetNode(edge_pb2.GetNodeRequest(), timeout=ANSWER_S)
    told = f"node {node.id}, herdlink {node.version}, on {target}"
    if node.id != settings.node_name:
        yield warn(
            "agent", f"{told}; the settings say node {settings.node_name}", "restart the agent, or mend --config"
        )
    elif node.version != herdlink_version():
        yield warn("agent", f"{told}; installed is {herdlink_version()}", "restart the agent")
    else:
        yield ok("agent", told)
    for stream in edge.ListStreams(edge_pb2.ListStreamsRequest(), timeout=ANSWER_S).streams:
        yield _stream(stream)


def _stream(stream: Any) -> Finding:
    from herdlink.v1 import types_pb2

    state = stream.state
    word = types_pb2.JobState.Name(state.state).removeprefix("JOB_STATE_") if state.state else "no job yet"
    told = f"{word}, {state.fps:.1f} frames/s" if word == "RUNNING" else word
    if state.HasField("error"):
        return warn(
            f"stream {stream.stream}", f"{told}: {state.error.message}", "mend that, then: herdlink call Compute"
        )
    return ok(f"stream {stream.stream}", told)


def _refused(error: Any, target: str) -> Finding:
    import grpc

    code, details = error.code(), error.details() or ""
    if code == grpc.StatusCode.UNAVAILABLE and ("refused" in details or "No such file" in details):
        return warn("agent", f"it does not run: nobody answers on {target}", _START)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return fail("agent", f"no agent answers on {target}; does another program?", f"see ss -lptn; {_START}")
    return fail("agent", f"{target}: {code.name}: {details}", "restart the agent")
