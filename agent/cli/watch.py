"""herdlink watch: a stream's live tracks and newest numbers in the terminal."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent.cli import _watch_text as text
from agent.cli._remote import add_target, default_target
from agent.core.names import stream_id

if TYPE_CHECKING:
    from agent.cli._watch_feed import Feed

HELP = "Show a stream's live tracks, counts and newest numbers; Ctrl-C ends it."
EXAMPLE = "herdlink watch pen3"
REFRESH_S = 0.25
LINE_S = 1.0
STILL_S = 30.0
"""A line that says the same again is said so seldom."""
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""The terminal's second screen without a cursor, and back to what stood there before."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stream", metavar="STREAM", nargs="?", default="main", help="the stream (default: main)")
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    from agent.cli._watch_feed import Feed

    feed = Feed(args.target or default_target(), stream_id(args.stream))
    # Ended from outside, too, the terminal is given back.
    signal.signal(signal.SIGTERM, _end)
    feed.start()
    try:
        if sys.stdout.isatty():
            _screen(feed)
        else:
            _lines(feed)
    except KeyboardInterrupt:
        # The ordinary way out.
        pass
    finally:
        feed.close()
    return 0


def _end(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _screen(feed: Feed) -> None:
    """One screen, refreshed in place; its last state stays when it is over."""
    sys.stdout.write(ENTER)
    try:
        while True:
            _paint(text.screen(feed.view(), shutil.get_terminal_size()))
            time.sleep(REFRESH_S)
    finally:
        sys.stdout.write(LEAVE)
        print("\n".join(text.screen(feed.view(), shutil.get_terminal_size())))


def _paint(lines: Sequence[str]) -> None:
    """Over what stood there, line by line: clearing the screen first would flicker."""
    sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\r\n" for line in lines[:-1]) + f"{lines[-1]}\x1b[K\x1b[J")
    sys.stdout.flush()


def _lines(feed: Feed) -> None:
    """A line a second while pictures come, one for each summary, and one whenever the state changes."""
    said, said_at, told = "", 0.0, feed.view().summary
    while True:
        view = feed.view()
        line = text.line(view)
        if view.fresh or line != said or time.monotonic() - said_at > STILL_S:
            print(time.strftime("%H:%M:%S"), line, flush=True)
            said, said_at = line, time.monotonic()
        if view.summary is not None and view.summary is not told:
            told = view.summary
            print(time.strftime("%H:%M:%S"), text.summary(told), flush=True)
        time.sleep(LINE_S)
