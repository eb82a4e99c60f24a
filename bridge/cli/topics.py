"""herdlink topics: every topic of a node, every command with its JSON fields, and who may use them on the broker."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from bridge.core.topics import Topics
    from bridge.settings import BridgeSettings

HELP = "Show a node's MQTT topics, and every command with its JSON fields; or the broker's access list."
EXAMPLE = "herdlink topics --node barn2"
WIDTH = 118
_WATCH = (
    ("maxPerS", "number", "at most so many items a second, 0.01 to 10 (2)"),
    ("forS", "number", "for so many seconds, 0.01 to 300 (10); then comes the end marker"),
)
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
    parser.add_argument(
        "--acl", action="store_true", help="print mosquitto's access list instead: for every node, or for --node alone"
    )


def run(args: argparse.Namespace) -> int:
    from bridge.core.topics import Topics
    from bridge.settings import BadSettings, load_settings

    try:
        settings = load_settings()
        base = args.base or settings.mqtt.base
        topics = Topics(base, args.node or settings.agents[0].node or "NODE")
        _check(topics)
    except BadSettings as error:
        print(f"herdlink: {error}", file=sys.stderr)
        return 2
    if args.acl:
        print(_access_list(Topics(base, args.node or "+"), settings), end="")
        return 0
    print("\n".join([*_topic_lines(topics), "", *_command_lines(topics, settings.commands.allow)]))
    return 0


def _access_list(topics: Topics, settings: BridgeSettings) -> str:
    from bridge.core.access import access_list

    return access_list(topics, prefix=settings.homeassistant.prefix, reply_prefixes=settings.commands.reply_prefixes)


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


def _topic_lines(topics: Topics) -> list[str]:
    rows: list[tuple[str, ...]] = [
        (row.topic, row.direction, row.retained, str(row.qos), row.what)
        for row in topics.rows(stream="STREAM", method="METHOD")
    ]
    rows = [("TOPIC", "DIR", "RETAINED", "QOS", "WHAT"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]) for row in rows]


# -- commands ---------------------------------------------------------------------------------------------------------


def _command_lines(topics: Topics, allow: Sequence[str]) -> Iterator[str]:
    from bridge.core.commands import callable_methods

    example = topics.commands.replace("+", "GetInput")
    yield f"Commands, e.g. mosquitto_pub -q 1 -t {example} -m '{{}}'"
    yield "An empty stream means main. Beside its own fields each takes:"
    yield from _field_lines(
        [(name, kind, what.format(client=f"{topics.base}/client/")) for name, kind, what in _ENVELOPE]
    )
    for name in sorted(allow):
        yield ""
        yield from _method_lines(topics, callable_methods()[name])


def _method_lines(topics: Topics, method: MethodDescriptor) -> Iterator[str]:
    from bridge.cli._contract import comments, type_in_words

    yield topics.commands.replace("+", method.name)
    yield from _wrapped(comments().get(method.name, ""), indent=2)
    fields = [field for field in method.input_type.fields if field.name != "request_id"]
    yield from _field_lines(
        [
            *(_WATCH if method.server_streaming else ()),
            *(
                (field.json_name, type_in_words(field), comments().get(f"{method.input_type.name}.{field.name}", ""))
                for field in fields
            ),
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
