"""A real bridge as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


class BridgeProcess:
    """`python -m bridge` between a broker and an agent."""

    def __init__(self, folder: Path, *, port: int, target: str, version: int = 5, more: str = "") -> None:
        self.folder = folder
        self.config = folder / "bridge.toml"
        self.config.write_text(
            f'[[agents]]\nnode = "n1"\ntarget = "{target}"\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\nversion = {version}\n[snapshot]\nperiod_s = 1.0\n{more}\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> BridgeProcess:
        with (self.folder / "bridge.log").open("ab") as log:
            command = [sys.executable, "-m", "bridge", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(20)

    def log(self) -> str:
        return (self.folder / "bridge.log").read_text()
