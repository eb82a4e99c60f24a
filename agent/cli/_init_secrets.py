"""Passwords out of the addresses of cameras and brokers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from agent.core.errors import InvalidArgument
from agent.core.uri import MASK, is_masked, mask

PORT = 1883
TLS_PORT = 8883
_LOGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<login>[^/?#@]*)@")
_SCHEMES = {"mqtt": False, "tcp": False, "mqtts": True, "ssl": True, "tls": True}
"""Whether it speaks TLS."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and who logs in."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @property
    def shown(self) -> str:
        """Its address without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{self.username + '@' if self.username else ''}{host}:{self.port}"


def read_broker(url: str) -> Broker:
    """mqtt:// or mqtts://user:password@host:port; a bare host will do. Raises InvalidArgument, repeating none of it."""
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        tls = _SCHEMES.get(parts.scheme)
        port = parts.port or (TLS_PORT if tls else PORT)
        good = tls is not None and bool(parts.hostname) and parts.path in ("", "/")
        good = good and not (parts.query or parts.fragment)
    except ValueError:
        good = False
    if not good:
        raise InvalidArgument(
            "BAD_BROKER",
            "--broker is mqtt://host, mqtt://host:port or mqtt://user@host:port, with TLS mqtts://...; "
            "write / ? # @ in a password as %2F %3F %23 %40",
        )
    return Broker(parts.hostname or "", port, unquote(parts.username or ""), unquote(parts.password or ""), bool(tls))


def part_secrets(name: str, uri: str, password: str = "") -> tuple[str, dict[str, str]]:
    """The URI with ${name} for what is secret in it, and the content of the files that hold it.

    The login becomes ${name} as a whole; further secrets, in a path or query, ${name-2}, ${name-3} ... `password` is
    added to a login that has none.
    """
    if is_masked(uri):
        raise InvalidArgument(
            "MASKED_URI", f"the URI of {name} holds {MASK} for its password; give the password itself"
        )
    user = with_login(uri)
    if user and password:
        return uri.replace(f"{_found_login(uri)}@", f"${{{name}}}@", 1), {name: f"{user}:{password}"}
    pieces = mask(uri).split(MASK)
    # What the masker would hide is what must not stand in the settings.
    found = re.fullmatch("(.+?)".join(re.escape(piece) for piece in pieces), uri, re.DOTALL)
    text, secrets = pieces[0], {}
    for number, (hidden, after) in enumerate(zip(found.groups() if found else (), pieces[1:], strict=True), start=1):
        if hidden.startswith("${"):
            text += hidden + after
            continue
        head, mark, login = text.rpartition("://")
        as_login = number == 1 and mark and after.startswith("@") and login.endswith(":")
        key = name if number == 1 else f"{name}-{number}"
        secret, rest = (hidden, "") if as_login or "?" in text else _in_path(name, hidden)
        secrets[key] = (unquote(login) if as_login else "") + unquote(secret)
        text = f"{head if as_login else text}{'://' if as_login else ''}${{{key}}}{rest}{after}"
    return text, secrets


def _in_path(name: str, hidden: str) -> tuple[str, str]:
    """A password in a path and what follows it: secret_channel=1 is secret and _channel=1."""
    secret = re.split(r"_(?=[A-Za-z]+=)", hidden, maxsplit=1)[0]
    if quote(secret, safe="") != secret:
        # It would be sent encoded, which recorders that take a password in the path do not understand.
        raise InvalidArgument(
            "BAD_PASSWORD", f"the password in the path of {name} has odd characters; set one of letters and digits"
        )
    return secret, hidden[len(secret) :]


def with_login(uri: str) -> str:
    """The user of a URI that names one without a password; empty where it names none, or a ${reference}."""
    login = _found_login(uri)
    return "" if ":" in login or login.startswith("${") else unquote(login)


def _found_login(uri: str) -> str:
    found = _LOGIN.match(uri)
    return found["login"] if found else ""
