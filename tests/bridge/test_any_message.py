"""Whatever is published on a command topic gets one answer, and nothing in the bridge or the agent breaks over it.

Through a real broker, so that each message is read as it comes. `make test-inputs` tries a hundred thousand.
"""

from __future__ import annotations

import json
import os
import queue
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from agent_process import AgentProcess
from bridge_process import BASE, BridgeProcess, User
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mosquitto_process import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.core.commands import callable_methods

INPUTS = int(os.environ.get("HERDLINK_INPUTS", "5000"))
ANSWER_S = 12.0
REPLY = "herdlink/client/any"
METHODS = sorted(callable_methods())
ENVELOPE = ["id", "replyTo", "reply_to", "deadlineMs", "deadline_ms", "requestId", "request_id", "maxPerS"]
FIELDS = sorted({f.json_name for m in callable_methods().values() for f in m.input_type.fields} | set(ENVELOPE))

# What the broker itself hands on in a topic: it ends the connection of who sends a control character.
shown = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
anything = st.characters()
levels = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="+#/"), max_size=40)
BIG: dict[str | bytes, Any] = {
    "the longest name": "x" * (65_535 - len(f"{BASE}/cmd/")),
    "nearly the longest name": "x" * (65_533 - len(f"{BASE}/cmd/")),
    "a long name": "x" * 5000,
    "a long topic": f"{REPLY}/{'a' * 60_000}",
    "somewhere long": "a" * 60_000,
    b"the longest correlation": b"\0" * 65_535,
    b"deep list": b"[" * 100_000,
    b"deep object": b'{"a":' * 50_000,
    b"too long": b" " * 300_000,
    b"a number too long": b'{"id":' + b"9" * 5000 + b"}",
}
"""Stand-ins, for an input that is told to be short."""
names = st.one_of(*[st.sampled_from(METHODS)] * 4, levels, st.sampled_from([key for key in BIG if "name" in str(key)]))

plausible = st.sampled_from(
    [
        "main",
        "pen",
        "all",
        "client",
        "@node",
        "../x",
        "synthetic:herd?animals=2&fps=5&seconds=1&width=160&height=120",
        "rtsp://a:b@127.0.0.1:1/x",
        "NaN",
        "Infinity",
        "\ud800",
        "a\0b",
        "x" * 300,
        "RECORD_KIND_EVENT",
        f"{REPLY}/deep",
        "herdlink/client/",
        "herdlink/client/\x01",
        "herdlink/client/\ud800",
        "herdlink/client/\uffff",
        "herdlink/client/a+b",
        "herdlink/n1/cmd/GetInput",
        "other/place",
    ]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 1, 0.5, 1e308, 2**31 - 1, 2**31, 2**63, 10**400])
leaves = st.none() | st.booleans() | numbers | plausible | st.text(anything, max_size=30)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(anything, max_size=8), inner, max_size=4),
)
points = st.fixed_dictionaries({"x": numbers, "y": numbers})
fields = st.dictionaries(st.sampled_from(FIELDS), values | leaves | st.lists(points, max_size=5), max_size=6)


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


payloads = st.one_of(
    fields.map(text),
    fields.map(text),
    fields.map(text),
    values.map(text),
    st.binary(max_size=200),
    st.text(anything, max_size=60).map(lambda words: words.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b'{"id":1e400}', b"\xff\xfe", b" " * 300_000]
    ),
    st.sampled_from(
        [b'{"id":1,"id":2}', b'{"id":' + b"9" * 5000 + b"}", b'{"stream":"\\ud800"}', b"0", b"null", b'""']
    ),
)


@dataclass
class Message:
    """One input."""

    name: str
    payload: bytes
    retain: bool
    properties: dict[str, Any] = field(default_factory=dict)


properties = st.fixed_dictionaries(
    {},
    optional={
        "ResponseTopic": st.sampled_from(
            [f"{REPLY}/5", "other/place", "herdlink/n1/cmd/GetNode", "$SYS/x", "a long topic", "somewhere long"]
        )
        | st.text(shown.filter(lambda c: c not in "+#"), min_size=1, max_size=40).map(lambda words: f"{REPLY}/{words}"),
        "CorrelationData": st.binary(max_size=80) | st.sampled_from([b"the longest correlation", b"x" * 16]),
        # One that is over is not delivered at all.
        "MessageExpiryInterval": st.sampled_from([60, 3600, 2**32 - 1]),
        "ContentType": st.text(shown, max_size=10),
        "PayloadFormatIndicator": st.just(0),
        "UserProperty": st.lists(st.tuples(st.text(shown, max_size=8), st.text(shown, max_size=8)), max_size=3),
    },
)
retain = st.sampled_from([False] * 19 + [True])


def fitting(name: str) -> st.SearchStrategy[Message]:
    """A method with fields of its own."""
    own = [field.json_name for field in callable_methods()[name].input_type.fields]
    given = st.dictionaries(st.sampled_from([*own * 3, *ENVELOPE]), leaves | values, max_size=4)
    return st.builds(Message, st.just(name), given.map(text), retain, properties)


messages = st.sampled_from(METHODS).flatmap(fitting) | st.builds(Message, names, payloads, retain, properties)


class Asker:
    """Publishes one message after the other and waits for the answer of each."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self.told: Counter[str] = Counter()
        self.retained: set[str] = set()
        self._arrived: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_message = lambda _c, _u, message: self._arrived.put(message)
        ready: queue.Queue[None] = queue.Queue()
        self.client.on_subscribe = lambda *_: ready.put(None)
        self.client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(6, 1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe([("herdlink/client/#", 1), (f"{BASE}/reply/#", 1)])
        ready.get(timeout=10)

    def ask(self, message: Message) -> None:
        topic = f"{BASE}/cmd/{BIG.get(message.name, message.name)}"
        given = Properties(PacketTypes.PUBLISH)
        for name, value in message.properties.items():
            setattr(given, name, value if isinstance(value, list) else BIG.get(value, value))
        self.client.publish(
            topic, BIG.get(message.payload, message.payload), qos=1, retain=message.retain, properties=given
        )
        self.sent += 1
        if message.retain and message.payload:
            self.retained.add(topic)
        answer = self._answer(message)
        said = json.loads(answer.payload, parse_constant=_no_constant)
        self.told["OK" if said["ok"] else said["error"]["reason"]] += 1
        assert said["node"] == "n1"
        correlation = message.properties.get("CorrelationData", b"")
        assert getattr(answer.properties, "CorrelationData", b"") == BIG.get(correlation, correlation)
        assert self._arrived.empty()

    def _answer(self, message: Message) -> mqtt.MQTTMessage:
        """The next message that is no item of a stream."""
        while True:
            try:
                answer = self._arrived.get(timeout=ANSWER_S)
            except queue.Empty:
                raise AssertionError(f"no answer to {message!r:.2000}") from None
            if b'"item":' not in answer.payload:
                return answer

    def close(self) -> None:
        for topic in self.retained:
            self.client.publish(topic, b"", qos=1, retain=True)
        self.client.disconnect()
        self.client.loop_stop()


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} in an answer is no JSON")


@dataclass
class Node:
    agent: AgentProcess
    bridge: BridgeProcess
    asker: Asker
    port: int


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("any")
    broker = Mosquitto(folder).start()
    agent = AgentProcess(folder).start()
    bridge = BridgeProcess(folder, port=broker.port, target=f"unix:{agent.socket}").start()
    user = User(broker.port)
    user.find_on("status", "online")
    user.close()
    whole = Node(agent, bridge, Asker(broker.port), broker.port)
    yield whole
    whole.asker.close()
    bridge.end()
    agent.stop()
    broker.stop()


def is_short(message: Message) -> bool:
    """A watch that may last, or a job that is waited for, would be a test of patience."""
    return message.name != "WatchTracks" or b"forS" in message.payload


@pytest.mark.timeout(60 + INPUTS / 10)
def test_one_answer_to_whatever_comes(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    @settings(
        max_examples=INPUTS,
        deadline=None,
        database=None,
        # The same inputs at each run of the tests; others wherever so many are wanted.
        derandomize=INPUTS <= 5000,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        # An input that is not answered costs a long wait: the first one found is told, not the smallest.
        phases=[Phase.generate],
    )
    @given(message=messages.filter(is_short))
    def try_it(message: Message) -> None:
        node.asker.ask(message)

    try_it()
    with capsys.disabled():
        print(f"\n{node.asker.sent} inputs: {dict(node.asker.told.most_common())}")
    assert node.asker.sent >= INPUTS
    assert node.bridge.process is not None
    assert node.bridge.process.poll() is None
    for log in (node.bridge.log(), node.agent.log()):
        assert "Traceback" not in log, log[-5000:]
        assert " ERROR " not in log, log[-5000:]
    user = User(node.port)
    try:
        assert user.ask("GetNode", {})["ok"]
    finally:
        user.close()


@pytest.mark.parametrize("properties", [{"ContentType": "\ufeff"}, {"UserProperty": [("\ufeff", "a\ufeffb")]}])
def test_a_byte_order_mark_keeps_nobody_away(node: Node, properties: dict[str, Any]) -> None:
    """paho takes such a packet for broken; delivered again after each reconnect, it would end every connection."""
    node.asker.ask(Message("GetNode", b"{}", False, properties))
    assert "is lost" not in node.bridge.log()
