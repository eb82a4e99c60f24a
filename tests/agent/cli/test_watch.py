"""herdlink watch against a real agent, piped and in a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from herdlink_command import herdlink

from agent.cli import _watch_text as text
from herdlink.v1 import edge_pb2, record_pb2

CAMERA = "synthetic:herd?animals=3&fps=10&seconds=0&seed=2&width=320&height=240"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path, more=f'[summary]\nperiod_s = 1.0\n[streams.pen1]\ninput = "{CAMERA}"\n').start()
    yield process
    process.stop()


class Watch:
    """The command, and all that it has shown so far; in a terminal of its own where `terminal` says so."""

    def __init__(self, agent: AgentProcess, *, terminal: bool) -> None:
        command = [sys.executable, "-m", "agent.cli.main", "watch", "pen1", "--target", f"unix:{agent.socket}"]
        self.out, theirs = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        os.close(theirs)
        self.shown = ""

    def await_text(self, wanted: str, timeout_s: float = 30) -> None:
        """Reads until the pattern was shown after what was waited for before."""
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(wanted, self.shown)):
            assert time.monotonic() < deadline, self.shown[-2000:]
            if select.select([self.out], [], [], 0.2)[0]:
                self.shown += os.read(self.out, 65536).decode()
        self.shown = self.shown[found.end() :]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.await_text("", 1)
        rest = []
        while select.select([self.out], [], [], 1.0)[0]:
            try:
                piece = os.read(self.out, 65536)
            except OSError:
                # A terminal whose other side is gone.
                break
            if not piece:
                break
            rest.append(piece)
        self.shown += b"".join(rest).decode()
        status = self.process.wait(10)
        os.close(self.out)
        return status


def test_a_line_a_second_where_nobody_looks(agent: AgentProcess) -> None:
    watch = Watch(agent, terminal=False)
    watch.await_text(r"pen1 RUNNING  count 3 \(3 pig\)   \d+\.\d frames/s   frame \d+   missed 0\n")
    watch.await_text(r"summary \d+, 1 s to [\d:]+: 3 seen \(3 pig\)")
    assert "\x1b" not in watch.shown
    assert watch.end(signal.SIGINT) == 0
    assert "Traceback" not in watch.shown


def test_it_outlives_its_agent(agent: AgentProcess) -> None:
    watch = Watch(agent, terminal=False)
    watch.await_text("count 3")
    agent.kill()
    watch.await_text(r"AWAY: no agent answers .* no pictures since [\d:]+; the count was 3 then")
    agent.start()
    watch.await_text(r"RUNNING  count 3 .* frame \d+")
    agent.edge.CancelJob(edge_pb2.CancelJobRequest(stream="pen1"))
    watch.await_text("CANCELLED; herdlink call Compute starts one")
    assert watch.end(signal.SIGTERM) == 0


def test_one_screen_in_a_terminal_and_the_terminal_given_back(agent: AgentProcess) -> None:
    watch = Watch(agent, terminal=True)
    watch.await_text(re.escape("\x1b[?1049h\x1b[?25l"))
    watch.await_text(r"ID  LABEL  SCORE +AGE  PLACE")
    watch.await_text(r"\d+  pig +0\.\d\d +\d+ s  (top|bottom|left|middle|right)")
    watch.await_text("Ctrl-C ends")
    assert watch.end(signal.SIGINT) == 0
    left = watch.shown.rpartition("\x1b[?25h\x1b[?1049l")[2]
    assert "pen1  RUNNING" in left
    assert "Traceback" not in watch.shown


def test_a_wrong_stream_or_target_is_said_at_once(agent: AgentProcess, tmp_path: Path) -> None:
    told = herdlink("watch", "nope", "--target", f"unix:{agent.socket}", status=1).stderr
    assert told.startswith("herdlink: no stream nope; there are: pen1")
    told = herdlink("watch", "--target", f"unix:{tmp_path}/none.sock", status=1).stderr
    assert told.startswith("herdlink: no agent answers on unix:")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("box", "where"),
    [
        ((0.0, 0.0, 0.1, 0.1), "top left"),
        ((0.4, 0.4, 0.2, 0.2), "middle"),
        ((0.9, 0.4, 0.1, 0.2), "right"),
        ((0.4, 0.95, 0.2, 0.2), "bottom middle"),
    ],
)
def test_places_in_words(box: tuple[float, ...], where: str) -> None:
    assert text.place(box) == where


def test_ages_in_words() -> None:
    assert [text.age(seconds) for seconds in (7.4, 185, 8100)] == ["7 s", "3:05 min", "2:15 h"]


def test_a_label_cannot_command_the_terminal() -> None:
    assert text.printable("pig\x1b[2J\n") == "pig?[2J?"


def test_a_blind_summary_is_no_empty_pen() -> None:
    told = text.summary(record_pb2.Summary(sequence=7, period_s=10))
    assert "blind" in told
    assert "0 seen" not in told
