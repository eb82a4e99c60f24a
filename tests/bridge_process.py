"""A real bridge as a process of its own, and a user of the broker."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

BASE = "herdlink/n1"


class BridgeProcess:
    """`python -m bridge` between a broker and an agent."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        target: str = "",
        version: int = 5,
        mqtt: str = "",
        more: str = "",
        **others: str,
    ) -> None:
        """`mqtt` is added to [mqtt], `more` at the end; `others`: further nodes and their targets."""
        self.folder = folder
        self.config = folder / "bridge.toml"
        agents = {"n1": target, **others}
        self.config.write_text(
            f'secrets_dir = "{folder}/secrets"\n'
            + "".join(f'[[agents]]\nnode = "{node}"\ntarget = "{to}"\n' for node, to in agents.items())
            + f"[mqtt]\nport = {port}\nversion = {version}\n{mqtt}\n[snapshot]\nperiod_s = 1.0\n{more}\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> BridgeProcess:
        with (self.folder / "bridge.log").open("ab") as log:
            command = [sys.executable, "-m", "bridge", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(20)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def await_log(self, text: str, timeout_s: float = 90) -> None:
        """Until the log has a text."""
        deadline = time.monotonic() + timeout_s
        while text not in self.log():
            assert time.monotonic() < deadline, f"no {text!r} in: {self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "bridge.log").read_text()


class User:
    """An MQTT client that keeps all it hears."""

    def __init__(self, port: int, *, version: int = 5, login: str = "", topics: str = "herdlink/#") -> None:
        """`login`: user:password."""
        self.version = version
        self.arrived: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.kept: list[mqtt.MQTTMessage] = []
        protocol = MQTTProtocolVersion.MQTTv5 if version == 5 else MQTTProtocolVersion.MQTTv311
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self.client.on_message = lambda _c, _u, message: self.arrived.put(message)
        self.client.on_connect = lambda client, *_: client.subscribe(topics, qos=1)
        if login:
            self.client.username_pw_set(*login.split(":"))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, method: str, payload: Any = b"", *, retain: bool = False, **properties: Any) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        given = None
        if properties:
            given = Properties(PacketTypes.PUBLISH)
            for name, value in properties.items():
                setattr(given, name, value)
        self.client.publish(f"{BASE}/cmd/{method}", body, qos=1, retain=retain, properties=given)

    def ask(self, method: str, request: dict[str, Any], *, timeout_s: float = 90) -> dict[str, Any]:
        """The answer's JSON."""
        self.send(method, {**request, "id": method, "replyTo": "herdlink/client/t"})
        message = self.find(
            lambda m: m.topic == "herdlink/client/t" and json.loads(m.payload).get("id") == method, timeout_s
        )
        answer: dict[str, Any] = json.loads(message.payload)
        self.kept.remove(message)
        return answer

    def find(self, wanted: Any, timeout_s: float = 90) -> mqtt.MQTTMessage:
        """The first message, of those that came and those that will come in time, that is wanted."""
        for message in self.kept:
            if wanted(message):
                return message
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"it did not come; these did: {[(m.topic, m.payload[:80]) for m in self.kept[-10:]]}"
            try:
                message = self.arrived.get(timeout=left)
            except queue.Empty:
                continue
            self.kept.append(message)
            if wanted(message):
                return message

    def find_on(self, topic: str, text: str = "", timeout_s: float = 90) -> mqtt.MQTTMessage:
        """A message on a topic of the node whose payload holds a text."""
        return self.find(lambda m: m.topic == f"{BASE}/{topic}" and text in m.payload.decode("latin1"), timeout_s)

    def forget(self) -> None:
        """Drops what came so far."""
        while not self.arrived.empty():
            self.arrived.get()
        self.kept.clear()
