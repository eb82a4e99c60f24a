"""Both programs, started as systemd starts them: ready, alive, stopping."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from mosquitto_process import free_port


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.told: list[str] = []

    def close(self) -> None:
        self._socket.close()

    def await_line(self, line: str, timeout_s: float = 20.0) -> None:
        """Waits until the line has come anew."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                lines = self._socket.recv(4096).decode().split("\n")
            except TimeoutError:
                pytest.fail(f"{line} was not told; told was: {self.told}")
            self.told += lines
            if line in lines:
                return


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    listening = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield listening
    listening.close()


def test_the_agent_tells_when_it_listens_lives_and_stops(manager: Manager, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path).start()
    manager.await_line("READY=1")
    assert f"STATUS=node n1 listens on unix:{agent.socket}" in manager.told
    manager.await_line("WATCHDOG=1")
    manager.await_line("WATCHDOG=1")
    assert agent.stop() == 0
    manager.await_line("STOPPING=1")


def test_an_agent_that_cannot_listen_is_never_ready(manager: Manager, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = tmp_path / "agent.toml"
        config.write_text(f'state_dir = "{tmp_path}/state"\n[rpc]\nlisten = ["{address}"]\n')
        done = subprocess.run([sys.executable, "-m", "agent", "--config", str(config)], check=False, timeout=60)
    assert done.returncode == 1
    assert "READY=1" not in manager.told


def test_the_bridge_is_ready_without_broker_and_agent(manager: Manager, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "bridge.toml"
    config.write_text(f'[[agents]]\nnode = "n1"\ntarget = "unix:{tmp_path}/none.sock"\n[mqtt]\nport = {port}\n')
    bridge = subprocess.Popen([sys.executable, "-m", "bridge", "--config", str(config)])
    try:
        manager.await_line("READY=1")
        assert f"STATUS=between 127.0.0.1:{port} and unix:{tmp_path}/none.sock" in manager.told
        manager.await_line("WATCHDOG=1")
        manager.await_line("WATCHDOG=1")
    finally:
        os.kill(bridge.pid, signal.SIGTERM)
        status = bridge.wait(20)
    assert status == 0
    manager.await_line("STOPPING=1")
