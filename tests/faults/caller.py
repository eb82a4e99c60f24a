"""Who commands: sends each command again, under its requestId, until it is answered, and now and then after that."""

from __future__ import annotations

import json
import queue
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

BASE = "herdlink/n1"
REPLIES = "herdlink/client/faults"


@dataclass
class Caller:
    """`done`: the first successful answer of each number; every later one must be equal to it."""

    port: int
    streams: int
    done: dict[int, dict[str, Any]] = field(default_factory=dict)
    sent: int = 0
    answers: int = 0
    unequal: list[int] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(REPLIES, qos=1)
        self._client.on_message = lambda _c, _u, message: self._answers.put(message.payload)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()

    def call(self, number: int) -> None:
        """Computes the stream that the number falls to: one new job."""
        command = {"stream": f"c{number % self.streams}", "requestId": f"r{number}", "id": number, "replyTo": REPLIES}
        if self._client.is_connected():
            self._client.publish(f"{BASE}/cmd/Compute", json.dumps(command), qos=1)
            self.sent += 1

    def listen(self) -> None:
        """Takes the answers that came."""
        while not self._answers.empty():
            answer = json.loads(self._answers.get())
            if not answer["ok"]:
                self.reasons.add(answer["error"]["reason"])
                continue
            self.answers += 1
            if self.done.setdefault(int(answer["id"]), answer) != answer:
                self.unequal.append(int(answer["id"]))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
