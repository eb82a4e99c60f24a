"""agent.toml: whether it loads, whether its secrets are there, whether its cameras can be reached."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from agent.cli._init_secrets import part_secrets
from agent.cli.checks.finding import Finding, Findings, fail, ok, warn
from agent.core.errors import HerdlinkError
from agent.core.uri import mask, scheme
from agent.runtime.secrets import read_secret
from agent.settings import CONFIG_PLACES, AgentSettings, load_settings

CONNECT_S = 3.0
_REFERENCE = re.compile(r"\$\{([^}]*)\}(@?)")
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_FOR_OTHERS = 0o077


def look(path: Path | None) -> tuple[AgentSettings | None, list[Finding]]:
    """The settings, None where they cannot be read; and what is to be said of them."""
    try:
        settings = load_settings(path)
    except HerdlinkError as error:
        return None, [fail("agent.toml", error.message, "mend the file, or write it anew: herdlink init --force")]
    found: list[Finding] = []
    named = path or os.environ.get("HERDLINK_AGENT_CONFIG")
    if named is None and not any(place.exists() for place in CONFIG_PLACES):
        found.append(warn("agent.toml", "no settings file; the defaults hold", "herdlink init, or --config FILE"))
    else:
        shown = named or CONFIG_PLACES[0]
        streams = ", ".join(settings.streams) or "none yet"
        found.append(ok("agent.toml", f"{shown}: node {settings.node_name}, streams: {streams}"))
    return settings, [*found, *_secrets(settings), *_media(settings)]


def look_at_cameras(settings: AgentSettings) -> Findings:
    """Whether something listens at each camera's address; only --input asks for a picture."""
    places = {
        name: place
        for name, stream in settings.streams.items()
        if stream.enabled is not False and (place := _place(stream.input or ""))
    }
    with ThreadPoolExecutor(16) as pool:
        yield from pool.map(_reach, places, places.values())


def _secrets(settings: AgentSettings) -> Iterator[Finding]:
    folder = settings.secrets_dir
    for name, stream in settings.streams.items():
        uri = stream.input or ""
        if _is_open(name, uri):
            told = f"a password stands in the settings ({mask(uri)})"
            yield warn(f"stream {name}", told, f"herdlink init --camera {name}=... puts it into {folder / name}")
        for key, login in _REFERENCE.findall(uri):
            yield _secret(name, key, folder, login=bool(login))


def _is_open(name: str, uri: str) -> bool:
    """Whether a secret stands in the URI itself."""
    try:
        return bool(part_secrets(name, uri)[1])
    except HerdlinkError:
        return True


def _secret(stream: str, key: str, folder: Path, *, login: bool) -> Finding:
    file = folder / key
    try:
        secret = read_secret(key, folder)
        mode = file.stat().st_mode if file.exists() else 0
        owned = not file.exists() or file.stat().st_uid == folder.stat().st_uid
    except (HerdlinkError, OSError, UnicodeDecodeError) as error:
        return fail(f"secret {key}", f"stream {stream}: {error}", f"write user:password into {file}, mode 600")
    if not secret or (login and ":" not in secret):
        return fail(f"secret {key}", f"{file} does not hold user:password", "write it as user:password, on one line")
    if mode & _FOR_OTHERS:
        return warn(f"secret {key}", f"{file} can be read by others", f"chmod 600 {file}")
    if not owned:
        told = f"{file} belongs to another user than its folder; can the agent read it?"
        return warn(f"secret {key}", told, f"chown --reference={folder} {file}")
    return ok(f"secret {key}", f"there, for stream {stream}")


def _media(settings: AgentSettings) -> Iterator[Finding]:
    missing = [str(root) for root in settings.media_roots if not root.is_dir()]
    if missing and not settings.streams:
        yield warn(
            "media_roots", f"no folder {', '.join(missing)}: no file can be analysed", f"mkdir -p {' '.join(missing)}"
        )


def _place(uri: str) -> tuple[str, int] | None:
    """Host and port of a camera on the network."""
    try:
        scheme(uri)
        # A secret may hold letters that part an address; it is no part of this one.
        parts = urlsplit(_REFERENCE.sub("user@", uri))
        port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except (HerdlinkError, ValueError):
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _reach(stream: str, place: tuple[str, int]) -> Finding:
    shown = f"{place[0]}:{place[1]}"
    try:
        socket.create_connection(place, timeout=CONNECT_S).close()
    except OSError as error:
        told = "does not answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        return warn(
            f"camera {stream}",
            f"{shown}: {told}",
            "check its power, its cable and its address (ping it from this machine)",
        )
    return ok(f"camera {stream}", f"{shown} answers; herdlink doctor --input {stream} tries its picture")
