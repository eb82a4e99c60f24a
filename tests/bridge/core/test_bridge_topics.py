from __future__ import annotations

import pytest

from bridge.core.topics import Topics

TOPICS = Topics("farm7/herdlink", "n1")


def test_topics_lie_below_base_and_node() -> None:
    assert TOPICS.commands == "farm7/herdlink/n1/cmd/+"
    assert TOPICS.status == "farm7/herdlink/n1/status"
    assert TOPICS.stream("pen3", "summary") == "farm7/herdlink/n1/stream/pen3/summary"
    assert TOPICS.reply("GetNode") == "farm7/herdlink/n1/reply/GetNode"
    assert TOPICS.method("farm7/herdlink/n1/cmd/GetNode") == "GetNode"


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("farm7/herdlink/client/me", True),
        ("farm7/herdlink/client/me/7", True),
        ("farm7/herdlink/client/", False),
        ("farm7/herdlink/client", False),
        ("farm7/herdlink/clients/me", False),
        ("herdlink/client/me", False),
        ("farm7/herdlink/n1/cmd/SetInput", False),
        ("farm7/herdlink/client/+", False),
        ("farm7/herdlink/client/#", False),
        ("farm7/herdlink/client/a\0b", False),
        ("nodered/answers/1", True),
        ("nodered/answers", False),
        ("", False),
        ("farm7/herdlink/client/" + "x" * 70_000, False),
    ],
)
def test_answers_go_below_client_or_a_prefix(topic: str, allowed: bool) -> None:
    assert TOPICS.may_reply_to(topic, ["nodered/answers"]) is allowed
