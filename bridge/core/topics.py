"""Every topic of one node, in one place: the bridge, `herdlink topics` and the broker's access list read it here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_LEAVES: tuple[tuple[str, Literal["yes", "no"], int, str], ...] = (
    ("state", "yes", 1, "how the stream goes: state, progress, frames/s, error"),
    ("job", "yes", 1, "the newest job and the files it left"),
    ("summary", "yes", 1, "the newest numbers, live; never a repeat"),
    ("summaries", "no", 1, "every summary in order; sequence has no gap within a journal"),
    ("event", "no", 1, "what has just happened, live: at most 30 s old, never a repeat"),
    ("events", "no", 1, "every event in order; numbered by themselves, without a gap"),
    ("snapshot", "yes", 0, "the newest picture: a JPEG of at most 256 KiB"),
)


NAME_LIMIT = 128
TOPIC_BYTES = 65_535


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the topic map."""

    topic: str
    direction: Literal["in", "out"]
    """Seen from the bridge."""
    retained: Literal["yes", "no", "never"]
    qos: int
    what: str


NODE_LOG = "@node"
"""What RecordService calls the log of the node itself."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below `<base>/<node>/`."""

    base: str
    node: str

    @property
    def commands(self) -> str:
        """The filter that the bridge subscribes to."""
        return self.command("+")

    def command(self, method: str) -> str:
        """Where a method is called."""
        return f"{self.base}/{self.node}/cmd/{method}"

    def method(self, topic: str) -> str:
        """The method that a command topic names."""
        return topic.removeprefix(self.command(""))

    def reply(self, method: str) -> str:
        """Where the answer goes when the command names no topic that it may; no method has a longer name."""
        return f"{self.base}/{self.node}/reply/{method[:NAME_LIMIT]}"

    def of_node(self, leaf: str) -> str:
        """`leaf`: status, info, health, event or events."""
        return f"{self.base}/{self.node}/{leaf}"

    @property
    def status(self) -> str:
        return self.of_node("status")

    @property
    def info(self) -> str:
        return self.of_node("info")

    @property
    def health(self) -> str:
        return self.of_node("health")

    def stream(self, stream: str, leaf: str) -> str:
        """`leaf`: state, job, snapshot, or one of `records`."""
        return f"{self.base}/{self.node}/stream/{stream}/{leaf}"

    def records(self, stream: str, leaf: str) -> str:
        """`leaf`: summary, summaries, event or events; of the node itself where the stream is NODE_LOG."""
        return self.of_node(leaf) if stream == NODE_LOG else self.stream(stream, leaf)

    @property
    def clients(self) -> str:
        """What the topics of answers begin with."""
        return f"{self.base}/client/"

    def may_reply_to(self, topic: str, prefixes: Sequence[str]) -> bool:
        """Whether an answer may be published there: a plain topic below `<base>/client/` or one of the prefixes."""
        if not _is_plain(topic):
            return False
        allowed = (self.clients, *(f"{prefix.rstrip('/')}/" for prefix in prefixes))
        return any(topic.startswith(prefix) and len(topic) > len(prefix) for prefix in allowed)

    def rows(self, *, stream: str, method: str) -> list[Row]:
        """All that the bridge reads and writes below the node; a test holds it to that."""
        return [
            Row(self.command(method), "in", "never", 1, "a command: the JSON of the method below; nothing means {}"),
            Row(self.reply(method), "out", "no", 1, "the answer, where the command names no topic for it"),
            Row(self.status, "out", "yes", 1, "online, unreachable (agent lost), offline (bridge lost) or stopped"),
            Row(self.info, "out", "yes", 1, "what the node is and can do (GetNode)"),
            Row(self.health, "out", "yes", 1, "how the machine fares, and what is wrong with it"),
            Row(self.of_node("event"), "out", "no", 1, "what befalls the node itself, live: disk_low"),
            Row(self.of_node("events"), "out", "no", 1, "every such event in order"),
            *(Row(self.stream(stream, leaf), "out", kept, qos, what) for leaf, kept, qos, what in _LEAVES),
        ]


def _is_plain(topic: str) -> bool:
    """Whether every broker lets it be published to: some end the connection over a control character."""
    return (
        0 < len(topic.encode("utf-8", "replace")) <= TOPIC_BYTES
        and not any(c in topic for c in "+#")
        and not any(unicodedata.category(c) in ("Cc", "Cs") or _is_no_character(ord(c)) for c in topic)
    )


def _is_no_character(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
