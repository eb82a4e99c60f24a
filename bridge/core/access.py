"""mosquitto's access list for the four roles on the broker: what each needs for its work, and no more.

node: a bridge. operator: commands and reads. viewer: reads, and asks what changes nothing. homeassistant: what its
entities read and command, and discovery. A login has a role by being called so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.core import discovery
from bridge.core.commands import callable_methods
from bridge.core.topics import Topics

ROLES = ("node", "operator", "viewer", "homeassistant")
_HARMLESS = ("Get", "List", "Watch")


def access_list(topics: Topics, *, prefix: str, reply_prefixes: Sequence[str] = ()) -> str:
    """The text of the file. `topics` with the node `+` is for every node."""
    rules = {
        "node": _node(topics, prefix, reply_prefixes),
        "operator": _operator(topics),
        "viewer": _viewer(topics),
        "homeassistant": _home_assistant(topics, prefix),
    }
    return "\n".join([_HEAD, *(line for role in ROLES for line in ("", f"user {role}", *rules[role]))]) + "\n"


_HEAD = """\
# Who may do what on the broker: written by `herdlink topics --acl`. In mosquitto.conf: acl_file, and
#   allow_anonymous false
#   password_file /etc/mosquitto/passwd
# Make the logins that you need: mosquitto_passwd /etc/mosquitto/passwd node (operator, viewer, homeassistant)."""


def _outgoing(topics: Topics) -> list[str]:
    return [row.topic for row in topics.rows(stream="+", method="+") if row.direction == "out"]


def _node(topics: Topics, prefix: str, reply_prefixes: Sequence[str]) -> Iterator[str]:
    yield f"topic read {topics.commands}"
    for topic in _outgoing(topics):
        # `herdlink doctor` reads the status with the bridge's login.
        yield f"topic {'readwrite' if topic == topics.status else 'write'} {topic}"
    yield f"topic readwrite {topics.clients}#"
    yield from (f"topic write {reply.rstrip('/')}/#" for reply in reply_prefixes)
    # It reads what it has announced before, so as to take back what is gone.
    yield f"topic readwrite {discovery.config_topic(prefix, '+')}"
    yield f"topic read {discovery.birth_topic(prefix)}"


def _operator(topics: Topics) -> Iterator[str]:
    yield f"topic write {topics.commands}"
    yield from _reading(topics)


def _viewer(topics: Topics) -> Iterator[str]:
    asking = [name for name in callable_methods() if name.startswith(_HARMLESS)]
    yield from (f"topic write {topics.command(method)}" for method in sorted(asking))
    yield from _reading(topics)


def _reading(topics: Topics) -> Iterator[str]:
    yield from (f"topic read {topic}" for topic in _outgoing(topics))
    yield f"topic read {topics.clients}#"


def _home_assistant(topics: Topics, prefix: str) -> Iterator[str]:
    yield from (f"topic write {topics.command(method)}" for method in discovery.commanded_methods())
    yield from (f"topic read {topic}" for topic in discovery.read_topics(topics))
    yield f"topic read {prefix}/#"
    yield f"topic write {discovery.birth_topic(prefix)}"
    # It clears the announcement of a device that its user deletes.
    yield f"topic write {discovery.config_topic(prefix, '+')}"
