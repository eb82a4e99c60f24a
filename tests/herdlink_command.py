"""`herdlink` as a user types it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

AS_USER = "import os, sys; os.geteuid = lambda: 1000; from agent.cli.main import main; sys.exit(main())"
"""The command for somebody who is not root, on a machine where the tests run as root."""


def herdlink(*words: str, status: int = 0, home: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end. `home`: as the user who lives there; `more` goes into the environment."""
    start = ["-c", AS_USER] if home else ["-m", "agent.cli.main"]
    done = subprocess.run(
        [sys.executable, *start, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(home, more),
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def environment(home: Path | None, more: Mapping[str, str]) -> dict[str, str]:
    """This one's, without what it says of a node; `home` moves every folder of the user."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HERDLINK_", "XDG_"))}
    return {**kept, **({"HOME": str(home)} if home else {}), **more}
