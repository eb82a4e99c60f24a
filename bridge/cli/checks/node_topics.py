"""A node's topics: whether the bridge's login may use them, and whether one bridge, and one alone, answers there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from bridge.cli.checks.finding import Finding, Findings, fail, ok, warn
from bridge.cli.checks.probe import Probe
from bridge.core.topics import Topics
from bridge.settings import BridgeSettings

STATUS_S = 0.5
ANSWER_S = 4.0
WATCH_S = 3.0
METHOD = "GetNode"
_START = "start it: systemctl start herdlink-bridge, or herdlink-bridge --config FILE"


def look(settings: BridgeSettings, probe: Probe, topics: Topics, answers: str) -> Findings:
    """`answers` is the topic on which answers can be read; empty where this login may not."""
    reply = topics.reply("Doctor")
    # Nobody waits for it, and nothing is kept.
    if refusal := probe.publish(reply, b"{}"):
        yield fail("topics", f"this login may not write {reply} ({refusal})", access(settings))
        return
    for topic in (topics.commands, topics.status):
        if refusal := probe.subscribe(topic):
            yield fail("topics", f"this login may not read {topic} ({refusal})", access(settings))
            return
    tried = _try(probe, topics, answers)
    if tried.refusal:
        yield ok("topics", f"{topics.base}/{topics.node}/ can be written")
    elif tried.seen:
        yield ok("topics", f"{topics.base}/{topics.node}/ can be written, and commands read")
    else:
        unsure = "" if settings.mqtt.version == 5 else ", or not write it"
        yield fail("topics", f"this login may not read {topics.commands}{unsure}: no command comes", access(settings))
        return
    yield _verdict(topics, tried)


def access(settings: BridgeSettings) -> str:
    """The line that is missing in the broker's access list."""
    user = settings.mqtt.username
    return f"in the broker's access list:{f' user {user},' if user else ''} topic readwrite {settings.mqtt.base}/#"


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of one harmless command."""

    status: str
    """The retained status; empty where there is none."""
    refusal: str
    """Why this login may not send commands, which the bridge need not."""
    seen: bool
    """Whether the command came to this login as it must come to the bridge."""
    answered_ms: float | None
    can_hear: bool
    changes: int
    """How often the status changed meanwhile."""


def _try(probe: Probe, topics: Topics, answers: str) -> _Tried:
    command = topics.commands.replace("+", METHOD)
    found = probe.find(lambda message: message.topic == topics.status, STATUS_S)
    status = found.payload.decode("utf-8", "replace")[:40] if found else ""
    mark = f"{probe.id}-{topics.node}"
    begin = time.monotonic()
    refusal = probe.publish(command, json.dumps({"id": mark, "replyTo": answers or None}).encode())
    seen = not refusal and probe.find(lambda message: message.topic == command, ANSWER_S / 2) is not None
    answer = None
    if seen and answers and status == "online":
        answer = probe.find(lambda m: m.topic == answers and mark.encode() in m.payload, ANSWER_S)
    if status in ("online", "unreachable", "offline"):
        probe.listen(WATCH_S - (time.monotonic() - begin))
    return _Tried(
        status=status,
        refusal=refusal,
        seen=seen,
        answered_ms=(answer.received - begin) * 1000 if answer else None,
        can_hear=bool(answers) and not refusal,
        changes=sum(m.topic == topics.status and not m.retained for m in probe.messages),
    )


def _verdict(topics: Topics, tried: _Tried) -> Finding:
    """Of the bridge that runs, or does not."""
    node = topics.node
    if tried.changes > 1:
        told = f"{topics.status} changed {tried.changes} times in {WATCH_S:.0f} s: do two bridges run for node {node}?"
        return warn("bridge", told, "stop one of them, or give each node a name of its own")
    if tried.answered_ms is not None:
        return ok("bridge", f"node {node} answers a command over MQTT in {tried.answered_ms:.0f} ms")
    if tried.status == "online" and tried.can_hear:
        told = f"{topics.status} says online, but a command is not answered in {ANSWER_S:.0f} s"
        return fail("bridge", told, "restart herdlink-bridge; its log says more")
    if tried.status == "online":
        return ok("bridge", f"{topics.status} says online")
    if tried.status == "unreachable":
        return warn("bridge", f"it runs, but the agent of node {node} does not answer it", "start herdlink-agent")
    told = f"it does not run for node {node} (status: {tried.status or 'never seen'})"
    return warn("bridge", told, _START)
