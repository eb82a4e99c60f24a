"""An MQTT client that says what the broker lets its login do. A user of the broker, as the demo is; not the bridge."""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bridge.broker import LastWords
from bridge.settings import MqttSettings

WAIT_S = 5.0
BURST = 4


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool
    received: float
    """By the steady clock."""


class NoBroker(Exception):
    """It does not let us in; `reason` is the broker's word, empty where it said none, `words` those of the network."""

    def __init__(self, reason: str, words: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = words


class Probe:
    """One connection with a passing id, so that a running bridge keeps its own."""

    def __init__(self, settings: MqttSettings, password: str | None, tls: ssl.SSLContext | None = None) -> None:
        modern = settings.version == 5
        self.properties: Any = None
        self.messages: list[Message] = []
        self.id = f"herdlink-doctor-{secrets.token_hex(4)}"
        self._heard: queue.Queue[tuple[str, int, Any]] = queue.Queue()
        self._arrived: queue.Queue[Message] = queue.Queue()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.id,
            protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if settings.username:
            self._client.username_pw_set(settings.username, password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._words = LastWords()
        words = logging.Logger("paho", logging.ERROR)
        words.addHandler(self._words)
        self._client.enable_logger(words)
        self._listen()
        self._client.connect(settings.host, settings.port, settings.keepalive_s)
        self._client.loop_start()
        self._await_welcome()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topic: str) -> str:
        """The broker's refusal in its words; empty where it agrees."""
        _, number = self._client.subscribe(topic, qos=1)
        reasons = self._wait("subscribed", number or 0)
        if reasons is None:
            return "no answer"
        return next((str(reason) for reason in reasons if reason.is_failure), "")

    def publish(self, topic: str, payload: bytes) -> str:
        """QoS 1, not retained. The broker's refusal in its words (MQTT 5 alone tells it); empty where it agrees."""
        info = self._client.publish(topic, payload, qos=1)
        reason = self._wait("published", info.mid)
        if reason is None:
            return "no answer"
        return str(reason) if reason.is_failure else ""

    def burst_ms(self, topic: str) -> float:
        """Milliseconds until the broker has acknowledged messages that came in one piece."""
        self._set_tcp("TCP_CORK", 1)
        begin = time.monotonic()
        sent = [self._client.publish(topic, b"burst", qos=1) for _ in range(BURST)]
        # As a busy machine does: the kernel acknowledges late where it has nothing to send.
        self._set_tcp("TCP_QUICKACK", 0)
        self._set_tcp("TCP_CORK", 0)
        self._set_tcp("TCP_QUICKACK", 0)
        for info in sent:
            self._wait("published", info.mid)
        return (time.monotonic() - begin) * 1000

    def _set_tcp(self, option: str, value: int) -> None:
        """Sets an option of the connection where this system knows it."""
        sock: Any = self._client.socket()
        if sock is not None and hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def find(self, wanted: Callable[[Message], bool], timeout_s: float) -> Message | None:
        """The first message that is wanted, of those that came and will come in time."""
        for message in self.messages:
            if wanted(message):
                return message
        for message in self._arrivals(timeout_s):
            if wanted(message):
                return message
        return None

    def listen(self, seconds: float) -> None:
        """Keeps what comes in `messages`."""
        for _ in self._arrivals(seconds):
            pass

    def _arrivals(self, seconds: float) -> Iterator[Message]:
        end = time.monotonic() + seconds
        with contextlib.suppress(queue.Empty):
            while (left := end - time.monotonic()) > 0:
                self.messages.append(self._arrived.get(timeout=left))
                yield self.messages[-1]

    def _listen(self) -> None:
        """The thread of paho does nothing but hand over."""
        client, heard = self._client, self._heard
        client.on_socket_open = _no_delay
        client.on_connect = lambda _c, _u, _f, reason, properties: heard.put(("connected", 0, (reason, properties)))
        client.on_disconnect = lambda _c, _u, _f, reason, _p: heard.put(("disconnected", 0, reason))
        client.on_publish = lambda _c, _u, number, reason, _p: heard.put(("published", number, reason))
        client.on_subscribe = lambda _c, _u, number, reasons, _p: heard.put(("subscribed", number, reasons))
        client.on_message = lambda _c, _u, m: self._arrived.put(
            Message(m.topic, bytes(m.payload), bool(m.retain), time.monotonic())
        )

    def _await_welcome(self) -> None:
        welcome = self._wait("connected", 0)
        if welcome is None or welcome[0].is_failure:
            self.close()
            raise NoBroker(str(welcome[0]) if welcome else "", self._words.words)
        self.properties = welcome[1]

    def _wait(self, kind: str, number: int) -> Any:
        """What the broker said of one packet; None where it said nothing, or hung up."""
        end = time.monotonic() + WAIT_S
        with contextlib.suppress(queue.Empty):
            while (left := end - time.monotonic()) > 0:
                heard, which, what = self._heard.get(timeout=left)
                if heard == kind and which == number:
                    return what
                if heard == "disconnected":
                    return None
        return None


def _no_delay(_client: Any, _userdata: Any, sock: Any) -> None:
    """As the bridge does, so that what is measured is the broker."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
