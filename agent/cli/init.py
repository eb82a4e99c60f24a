"""herdlink init: the settings files of this machine; passwords go into files of their own."""

from __future__ import annotations

import argparse
import getpass
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.cli import _init_files as files
from agent.cli._init_secrets import Broker, part_secrets, read_broker, with_login
from agent.core.errors import FailedPrecondition, HerdlinkError, InvalidArgument
from agent.core.names import node_from_host, node_id, stream_id
from agent.core.uri import scheme

HELP = "Write agent.toml and bridge.toml for this machine, its cameras and its broker."
EXAMPLE = "herdlink init --node barn2 --broker mqtt://farm@10.0.0.2 --camera pen3=rtsp://admin@10.0.0.21/s1"
SYSTEM_FOLDER = Path("/etc/herdlink")
CHECK_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--node", metavar="N", default="", help="the node's id in topics (default: the host name)")
    parser.add_argument(
        "--broker",
        metavar="URL",
        default="mqtt://127.0.0.1:1883",
        help="mqtt://user@host:port, with TLS mqtts://; the password is asked for (default: mqtt://127.0.0.1:1883)",
    )
    parser.add_argument(
        "--camera",
        metavar="NAME=URI",
        action="append",
        type=_camera,
        default=[],
        help="a camera, e.g. pen3=rtsp://admin@10.0.0.21/s1; the password is asked for; may be given several times",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        help=f"folder of the settings (default: {SYSTEM_FOLDER} for root, ~/.config/herdlink for others)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that are there")


def run(args: argparse.Namespace) -> int:
    folder = (args.output or _default_folder()).expanduser().absolute()
    secrets: dict[str, str] = {}
    broker = _ask_broker(read_broker(args.broker), secrets)
    places = files.places(folder, os.geteuid() == 0, Path.home())
    node = node_id(args.node) if args.node else node_from_host(socket.gethostname())
    inputs = _ask_inputs(args.camera, secrets)
    places = replace(places, media_roots=(*places.media_roots, *_more_roots(inputs, places.media_roots)))
    texts = {
        "agent.toml": files.agent_text(node, places, inputs),
        "bridge.toml": files.bridge_text(node, places, broker),
    }
    _refuse_to_replace(folder, [*texts, *(f"secrets/{name}" for name in secrets)], force=args.force)
    _check(folder, texts)
    _write(folder, texts, secrets)
    _tell(folder, node, broker, inputs, secrets)
    return 0


# -- what was asked for -----------------------------------------------------------------------------------------------


def _camera(text: str) -> tuple[str, str]:
    """NAME=URI. What was typed is not repeated: it may hold a password."""
    name, equals, uri = text.partition("=")
    try:
        good = bool(equals and uri and name) and bool(stream_id(name))
    except HerdlinkError:
        good = False
    if not good or name in files.RESERVED_SECRETS:
        raise argparse.ArgumentTypeError(
            f"write NAME=URI, e.g. pen3=rtsp://admin@10.0.0.21/s1; a name has letters, digits, - and _, "
            f"and is none of {', '.join(files.RESERVED_SECRETS)}"
        )
    return name, uri


def _default_folder() -> Path:
    if os.geteuid() == 0:
        return SYSTEM_FOLDER
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config") / "herdlink"


def _ask_broker(broker: Broker, secrets: dict[str, str]) -> Broker:
    if broker.username and not broker.password:
        broker = replace(broker, password=_ask(f"password of {broker.username} at the broker {broker.host}: "))
    if broker.password:
        secrets["mqtt-password"] = broker.password
    return broker


def _ask_inputs(cameras: Sequence[tuple[str, str]], secrets: dict[str, str]) -> dict[str, str]:
    """Stream -> input without its secrets, which are added to `secrets`. Each is known to be an input."""
    inputs: dict[str, str] = {}
    for name, uri in cameras:
        if name in inputs:
            raise InvalidArgument("CAMERA_TWICE", f"--camera {name} is there twice; give each camera its own name")
        _source(uri).check(uri)
        inputs[name], found = part_secrets(name, uri)
        user = with_login(inputs[name])
        if user and not found:
            password = _ask(f"password of {user} at the camera {name}: ")
            inputs[name], found = part_secrets(name, uri, password)
        secrets.update(found)
    return inputs


def _ask(question: str) -> str:
    """A password typed by somebody; empty where nobody is there to type."""
    return getpass.getpass(question) if sys.stdin.isatty() else ""


def _source(uri: str) -> files.Source:
    from agent import plugins
    from agent.rooms import SOURCES

    module: files.Source = plugins.load(SOURCES, scheme(uri), "input scheme")
    return module


def _more_roots(inputs: Mapping[str, str], roots: Sequence[Path]) -> list[Path]:
    """The folders of the inputs that lie on this machine and not below the media roots: the agent would refuse them."""
    more: list[Path] = []
    for uri in inputs.values():
        path = _source(uri).local_path(uri)
        if path is not None:
            place = (path if path.is_dir() else path.parent).resolve()
            if not any(place.is_relative_to(root) for root in (*roots, *more)):
                more.append(place)
    return more


# -- files ------------------------------------------------------------------------------------------------------------


def _refuse_to_replace(folder: Path, names: Sequence[str], *, force: bool) -> None:
    there = [str(folder / name) for name in names if (folder / name).exists()]
    if there and not force:
        raise FailedPrecondition(
            "FILE_EXISTS", f"{' and '.join(there)} already there; --force replaces, --output DIR writes elsewhere"
        )


def _check(folder: Path, texts: Mapping[str, str]) -> None:
    """Has both programs read their file, before anything is written in `folder`. Raises InvalidArgument."""
    from agent.settings import load_settings

    with tempfile.TemporaryDirectory(prefix="herdlink-") as passing:
        for name, text in texts.items():
            (Path(passing) / name).write_text(text)
        try:
            load_settings(Path(passing) / "agent.toml")
        except HerdlinkError as error:
            raise InvalidArgument(error.reason, error.message.replace(passing, str(folder))) from error
        # The two programs never import each other.
        command = [sys.executable, "-m", "bridge", "--config", str(Path(passing) / "bridge.toml"), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_S, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or [f"herdlink-bridge --check ended with {done.returncode}"])[-1]
            told = said.removeprefix("herdlink-bridge: ").replace(passing, str(folder))
            raise InvalidArgument("BAD_SETTINGS", told)


def _write(folder: Path, texts: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Secrets first: settings never name one that is not there.
        if secrets:
            files.make_private(folder / "secrets", service=folder == SYSTEM_FOLDER)
        for name, secret in secrets.items():
            files.write(folder / "secrets" / name, f"{secret}\n", mode=0o600)
        for name, text in texts.items():
            files.write(folder / name, text, mode=0o644)
    except OSError as error:
        raise FailedPrecondition(
            "NOT_WRITABLE", f"{folder} cannot be written: {error.strerror}; run as root, or give --output DIR"
        ) from error


# -- what to do next --------------------------------------------------------------------------------------------------


def _tell(folder: Path, node: str, broker: Broker, inputs: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    print(f"{folder / 'agent.toml'}: node {node}, {'cameras ' + ', '.join(inputs) if inputs else 'no camera yet'}")
    print(f"{folder / 'bridge.toml'}: broker {broker.shown}")
    for name in secrets:
        file = folder / "secrets" / name
        print(f"{file}: a password; only {file.owner()} can read it")
    if broker.tls:
        authority = folder / "secrets" / "mqtt-ca"
        print(f"put the certificate of the broker's authority (PEM) into {authority}, unless this machine knows it")
    if broker.username and not broker.password:
        print(f"no password is known for the broker: write it into {folder / 'secrets' / 'mqtt-password'} (mode 600)")
    for name, uri in inputs.items():
        if user := with_login(uri):
            print(f"no password is known for {user} at camera {name}: if it wants one, run this again in a terminal")
    print("\nnext:")
    steps = _steps(folder, next(iter(inputs), "main"))
    width = max(len(command) for command, _ in steps)
    for command, why in steps:
        print(f"  {command:{width}}  # {why}")


def _steps(folder: Path, stream: str) -> list[tuple[str, str]]:
    system = folder == SYSTEM_FOLDER
    config = {
        name: "" if system else f" --config {shlex.quote(str(folder / name))}" for name in ("agent.toml", "bridge.toml")
    }
    doctor = "herdlink doctor" if system else f"herdlink doctor --config {shlex.quote(str(folder))}"
    steps = [(doctor, "what this machine can do, and what is wrong")]
    if system and files.units_installed():
        steps.append(("systemctl restart herdlink-agent herdlink-bridge", "both run with these settings"))
    else:
        steps.append((f"herdlink-agent{config['agent.toml']}", "runs until Ctrl-C"))
        steps.append((f"herdlink-bridge{config['bridge.toml']}", "the same, in a second terminal"))
    return [*steps, (f"herdlink watch {stream}", "what it sees, live")]
