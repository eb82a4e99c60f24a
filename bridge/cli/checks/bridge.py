"""The bridge's part of `herdlink doctor`: its packages, bridge.toml, its agents, and the broker."""

from __future__ import annotations

import argparse
import asyncio
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bridge.cli.checks.finding import Finding, Findings, fail, ok, warn
from bridge.settings import CONFIG_PLACES, AgentSettings, BadSettings, BridgeSettings, load_settings, mqtt_password

PACKAGES = ("paho-mqtt", "googleapis-common-protos", "grpcio")
ANSWER_S = 5.0
_FOR_OTHERS = 0o077


def checks(args: argparse.Namespace) -> Findings:
    """All of it. `args`: bridge_config, the file or None."""
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        yield fail("packages", f"missing: {', '.join(missing)}", "python -m pip install 'herdlink[bridge]'")
        return
    if args.bridge_config is None and not _config_somewhere():
        yield warn(
            "bridge.toml", "there is none: nothing of MQTT was looked at", "herdlink init, or --bridge-config FILE"
        )
        return
    try:
        settings = load_settings(args.bridge_config)
    except BadSettings as error:
        yield fail("bridge.toml", str(error), "mend the file, or write it anew: herdlink init --force")
        return
    mqtt = settings.mqtt
    yield ok("bridge.toml", f"{_shown(args.bridge_config)}: broker {mqtt.host}:{mqtt.port}, topics below {mqtt.base}/")
    yield from _password(settings)
    nodes: list[str] = []
    for agent in settings.agents:
        node, finding = asyncio.run(_ask(agent))
        yield finding
        nodes.append(agent.node or node)
    from bridge.cli.checks import broker

    yield from broker.look(settings, [node for node in nodes if node])


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def _shown(path: Path | None) -> str:
    return str(path or os.environ.get("HERDLINK_BRIDGE_CONFIG") or CONFIG_PLACES[0])


def _config_somewhere() -> bool:
    by_environment = any(name.startswith("HERDLINK_BRIDGE_") for name in os.environ)
    return by_environment or any(place.exists() for place in CONFIG_PLACES)


def _password(settings: BridgeSettings) -> Findings:
    if not settings.mqtt.username:
        return
    file = settings.secrets_dir / "mqtt-password"
    try:
        password = mqtt_password(settings)
    except (OSError, UnicodeDecodeError) as error:
        yield fail("mqtt-password", f"{file} cannot be read: {error}", "run this as the user that runs the bridge")
        return
    if not password:
        cure = f"write it into {file}, mode 600"
        yield fail("mqtt-password", f"no password for the broker's user {settings.mqtt.username}", cure)
    elif file.is_file():
        yield from _rights(file)


def _rights(file: Path) -> Findings:
    if file.stat().st_mode & _FOR_OTHERS:
        yield warn("mqtt-password", f"{file} can be read by others", f"chmod 600 {file}")
    if file.stat().st_uid != file.parent.stat().st_uid:
        told = f"{file} belongs to another user than its folder; can the bridge read it?"
        yield warn("mqtt-password", told, f"chown --reference={file.parent} {file}")


async def _ask(agent: AgentSettings) -> tuple[str, Finding]:
    """The agent's own id (empty where it does not answer), and what is to be said of it."""
    from bridge.agents import AgentLink
    from bridge.core.commands import Refusal, unary_methods
    from herdlink.v1 import edge_pb2

    link = AgentLink(agent.target)
    try:
        request = edge_pb2.GetNodeRequest()
        answer: Any = await link.call(unary_methods()["GetNode"], request, timeout_s=ANSWER_S)
    except Refusal as refusal:
        known = refusal.reason == "AGENT_UNREACHABLE"
        told = f"no agent answers on {agent.target}" if known else refusal.message
        return "", warn("bridge's agent", told, "start herdlink-agent, or mend target in [[agents]] of bridge.toml")
    finally:
        await link.close()
    if agent.node and agent.node != answer.id:
        told = f"{agent.target} calls itself {answer.id}; its topics are below {agent.node}"
        return answer.id, warn("bridge's agent", told, f'node = "{answer.id}" in [[agents]] of bridge.toml')
    return answer.id, ok("bridge's agent", f"node {answer.id} answers on {agent.target}")
