"""The two settings files that `herdlink init` writes, and where a node keeps its things."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.cli._init_secrets import Broker

RESERVED_SECRETS = ("mqtt-password", "mqtt-ca", "mqtt-cert", "mqtt-key")
SOCKET_BYTES = 100
SERVICE_USER = "herdlink"
UNIT = "herdlink-agent.service"
UNIT_FOLDERS = (Path("/etc/systemd/system"), Path("/usr/local/lib/systemd/system"), Path("/lib/systemd/system"))


class Source(Protocol):
    """What a module of agent/sources offers."""

    def check(self, uri: str) -> None: ...

    def local_path(self, uri: str) -> Path | None: ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where a node keeps its things."""

    state_dir: Path
    media_roots: tuple[Path, ...]
    output_root: Path
    secrets_dir: Path
    listen: tuple[str, ...]

    @property
    def target(self) -> str:
        """Where the bridge finds the agent."""
        return self.listen[0]


def places(folder: Path, system: bool, home: Path) -> Places:
    """The system's folders for root; for anybody else such that need no rights, so that both programs just start."""
    secrets = folder / "secrets"
    if system:
        state, visible = Path("/var/lib/herdlink"), Path("/srv")
        results, socket = state / "results", Path("/run/herdlink/agent.sock")
    else:
        # The models that `herdlink detect` has fetched for this user lie there already.
        state = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "herdlink"
        visible = home / "herdlink"
        results, socket = visible / "results", state / "agent.sock"
    port = "127.0.0.1:50051"
    fits = len(str(socket).encode()) <= SOCKET_BYTES
    return Places(state, (visible / "video",), results, secrets, (f"unix:{socket}", port) if fits else (port,))


def agent_text(node: str, places: Places, inputs: Mapping[str, str]) -> str:
    """agent.toml: what differs from machine to machine."""
    lines = [
        "# Written by `herdlink init`. Every other key, its default and what it does: herdlink's config/agent.toml.",
        "",
        "# The node's id in topics and records.",
        f"node = {_text(node)}",
        "# The journal, the models and the lock that keeps a second agent away.",
        f"state_dir = {_text(places.state_dir)}",
        "# Files and folders of pictures are read only below these folders.",
        f"media_roots = [{', '.join(_text(root) for root in places.media_roots)}]",
        "# Results are written only below this folder, each job in a folder of its own.",
        f"output_root = {_text(places.output_root)}",
        "# ${pen3} in an input is the content of the file pen3 in this folder, as user:password.",
        f"secrets_dir = {_text(places.secrets_dir)}",
        "",
        "[rpc]",
        "# Where the bridge and `herdlink call` reach the agent; from this machine alone.",
        f"listen = [{', '.join(_text(address) for address in places.listen)}]",
        "",
        "[model]",
        "# What finds the animals: pig comes with herdlink; yolov4-tiny finds people, sheep, cows, horses, dogs.",
        'name = "pig"',
    ]
    for name, uri in inputs.items():
        lines += ["", f"[streams.{name}]", f"input = {_text(uri)}"]
    if not inputs:
        lines += ["", "# One table a camera:", "# [streams.pen3]", '# input = "rtsp://${pen3}@10.0.0.21/s1"']
    return "\n".join(lines) + "\n"


def bridge_text(node: str, places: Places, broker: Broker) -> str:
    """bridge.toml: one agent and the broker."""
    lines = [
        "# Written by `herdlink init`. Every other key, its default and what it does: herdlink's config/bridge.toml.",
        "",
        "# One file a secret: mqtt-password is the broker's, mqtt-ca the authority that has signed its certificate.",
        f"secrets_dir = {_text(places.secrets_dir)}",
        "",
        "[[agents]]",
        f"node = {_text(node)}",
        f"target = {_text(places.target)}",
        "",
        "[mqtt]",
        f"host = {_text(broker.host)}",
        f"port = {broker.port}",
        *_tls_lines(broker),
        "# Empty: no login.",
        f"username = {_text(broker.username)}",
    ]
    return "\n".join(lines) + "\n"


def _tls_lines(broker: Broker) -> list[str]:
    if not broker.tls:
        return []
    return ["# TLS; its certificate and name are checked, against mqtt-ca where that is there.", "tls = true"]


def write(path: Path, text: str, *, mode: int) -> None:
    """Writes a file that never was readable for more than `mode` says. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        part.chmod(mode)
        if os.geteuid() == 0:
            # What root writes must be readable by the service, to which the folder belongs.
            os.chown(part, path.parent.stat().st_uid, -1)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def make_private(folder: Path, *, service: bool) -> None:
    """A folder that its owner alone can enter: the services' user, where there is one and `service` says so."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if service:
        with contextlib.suppress(KeyError):
            os.chown(folder, pwd.getpwnam(SERVICE_USER).pw_uid, -1)


def units_installed() -> bool:
    """Whether systemd knows the agent on this machine."""
    return any((folder / UNIT).exists() for folder in UNIT_FOLDERS)


def _text(value: object) -> str:
    """A TOML basic string, which is written as JSON writes one."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")
