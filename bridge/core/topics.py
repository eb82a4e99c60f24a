"""Every topic of one node, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NODE_LOG = "@node"
"""What RecordService calls the log of the node itself."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below `<base>/<node>/`."""

    base: str
    node: str

    @property
    def commands(self) -> str:
        """The filter that the bridge subscribes to, and nothing else."""
        return f"{self.base}/{self.node}/cmd/+"

    def method(self, topic: str) -> str:
        """The method that a command topic names."""
        return topic.removeprefix(f"{self.base}/{self.node}/cmd/")

    def reply(self, method: str) -> str:
        """Where the answer goes when the command names no topic that it may."""
        return f"{self.base}/{self.node}/reply/{method}"

    @property
    def status(self) -> str:
        return f"{self.base}/{self.node}/status"

    @property
    def info(self) -> str:
        return f"{self.base}/{self.node}/info"

    @property
    def health(self) -> str:
        return f"{self.base}/{self.node}/health"

    def stream(self, stream: str, leaf: str) -> str:
        """`leaf`: state, job, snapshot, or one of `records`."""
        return f"{self.base}/{self.node}/stream/{stream}/{leaf}"

    def records(self, stream: str, leaf: str) -> str:
        """`leaf`: summary, summaries, event or events; of the node itself where the stream is NODE_LOG."""
        return f"{self.base}/{self.node}/{leaf}" if stream == NODE_LOG else self.stream(stream, leaf)

    def may_reply_to(self, topic: str, prefixes: Sequence[str]) -> bool:
        """Whether an answer may be published there: a plain topic below `<base>/client/` or one of the prefixes."""
        if not topic or len(topic.encode("utf-8", "replace")) > 65_535 or any(c in topic for c in "+#\0"):
            return False
        allowed = (f"{self.base}/client/", *(f"{prefix.rstrip('/')}/" for prefix in prefixes))
        return any(topic.startswith(prefix) and len(topic) > len(prefix) for prefix in allowed)
