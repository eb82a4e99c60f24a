"""A broker of the demo's own: mosquitto where it is installed, else amqtt (which speaks MQTT 3.1.1 only)."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

START_S = 15.0


@dataclass(frozen=True, slots=True)
class DemoBroker:
    """A broker that runs as a child process on 127.0.0.1."""

    name: str
    port: int
    mqtt_version: str
    """What bridge.toml's mqtt.version says for it: 5 or 311."""
    process: subprocess.Popen[bytes]


def start_broker(folder: Path) -> DemoBroker:
    """Starts it on a free port, its configuration and log in `folder`. Raises RuntimeError where it does not start."""
    port = free_port()
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if mosquitto:
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        command, name, version = [mosquitto, "-c", str(config)], "mosquitto", "5"
    else:
        command, name, version = [sys.executable, "-m", "bridge.demo.broker", str(port)], "amqtt", "311"
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    _await_port(port, process, folder / "broker.log")
    return DemoBroker(name, port, version, process)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"the broker did not start; {log} says why")


async def _serve_amqtt(port: int) -> None:
    from amqtt.broker import Broker

    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}})
    await broker.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_amqtt(int(sys.argv[1])))
