"""herdlink topics: every topic of a node, and every command with its JSON fields, from the contract."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from bridge.core.topics import Topics

HELP = "Show a node's MQTT topics, and every command with its JSON fields."
EXAMPLE = "herdlink topics --node barn2"
WIDTH = 118
_ENVELOPE = (
    ("id", "text or number", "the answer repeats it"),
    ("replyTo", "text", "topic for the answer, below {client} or a prefix of commands.reply_prefixes"),
    ("deadlineMs", "number", "give up after so many milliseconds (10000)"),
    ("requestId", "text", "makes the command safe to send again: the same once more does nothing anew"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", metavar="B", default="", help="what all topics begin with (default: as in bridge.toml)"
    )
    parser.add_argument("--node", metavar="N", default="", help="the node's id (default: as in bridge.toml)")


def run(args: argparse.Namespace) -> int:
    from bridge.core.topics import Topics
    from bridge.settings import BadSettings, load_settings

    try:
        settings = load_settings()
        topics = Topics(args.base or settings.mqtt.base, args.node or settings.agents[0].node or "NODE")
        _check(topics)
    except BadSettings as error:
        print(f"herdlink: {error}", file=sys.stderr)
        return 2
    print("\n".join([*_topic_lines(topics), "", *_command_lines(topics, settings.commands.allow)]))
    return 0


def _check(topics: Topics) -> None:
    """Raises BadSettings where the bridge would not take the words."""
    from pydantic import ValidationError

    from bridge.settings import AgentSettings, BadSettings, MqttSettings

    try:
        MqttSettings(base=topics.base)
        AgentSettings(node=topics.node)
    except ValidationError as error:
        name = f"--{error.errors()[0]['loc'][0]}"
        why = "letters, digits, - and _" if name == "--node" else "a topic without + and #, and no / at its ends"
        raise BadSettings(f"{name} takes {why}") from error


# -- topics -----------------------------------------------------------------------------------------------------------


def topic_rows(topics: Topics, stream: str = "STREAM") -> list[tuple[str, str, str, str, str]]:
    """(topic, in or out, retained, QoS, what) of all that the bridge reads and writes; a test holds it to that."""
    from bridge.core.topics import NODE_LOG

    rows = [
        (
            topics.commands.replace("+", "METHOD"),
            "in",
            "never",
            "1",
            "a command: the JSON of the method below; nothing means {}",
        ),
        (topics.reply("METHOD"), "out", "no", "1", "the answer, where the command names no topic for it"),
        (topics.status, "out", "yes", "1", "online, unreachable (agent lost), offline (bridge lost) or stopped"),
        (topics.info, "out", "yes", "1", "what the node is and can do (GetNode)"),
        (topics.health, "out", "yes", "1", "how the node is, every minute and when its problems change (GetHealth)"),
        (topics.records(NODE_LOG, "event"), "out", "no", "1", "what befalls the node itself, live: disk_low"),
        (topics.records(NODE_LOG, "events"), "out", "no", "1", "every such event in order"),
    ]
    leaves = (
        ("state", "yes", "1", "how the stream goes: state, progress, frames/s, error"),
        ("job", "yes", "1", "the newest job and the files it left"),
        ("summary", "yes", "1", "the newest numbers, live; never a repeat"),
        ("summaries", "no", "1", "every summary in order; sequence has no gap within a journal"),
        ("event", "no", "1", "what has just happened, live: at most 30 s old, never a repeat"),
        ("events", "no", "1", "every event in order; numbered by themselves, without a gap"),
        ("snapshot", "yes", "0", "the newest picture: a JPEG of at most 256 KiB"),
    )
    return [*rows, *((topics.stream(stream, leaf), "out", kept, qos, what) for leaf, kept, qos, what in leaves)]


def _topic_lines(topics: Topics) -> list[str]:
    head = ("TOPIC", "DIR", "RETAINED", "QOS", "WHAT")
    rows = [head, *topic_rows(topics)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]) for row in rows]


# -- commands ---------------------------------------------------------------------------------------------------------


def _command_lines(topics: Topics, allow: Sequence[str]) -> Iterator[str]:
    from bridge.core.commands import unary_methods

    example = topics.commands.replace("+", "GetInput")
    yield f"Commands, e.g. mosquitto_pub -q 1 -t {example} -m '{{}}'"
    yield "An empty stream means main. Beside its own fields each takes:"
    yield from _field_lines(
        [(name, kind, what.format(client=f"{topics.base}/client/")) for name, kind, what in _ENVELOPE]
    )
    for name in sorted(allow):
        yield ""
        yield from _method_lines(topics, unary_methods()[name])


def _method_lines(topics: Topics, method: MethodDescriptor) -> Iterator[str]:
    from bridge.cli._contract import comments, type_in_words

    yield topics.commands.replace("+", method.name)
    yield from _wrapped(comments().get(method.name, ""), indent=2)
    fields = [field for field in method.input_type.fields if field.name != "request_id"]
    yield from _field_lines(
        [
            (field.json_name, type_in_words(field), comments().get(f"{method.input_type.name}.{field.name}", ""))
            for field in fields
        ]
    )


def _field_lines(fields: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    names = max((len(name) for name, _, _ in fields), default=0)
    kinds = max((len(kind) for _, kind, _ in fields), default=0)
    for name, kind, what in fields:
        head = f"  {name:{names}}  {kind:{kinds}}  "
        lines = list(_wrapped(what, indent=len(head)))
        yield (head + lines[0].strip()).rstrip() if lines else head.rstrip()
        yield from lines[1:]


def _wrapped(words: str, *, indent: int) -> Iterator[str]:
    yield from textwrap.wrap(words, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)
