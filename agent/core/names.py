"""What a node or a stream may be called, and how a file job and its folder are named."""

from __future__ import annotations

import re

from agent.core.errors import InvalidArgument

DEFAULT_STREAM = "main"
NODE_LOG = "@node"
"""The log of what befalls the node itself: no stream can have this name."""
RESERVED_NODES = ("all", "client")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def stream_id(text: str) -> str:
    """The stream that a request means; empty is `main`. Raises InvalidArgument (BAD_STREAM)."""
    name = text or DEFAULT_STREAM
    if not _ID.fullmatch(name):
        raise InvalidArgument(
            "BAD_STREAM", f"a stream's name has 1 to 64 letters, digits, - and _; {shorten(name)!r} has not"
        )
    return name


def log_id(text: str) -> str:
    """The stream, or the node itself, whose records a request means. Raises InvalidArgument (BAD_STREAM)."""
    return text if text == NODE_LOG else stream_id(text)


def node_id(text: str) -> str:
    """A valid node id. Raises InvalidArgument (BAD_NODE)."""
    if not _ID.fullmatch(text):
        raise InvalidArgument(
            "BAD_NODE", f"a node's id has 1 to 64 letters, digits, - and _; {shorten(text)!r} has not"
        )
    if text in RESERVED_NODES:
        raise InvalidArgument("BAD_NODE", f"{text!r} is reserved; call the node something else")
    return text


def node_from_host(host: str) -> str:
    """A node id made of a host name."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", host.split(".", maxsplit=1)[0])[:64].strip("-") or "node"
    return f"{name}-node" if name in RESERVED_NODES else name


def shorten(text: str, limit: int = 80) -> str:
    """A text cut so that an error message stays one line."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
