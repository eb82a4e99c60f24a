"""A real mosquitto on a port of its own."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest


class Mosquitto:
    """A broker on a private port; `kill` and `start` again keep the port."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        self.port = free_port()
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n{more}\n")
        self._log = folder / f"mosquitto-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.fail("mosquitto is missing: apt-get install mosquitto mosquitto-clients")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._config)], stdout=log, stderr=log)
        deadline = time.monotonic() + 10
        while not reachable(self.port):
            assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def reload(self) -> None:
        """Has it read its access list again."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGHUP)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)
            self._process.wait(10)
            self._process = None


def free_port() -> int:
    """Below the ports that the system gives to outgoing connections: what is free now stays free until it is bound,
    and no client that tries to reconnect can take it while a broker is away.
    """
    dice = random.SystemRandom()
    while True:
        port = dice.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
