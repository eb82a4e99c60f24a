"""herdlink-bridge: arguments, logging, signals; runs the loop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bridge.settings import BadSettings, BridgeSettings, load_settings, mqtt_tls


def main() -> int:
    """Exit 0 after SIGTERM or SIGINT, 1 where it cannot go on, 2 for wrong use."""
    args = _parser().parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = load_settings(args.config)
        mqtt_tls(settings)
    except BadSettings as error:
        print(f"herdlink-bridge: {error}", file=sys.stderr)
        return 2
    if args.check:
        print(_what_would_run(settings))
        return 0
    return asyncio.run(_run(settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="herdlink-bridge",
        description="Makes agents available on an MQTT broker.",
        epilog="example: herdlink-bridge --config /etc/herdlink/bridge.toml",
    )
    parser.add_argument(
        "--config", type=Path, help="bridge.toml; else $HERDLINK_BRIDGE_CONFIG, else /etc/herdlink/bridge.toml"
    )
    parser.add_argument("--check", action="store_true", help="load all, open nothing, print what would run")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--version", action="version", version=f"herdlink {_version()}")
    return parser


def _version() -> str:
    try:
        return version("herdlink")
    except PackageNotFoundError:
        return "0"


def _what_would_run(settings: BridgeSettings) -> str:
    lines = [
        f"broker      {settings.mqtt.host}:{settings.mqtt.port}, MQTT {settings.mqtt.version}"
        + (", TLS" if settings.mqtt.tls else ""),
        f"topics      below {settings.mqtt.base}/",
        f"commands    {', '.join(settings.commands.allow)}",
    ]
    return "\n".join(
        [*lines, *(f"agent       {agent.node or '(its own id)'} on {agent.target}" for agent in settings.agents)]
    )


async def _run(settings: BridgeSettings) -> int:
    from bridge.app import serve
    from bridge.broker import TakenOver
    from bridge.notify import beat, notify

    stop = asyncio.Event()

    def end() -> None:
        notify("STOPPING=1", "STATUS=taking leave of the broker")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    beating = asyncio.create_task(beat(), name="watchdog")
    # Ready does not wait for the broker or the agent: both may come late, and the bridge says so on its topics.
    notify("READY=1", f"STATUS=between {settings.mqtt.host}:{settings.mqtt.port} and {_targets(settings)}")
    try:
        await serve(settings, stop)
    except TakenOver as error:
        print(f"herdlink-bridge: {error}", file=sys.stderr)
        return 1
    finally:
        beating.cancel()
    return 0


def _targets(settings: BridgeSettings) -> str:
    return ", ".join(agent.target for agent in settings.agents)


if __name__ == "__main__":
    sys.exit(main())
