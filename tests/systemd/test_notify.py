"""What both programs tell systemd, heard on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import agent.runtime.notify
import bridge.notify


@pytest.fixture(params=[agent.runtime.notify, bridge.notify], ids=["agent", "bridge"])
def room(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield heard


def test_lines_arrive_as_one_message(room: ModuleType, manager: socket.socket) -> None:
    assert room.notify("READY=1", "STATUS=two\nlines")
    assert manager.recv(4096) == b"READY=1\nSTATUS=two lines"


def test_an_abstract_socket_is_reached(room: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"herdlink-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert room.notify("READY=1")
        assert heard.recv(4096) == b"READY=1"


def test_without_a_manager_nothing_is_sent(room: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not room.notify("READY=1")


@pytest.mark.parametrize("place", ["/nowhere/notify", "/" + "x" * 200, "vsock:2:1234"])
def test_a_manager_that_is_gone_stops_nobody(
    room: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", place)
    assert not room.notify("READY=1")
    assert "systemd was not told READY=1" in caplog.text


def test_a_manager_that_is_stuck_holds_the_loop_for_a_second_at_most(room: ModuleType, manager: socket.socket) -> None:
    begin = time.monotonic()
    while room.notify("STATUS=fills the queue"):
        assert time.monotonic() - begin < 10
    assert time.monotonic() - begin < room.SEND_S + 2


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        (None, None, 0.0),
        ("60000000", None, 60.0),
        ("60000000", "1", 0.0),
        ("never", None, 0.0),
        ("60000000", "own", 60.0),
    ],
)
def test_the_watchdog_is_read_from_the_environment(
    room: ModuleType, monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, seconds: float
) -> None:
    own = {"own": str(os.getpid())}
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", own.get(pid or "", pid))):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert room.watchdog_s() == seconds


def test_the_loop_beats_twice_a_period_and_not_while_it_hangs(
    room: ModuleType, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "400000")

    async def live() -> tuple[int, int]:
        beating = asyncio.create_task(room.beat())
        await asyncio.sleep(1.1)
        while_well = _drain(manager)
        time.sleep(1.0)  # what a hung loop is
        hung = _drain(manager)
        beating.cancel()
        return while_well, hung

    while_well, hung = asyncio.run(live())
    assert 2 <= while_well <= 7
    assert hung == 0


def test_without_a_watchdog_beating_is_over_at_once(room: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)

    async def live() -> bool:
        beating = asyncio.create_task(room.beat())
        await asyncio.wait([beating], timeout=1)
        return beating.done()

    assert asyncio.run(live())


def _drain(heard: socket.socket) -> int:
    """How many WATCHDOG=1 had come."""
    heard.setblocking(False)
    count = 0
    try:
        while True:
            assert heard.recv(4096) == b"WATCHDOG=1"
            count += 1
    except BlockingIOError:
        return count
