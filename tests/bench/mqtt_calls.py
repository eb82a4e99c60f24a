"""GetInput over MQTT against a bare echo through the same broker and a bare gRPC call; and memory.

A round takes some 5 seconds.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from agent_process import AgentProcess
from mosquitto_process import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion
from process import peak_mb
from table import Figure, at, show

from herdlink.v1 import edge_pb2 as pb

CALLS = 400
ANSWERS = "herdlink/client/bench"


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, node(Path(folder)) as (user, agent, bridge, _):
        user.ask("echo/bench", 50)
        user.ask("herdlink/n1/cmd/GetInput", 50)
        rows = [_round(user, agent) for _ in range(rounds)]
        assert agent.process is not None
        memory = [peak_mb(agent.process.pid), peak_mb(bridge.pid)]
    medians = [[at(times, 0.5) for times in row] for row in rows]
    show(
        f"GetInput, {CALLS} calls a round, in turn",
        [
            Figure("MQTT p50 / (echo p50 + gRPC p50)", [m / (e + g) for e, m, g in medians]),
            Figure("MQTT p50", [m for _, m, _ in medians], "ms"),
            Figure("MQTT p99", [at(row[1], 0.99) for row in rows], "ms"),
            Figure("echo p50", [e for e, _, _ in medians], "ms"),
            Figure("gRPC p50", [g for _, _, g in medians], "ms"),
            Figure("agent, idle: peak memory", [memory[0]], "MB"),
            Figure("bridge: peak memory", [memory[1]], "MB"),
        ],
    )


def _round(user: User, agent: AgentProcess) -> tuple[list[float], list[float], list[float]]:
    echo, calls, bare = [], [], []
    for _ in range(CALLS):
        echo += user.ask("echo/bench", 1)
        calls += user.ask("herdlink/n1/cmd/GetInput", 1)
        begin = time.perf_counter()
        agent.edge.GetInput(pb.GetInputRequest())
        bare.append((time.perf_counter() - begin) * 1000)
    return echo, calls, bare


class User:
    """A client that asks and waits, with Nagle's algorithm off."""

    def __init__(self, port: int, name: str) -> None:
        self.online = threading.Event()
        self._answered = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self.client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        if message.topic.endswith("/status"):
            if message.payload == b"online":
                self.online.set()
        else:
            self._answered.set()

    def ask(self, topic: str, times: int) -> list[float]:
        """Milliseconds of each."""
        took = []
        for _ in range(times):
            self._answered.clear()
            begin = time.perf_counter()
            self.client.publish(topic, json.dumps({"replyTo": ANSWERS}), qos=1)
            assert self._answered.wait(10)
            took.append((time.perf_counter() - begin) * 1000)
        return took


@contextmanager
def node(
    folder: Path, *, broker: str = "", more: str = ""
) -> Iterator[tuple[User, AgentProcess, subprocess.Popen[bytes], Mosquitto]]:
    """A user, an agent, its bridge and the broker; `broker` and `more` are added to what the two are set to."""
    post, agent = Mosquitto(folder, more=broker).start(), AgentProcess(folder, more=more).start()
    bridge = open_bridge(folder, agent, post.port)
    user, echo = User(post.port, "user"), User(post.port, "echo")
    echo.client.on_message = lambda client, _data, message: client.publish(ANSWERS, message.payload, qos=1)
    echo.client.subscribe("echo/bench", 1)
    user.client.subscribe([(ANSWERS, 1), ("herdlink/n1/status", 1)])
    try:
        assert user.online.wait(30)
        yield user, agent, bridge, post
    finally:
        for one in (user, echo):
            one.client.disconnect()
            one.client.loop_stop()
        bridge.terminate()
        bridge.wait(10)
        agent.stop()
        post.stop()


def open_bridge(folder: Path, agent: AgentProcess, port: int) -> subprocess.Popen[bytes]:
    settings = folder / "bridge.toml"
    settings.write_text(f'[[agents]]\nnode = "n1"\ntarget = "unix:{agent.socket}"\n[mqtt]\nport = {port}\n')
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "--config", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
