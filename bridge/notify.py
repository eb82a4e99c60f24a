"""Tells systemd how the bridge is: ready, alive, stopping (sd_notify(3)). Silent where no manager listens."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

log = logging.getLogger("bridge")

# The loop waits this long at most for a manager that is itself stuck.
SEND_S = 1.0


def notify(*lines: str) -> bool:
    """Sends lines such as READY=1 to $NOTIFY_SOCKET. Whether they were sent; never raises."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return False
    # A leading @ stands for the zero byte of Linux's abstract names.
    address = "\0" + place[1:] if place.startswith("@") else place
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.settimeout(SEND_S)
            way.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), address)
    except OSError as error:
        log.warning("systemd was not told %s on %s: %s", lines[0], place, error)
        return False
    return True


def watchdog_s() -> float:
    """After how many silent seconds systemd restarts this process; 0: never."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    allowed_us = os.environ.get("WATCHDOG_USEC", "")
    return int(allowed_us) / 1e6 if allowed_us.isdigit() else 0.0


async def beat() -> None:
    """Says WATCHDOG=1 from the loop, twice in each time allowed, until cancelled. Over at once without a watchdog."""
    period_s = watchdog_s() / 2
    while period_s:
        notify("WATCHDOG=1")
        await asyncio.sleep(period_s)
