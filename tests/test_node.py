"""A whole node from outside: a real broker, agent and bridge, driven as mosquitto_pub and an MQTT 5 client do."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from agent_process import AgentProcess
from bridge_process import BASE, BridgeProcess, User
from herdlink_command import herdlink
from mosquitto_process import Mosquitto

HERD = "synthetic:herd?animals=5&fps=10&seconds=25&seed=3&width=320&height=240"
ENDLESS = "synthetic:herd?animals=3&fps=10&seconds=0&seed=1&width=320&height=240"


class NodeUnderTest:
    """Broker, agent, bridge and one user."""

    def __init__(self, folder: Path, broker: Mosquitto, version: int = 5) -> None:
        self.broker = broker
        self.agent = AgentProcess(folder).start()
        self.bridge = BridgeProcess(
            folder, port=broker.port, target=f"unix:{self.agent.socket}", version=version
        ).start()
        self.user = User(broker.port, version=version)
        self.user.find_on("status", "online")

    def close(self) -> None:
        self.user.close()
        self.bridge.end()
        self.agent.stop()


@pytest.fixture(scope="module", params=[5, 311])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeUnderTest]:
    """A node for tests that break nothing, once with MQTT 5 and once with 3.1.1."""
    broker = Mosquitto(tmp_path_factory.mktemp("broker")).start()
    whole = NodeUnderTest(tmp_path_factory.mktemp("node"), broker, request.param)
    yield whole
    whole.close()
    broker.stop()


@pytest.fixture
def own_node(tmp_path: Path, own_mosquitto: Mosquitto) -> Iterator[NodeUnderTest]:
    """A node for a test that kills parts of it."""
    whole = NodeUnderTest(tmp_path, own_mosquitto)
    yield whole
    whole.close()


def test_the_main_job_over_mqtt(node: NodeUnderTest) -> None:
    user = node.user
    assert user.ask("SetInput", {"uri": HERD})["data"] == {"uri": HERD}
    assert user.ask("SetOutput", {"uri": "pen"})["ok"]
    user.forget()
    answer = user.ask("Compute", {"wait": True}, timeout_s=60)
    job = answer["data"]["job"]
    assert answer["node"] == "n1"
    assert (job["state"], job["frames"]) == ("JOB_STATE_DONE", 250)
    last = user.find(
        lambda m: (
            m.topic == f"{BASE}/stream/main/summaries"
            and json.loads(m.payload)["endTime"]
            and json.loads(m.payload)["periodS"] < 9
        )
    )
    summaries = [json.loads(m.payload) for m in user.kept if m.topic.endswith("/stream/main/summaries")]
    sequences = [s["sequence"] for s in summaries if s["jobId"] == job["jobId"]]
    assert sequences == list(range(sequences[0], sequences[0] + 3))
    assert not last.retain
    user.find_on("stream/main/job", "JOB_STATE_DONE")
    user.find_on("stream/main/state", "JOB_STATE_DONE", timeout_s=15)
    user.find_on("stream/main/summary", f'"sequence":{sequences[-1]}')
    for leaf in ("event", "events"):
        event = json.loads(user.find_on(f"stream/main/{leaf}", "job_ended").payload)
        assert (event["event_type"], event["severity"], event["jobId"]) == ("job_ended", "info", job["jobId"])
    for leaf in ("event", "events"):
        event = json.loads(user.find_on(f"stream/main/{leaf}", "job_ended").payload)
        assert (event["event_type"], event["severity"], event["jobId"]) == ("job_ended", "info", job["jobId"])
    jpeg = user.find(lambda m: m.topic == f"{BASE}/stream/main/snapshot")
    assert bytes(jpeg.payload[:3]) == b"\xff\xd8\xff"


def test_what_is_retained_is_there_for_a_newcomer(node: NodeUnderTest) -> None:
    newcomer = User(node.broker.port, version=node.user.version)
    try:
        found = {leaf: newcomer.find_on(leaf) for leaf in ("status", "info", "stream/main/state")}
        assert all(message.retain for message in found.values())
        assert found["status"].payload == b"online"
        assert json.loads(found["info"].payload)["id"] == "n1"
        state = json.loads(found["stream/main/state"].payload)
        assert {"stream", "enabled", "state", "input", "output", "outputState", "fps", "knownCount"} <= set(state)
    finally:
        newcomer.close()


@pytest.mark.parametrize(
    ("method", "payload", "code", "reason"),
    [
        ("Nonsense", b"{}", "UNIMPLEMENTED", None),
        ("WatchRecords", b"{}", "UNIMPLEMENTED", None),
        ("AckRecords", b"{}", "PERMISSION_DENIED", None),
        ("GetInput", b"not json", "INVALID_ARGUMENT", "BAD_JSON"),
        ("GetInput", b"[1]", "INVALID_ARGUMENT", "BAD_JSON"),
        ("GetInput", b"\xff\xfe", "INVALID_ARGUMENT", "BAD_JSON"),
        ("GetInput", b"[" * 100_000, "INVALID_ARGUMENT", "BAD_JSON"),
        ("GetInput", b'{"strem": "x"}', "INVALID_ARGUMENT", "UNKNOWN_FIELD"),
        ("GetInput", b'{"stream": 5}', "INVALID_ARGUMENT", "BAD_VALUE"),
        ("GetInput", b'{"stream": "nosuch"}', "NOT_FOUND", "NO_STREAM"),
        ("SetStream", b'{"knownCount": "many"}', "INVALID_ARGUMENT", "BAD_VALUE"),
        ("SetInput", b'{"uri": "/none/none.mp4"}', "PERMISSION_DENIED", "OUTSIDE_MEDIA_ROOTS"),
        ("GetJob", b'{"jobId": "7"}', "NOT_FOUND", "NO_JOB"),
        ("GetInput", b'{"stream": "' + b"x" * 300_000 + b'"}', "RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"),
        ("GetInput", b"x" * 10_000_000, "RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"),
    ],
)
def test_bad_commands_are_answered_and_the_node_goes_on(
    node: NodeUnderTest, method: str, payload: bytes, code: str, reason: str | None
) -> None:
    node.user.forget()
    node.user.send(method, payload)
    answer = json.loads(node.user.find_on(f"reply/{method}").payload)
    assert answer["ok"] is False
    assert answer["error"]["code"] == code
    assert reason is None or answer["error"]["reason"] == reason
    assert 10 < len(answer["error"]["message"]) < 600
    assert node.user.ask("GetNode", {})["data"]["id"] == "n1"


def test_an_empty_payload_is_an_empty_request(node: NodeUnderTest) -> None:
    node.user.forget()
    node.user.send("GetNode")
    answer = json.loads(node.user.find_on("reply/GetNode").payload)
    assert answer["ok"]
    assert "id" not in answer


def test_an_answer_only_goes_where_it_may(node: NodeUnderTest) -> None:
    node.user.forget()
    node.user.send("GetInput", {"replyTo": "homeassistant/evil", "id": 3})
    answer = json.loads(node.user.find_on("reply/GetInput").payload)
    assert (answer["id"], answer["error"]["code"]) == (3, "PERMISSION_DENIED")


def test_a_bad_envelope_is_answered_where_the_caller_listens(node: NodeUnderTest) -> None:
    for wrong in ({"deadlineMs": 0}, {"requestId": 5}, {"deadlineMs": "soon"}):
        node.user.forget()
        node.user.send("GetInput", {**wrong, "id": 8, "replyTo": "herdlink/client/careless"})
        answer = json.loads(node.user.find(lambda m: m.topic == "herdlink/client/careless").payload)
        assert (answer["id"], answer["error"]["code"]) == (8, "INVALID_ARGUMENT")


def test_a_deadline_ends_the_waiting_but_not_the_job(node: NodeUnderTest) -> None:
    long = HERD.replace("seconds=25", "seconds=36000")
    node.user.ask("SetInput", {"stream": "long", "uri": long})
    answer = node.user.ask("Compute", {"stream": "long", "wait": True, "deadlineMs": 1500})
    assert answer["error"]["code"] == "DEADLINE_EXCEEDED"
    job = node.user.ask("ListJobs", {"stream": "long"})["data"]["jobs"][0]
    assert job["state"] in ("JOB_STATE_QUEUED", "JOB_STATE_CONNECTING", "JOB_STATE_RUNNING")
    node.user.ask("DeleteStream", {"stream": "long"})


def test_a_retained_command_is_refused(own_node: NodeUnderTest) -> None:
    user = own_node.user
    user.send("DeleteStream", {"stream": "main"}, retain=True)
    answer = json.loads(user.find_on("reply/DeleteStream").payload)
    assert (answer["error"]["code"], answer["error"]["reason"]) == ("FAILED_PRECONDITION", "RETAINED_COMMAND")
    user.forget()
    own_node.bridge.end()
    own_node.bridge.start()
    answer = json.loads(user.find_on("reply/DeleteStream").payload)
    assert answer["error"]["reason"] == "RETAINED_COMMAND"


def test_mqtt_5_answers_carry_correlation_and_status(own_node: NodeUnderTest) -> None:
    user = own_node.user
    for expected, request in (("OK", {}), ("NOT_FOUND", {"stream": "nosuch"})):
        user.forget()
        user.send("GetInput", request, ResponseTopic="herdlink/client/five", CorrelationData=b"\x01\x02")
        message = user.find(lambda m: m.topic == "herdlink/client/five")
        assert message.properties is not None
        assert message.properties.CorrelationData == b"\x01\x02"
        assert ("status", expected) in message.properties.UserProperty


def test_commands_of_a_stream_keep_their_order(node: NodeUnderTest) -> None:
    node.user.forget()
    for number in range(60):
        node.user.send("SetStream", {"name": f"name {number}", "id": number, "replyTo": "herdlink/client/order"})
    answers: list[dict[str, Any]] = []
    while len(answers) < 60:
        message = node.user.find(lambda m: m.topic == "herdlink/client/order")
        node.user.kept.remove(message)
        answers.append(json.loads(message.payload))
    assert [answer["data"]["stream"]["name"] for answer in answers] == [f"name {number}" for number in range(60)]


def test_cancel_gets_through_while_twenty_commands_wait(own_node: NodeUnderTest) -> None:
    user = own_node.user
    slow = "synthetic:herd?animals=5&fps=10&seconds=36000&seed=3&width=320&height=240"
    for number in range(20):
        user.ask("SetInput", {"stream": f"s{number % 4}", "uri": slow})
    for number in range(4):
        user.send("Compute", {"stream": f"s{number}", "wait": True, "requestId": f"r{number}", "id": number})
    for number in range(20):
        user.send("Compute", {"stream": f"s{number % 4}", "wait": True, "requestId": f"r{number % 4}", "id": number})
    user.find_on("stream/s3/state", "JOB_STATE_RUNNING")
    begin = time.monotonic()
    answer = user.ask("CancelJob", {"stream": "s0"})
    assert answer["ok"], answer
    assert time.monotonic() - begin < 5
    user.find(lambda m: m.topic == f"{BASE}/reply/Compute" and b"JOB_STATE_CANCELLED" in m.payload)


def test_waiting_for_a_camera_is_refused(node: NodeUnderTest) -> None:
    node.user.ask("SetInput", {"stream": "cam", "uri": ENDLESS})
    answer = node.user.ask("Compute", {"stream": "cam", "wait": True})
    assert (answer["error"]["code"], answer["error"]["reason"]) == ("INVALID_ARGUMENT", "ENDLESS_INPUT")
    node.user.ask("DeleteStream", {"stream": "cam"})


def test_an_agent_that_is_lost_is_told_and_its_return_too(own_node: NodeUnderTest) -> None:
    own_node.agent.kill()
    own_node.user.find_on("status", "unreachable")
    answer = own_node.user.ask("GetNode", {})
    assert (answer["error"]["code"], answer["error"]["reason"]) == ("UNAVAILABLE", "AGENT_UNREACHABLE")
    own_node.user.forget()
    own_node.agent.start()
    own_node.user.find_on("status", "online")
    assert own_node.user.ask("GetNode", {})["ok"]


def test_the_will_and_the_last_word(own_node: NodeUnderTest) -> None:
    own_node.bridge.end(signal.SIGKILL)
    own_node.user.find_on("status", "offline")
    own_node.user.forget()
    own_node.bridge.start()
    own_node.user.find_on("status", "online")
    assert own_node.bridge.end() == 0
    own_node.user.find_on("status", "stopped")
    assert "Traceback" not in own_node.bridge.log()


def test_a_broker_that_dies_is_found_again_and_nothing_is_lost(own_node: NodeUnderTest) -> None:
    user = own_node.user
    user.ask("SetStream", {"input": ENDLESS, "summaryPeriodS": 0.5})
    user.ask("Compute", {})
    user.find_on("stream/main/summaries", '"sequence":4,')
    user.forget()
    own_node.broker.kill()
    time.sleep(2)
    own_node.broker.start()
    user.find_on("status", "online")
    # What the broker had acknowledged comes again, in order, but is no news.
    user.find_on("stream/main/summaries", '"sequence":12,')
    again = [json.loads(m.payload)["sequence"] for m in _all(user) if m.topic == f"{BASE}/stream/main/summaries"]
    # What was on its way when the broker died comes first: it was not acknowledged, and paho sends it by itself.
    assert set(again) >= set(range(1, 13))
    assert again[again.index(1) :] == sorted(again[again.index(1) :])
    live = [json.loads(m.payload)["sequence"] for m in _all(user) if m.topic == f"{BASE}/stream/main/summary"]
    assert live == sorted(set(live))
    health = json.loads(user.find_on("health", '"brokerReconnects":1').payload)
    assert health["lostRecords"] == 0
    user.ask("CancelJob", {}, timeout_s=60)
    heard = sorted(
        {json.loads(m.payload)["sequence"] for m in _all(user) if m.topic == f"{BASE}/stream/main/summaries"}
    )
    listed = user.ask("ListRecords", {"limit": 1000})["data"]
    assert heard == list(range(1, heard[-1] + 1))
    assert listed["newest"] >= heard[-1] >= listed["newest"] - 3


def test_a_command_of_a_dead_bridge_is_done_by_the_next_once(own_node: NodeUnderTest) -> None:
    """The broker keeps the session: what was published while the bridge was away is carried out when it is back."""
    user = own_node.user
    user.ask("SetInput", {"uri": HERD})
    own_node.bridge.end(signal.SIGKILL)
    user.forget()
    user.send("Compute", {"requestId": "once", "id": 1})
    user.send("Compute", {"requestId": "once", "id": 2})
    own_node.bridge.start()
    first = json.loads(user.find(lambda m: m.topic == f"{BASE}/reply/Compute" and b'"id":1' in m.payload).payload)
    second = json.loads(user.find(lambda m: m.topic == f"{BASE}/reply/Compute" and b'"id":2' in m.payload).payload)
    assert first["data"]["job"]["jobId"] == second["data"]["job"]["jobId"]
    assert len(user.ask("ListJobs", {})["data"]["jobs"]) == 1


def test_two_bridges_for_one_node_are_recognised(own_node: NodeUnderTest, tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    target = f"unix:{own_node.agent.socket}"
    twin = BridgeProcess(tmp_path / "twin", port=own_node.broker.port, target=target).start()
    assert own_node.bridge.process is not None
    deadline = time.monotonic() + 90
    try:
        while "does another bridge run" not in own_node.bridge.log() and own_node.bridge.process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert "another bridge" in own_node.bridge.log()
    finally:
        twin.end()


def test_a_deleted_stream_leaves_nothing_but_its_job(own_node: NodeUnderTest) -> None:
    user = own_node.user
    user.ask("SetInput", {"stream": "pen", "uri": HERD})
    user.ask("Compute", {"stream": "pen", "wait": True}, timeout_s=60)
    user.find_on("stream/pen/summary", '"sequence":3')
    user.forget()
    user.ask("DeleteStream", {"stream": "pen"})
    for leaf in ("state", "summary", "snapshot"):
        topic = f"{BASE}/stream/pen/{leaf}"
        user.find(lambda m, topic=topic: m.topic == topic and not m.payload)
    late = User(own_node.broker.port, topics=f"{BASE}/stream/pen/#")
    try:
        late.find_on("stream/pen/job")
        # What else is retained comes before this.
        user.client.publish(f"{BASE}/stream/pen/mark", b"", qos=1)
        late.find_on("stream/pen/mark")
        assert [m.topic for m in late.kept] == [f"{BASE}/stream/pen/{leaf}" for leaf in ("job", "mark")]
    finally:
        late.close()


def test_a_neighbours_analysis_leaves_nothing_on_the_broker(own_node: NodeUnderTest, tmp_path: Path) -> None:
    long = HERD.replace("seconds=25", "seconds=200")
    herdlink("analyze", long, "--output", f"{tmp_path}/out", "--target", f"unix:{own_node.agent.socket}", "--no-video")
    told = own_node.user.find(lambda m: "/stream/analyze-" in m.topic and m.topic.endswith("/job") and not m.payload)
    jobs = [json.loads(m.payload)["state"] for m in own_node.user.kept if m.topic == told.topic and m.payload]
    assert jobs[-1] == "JOB_STATE_DONE", "its end is told before"
    late = User(own_node.broker.port, topics=f"{BASE}/stream/#")
    try:
        late.find_on("stream/main/state")
        late.client.publish(f"{BASE}/stream/main/mark", b"", qos=1)
        late.find_on("stream/main/mark")
        assert not [m.topic for m in late.kept if "/analyze-" in m.topic]
    finally:
        late.close()


def _all(user: User) -> list[mqtt.MQTTMessage]:
    while not user.arrived.empty():
        user.kept.append(user.arrived.get())
    return user.kept
