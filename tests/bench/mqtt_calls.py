"""GetInput over MQTT against a bare echo through the same broker and a bare gRPC call; start-up and memory."""

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
from table import Figure, at, show

from herdlink.v1 import edge_pb2 as pb

CALLS = 400
ANSWERS = "herdlink/client/bench"
BRIDGE_IMPORTS = "import grpc, grpc.aio, paho.mqtt.client"
AGENT_IMPORTS = "import cv2, grpc, grpc.aio, onnxruntime, sqlite3"


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _node(Path(folder)) as (user, agent, bridge):
        user.ask("echo/bench", 50)
        user.ask("herdlink/n1/cmd/GetInput", 50)
        rows = [_round(user, agent) for _ in range(rounds)]
        memory = [_peak_mb(agent), _peak_mb(bridge)]
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
    _show_starts(rounds)


def _round(user: _User, agent: AgentProcess) -> tuple[list[float], list[float], list[float]]:
    echo, calls, bare = [], [], []
    for _ in range(CALLS):
        echo += user.ask("echo/bench", 1)
        calls += user.ask("herdlink/n1/cmd/GetInput", 1)
        begin = time.perf_counter()
        agent.edge.GetInput(pb.GetInputRequest())
        bare.append((time.perf_counter() - begin) * 1000)
    return echo, calls, bare


class _User:
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
def _node(folder: Path) -> Iterator[tuple[_User, AgentProcess, subprocess.Popen[bytes]]]:
    broker, agent = Mosquitto(folder).start(), AgentProcess(folder).start()
    bridge = _bridge(folder, agent, broker.port)
    user, echo = _User(broker.port, "user"), _User(broker.port, "echo")
    echo.client.on_message = lambda client, _data, message: client.publish(ANSWERS, message.payload, qos=1)
    echo.client.subscribe("echo/bench", 1)
    user.client.subscribe([(ANSWERS, 1), ("herdlink/n1/status", 1)])
    try:
        assert user.online.wait(30)
        yield user, agent, bridge
    finally:
        for one in (user, echo):
            one.client.disconnect()
            one.client.loop_stop()
        bridge.terminate()
        bridge.wait(10)
        agent.stop()
        broker.stop()


def _bridge(folder: Path, agent: AgentProcess, port: int) -> subprocess.Popen[bytes]:
    settings = folder / "bridge.toml"
    settings.write_text(f'[[agents]]\nnode = "n1"\ntarget = "unix:{agent.socket}"\n[mqtt]\nport = {port}\n')
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "--config", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _peak_mb(process: Any) -> float:
    pid = process.process.pid if isinstance(process, AgentProcess) else process.pid
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _show_starts(rounds: int) -> None:
    """What a program takes until it is there, against bare imports of what it cannot do without."""
    rows = [(_imports(BRIDGE_IMPORTS), _bridge_start(), _imports(AGENT_IMPORTS), _agent_start()) for _ in range(rounds)]
    show(
        "start-up",
        [
            Figure("bridge: start to online / bare imports of grpc and paho", [row[1] / row[0] for row in rows]),
            Figure("bridge: start to online", [row[1] for row in rows], "s"),
            Figure(
                "agent: start to its first answer / bare imports of cv2, onnxruntime, grpc", [r[3] / r[2] for r in rows]
            ),
            Figure("agent: start to its first answer", [row[3] for row in rows], "s"),
        ],
    )


def _imports(words: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", words], check=True)
    return time.perf_counter() - begin


def _agent_start() -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        agent = AgentProcess(Path(folder)).start()
        took = time.perf_counter() - begin
        agent.stop()
    return took


def _bridge_start() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker, agent = Mosquitto(folder).start(), AgentProcess(folder).start()
        user = _User(broker.port, "user")
        user.client.subscribe("herdlink/n1/status", 1)
        begin = time.perf_counter()
        bridge = _bridge(folder, agent, broker.port)
        assert user.online.wait(30)
        took = time.perf_counter() - begin
        user.client.disconnect()
        user.client.loop_stop()
        bridge.terminate()
        bridge.wait(10)
        agent.stop()
        broker.stop()
    return took
