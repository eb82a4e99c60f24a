"""What `herdlink watch` shows, as lines of text: values in, lines out."""

from __future__ import annotations

import os
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.cli._watch_feed import View

_COLUMNS = ("left", "middle", "right")
_ROWS = ("top", "centre", "bottom")


def screen(view: View, size: os.terminal_size) -> list[str]:
    """A screen full: head, table of tracks, the newest summary; no line wider, no more lines than fit."""
    told = summary(view.summary) if view.summary is not None else "no summary yet"
    head = [*_wrapped(f"{view.stream}  {_state(view)}", size), *_wrapped(_figures(view), size), ""]
    foot = ["", *_wrapped(told, size), "Ctrl-C ends"]
    room = max(1, size.lines - len(head) - len(foot) - 1)
    lines = [*head, *_table(view, room), *foot]
    return [line[: size.columns] for line in lines[: size.lines]]


def line(view: View) -> str:
    """All of it on one line."""
    return f"{view.stream} {_state(view)}  {_figures(view)}"


def summary(found: Any) -> str:
    """The numbers of a summary in a sentence."""
    end = time.strftime("%H:%M:%S", time.localtime(found.end_time.seconds))
    counted = ", ".join(f"{count} {printable(label)}" for label, count in sorted(found.counts.items()) if count)
    parts = [f"{found.count} seen" + (f" ({counted})" if counted else "")]
    if found.known_count:
        parts.append(f"{found.known_count} expected")
    if found.HasField("activity"):
        parts.append(f"activity {found.activity:.1f} BL/min")
    if found.HasField("moving_ratio"):
        parts.append(f"{found.moving_ratio:.0%} moving")
    parts.append(f"went {found.distance_bl:.1f} BL")
    if found.longest_still_s:
        parts.append(f"longest still {age(found.longest_still_s)}")
    if not found.covered_s:
        parts = ["blind: no pictures in this time"]
    return f"summary {found.sequence}, {found.period_s:.0f} s to {end}: {', '.join(parts)}"


def place(box: Sequence[float]) -> str:
    """Where in the picture a box (left, top, width, height; 0..1) has its middle: "top left" ... "bottom right"."""
    across = _COLUMNS[_third(box[0] + box[2] / 2)]
    down = _ROWS[_third(box[1] + box[3] / 2)]
    return across if down == "centre" else f"{down} {across}"


def age(seconds: float) -> str:
    """7 s, 3:05 min, 2:15 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    big, small = divmod(round(seconds), 60) if seconds < 3600 else divmod(round(seconds / 60), 60)
    return f"{big}:{small:02} {'min' if seconds < 3600 else 'h'}"


def printable(words: str) -> str:
    """A text of somebody else's, without what could command a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def _wrapped(words: str, size: os.terminal_size) -> list[str]:
    return textwrap.wrap(words, max(20, size.columns), subsequent_indent="  ")


def _third(part: float) -> int:
    return min(2, max(0, int(part * 3)))


def _state(view: View) -> str:
    from herdlink.v1 import types_pb2

    if view.away:
        return f"AWAY: {printable(view.away)}; trying again"
    state = view.info.state
    word = types_pb2.JobState.Name(state.state).removeprefix("JOB_STATE_") if state.state else "NO JOB"
    if state.HasField("error"):
        return f"{word}: {printable(state.error.message)}"
    if word == "RUNNING":
        return word
    if not view.info.input:
        return f"{word}: it has no input; herdlink call SetInput"
    return word if word in ("QUEUED", "CONNECTING", "RECONNECTING") else f"{word}; herdlink call Compute starts one"


def _figures(view: View) -> str:
    """What is counted in the newest picture; never an old count that looks like a new one."""
    if view.frame is None:
        return "no pictures yet"
    count = len(view.frame.tracks)
    if not view.fresh:
        since = time.strftime("%H:%M:%S", time.localtime(view.frame.time.seconds))
        return f"no pictures since {since}; the count was {count} then"
    labels = Counter(printable(track.label) for track in view.frame.tracks)
    counted = ", ".join(f"{number} {label}" for label, number in labels.most_common())
    known = f" of {view.info.known_count}" if view.info.known_count else ""
    told = f"count {count}{known}{f' ({counted})' if counted else ''}   {view.fps:.1f} frames/s"
    return f"{told}   frame {view.frame.frame}   missed {view.missed}"


def _table(view: View, room: int) -> list[str]:
    """The tracks by id; where they do not all fit, the last line says how many are left out."""
    if not view.fresh:
        return []
    tracks = sorted(view.frame.tracks, key=lambda track: track.track)
    width = max([5, *(len(printable(track.label)) for track in tracks)])
    head = f"{'ID':>6}  {'LABEL':{width}}  SCORE  {'AGE':>9}  PLACE"
    rows = [
        f"{one.track:>6}  {printable(one.label):{width}}  {one.score:>5.2f}  {age(one.age_s):>9}  {place(one.box)}"
        for one in tracks
    ]
    if len(rows) > room:
        rows = [*rows[: room - 1], f"... and {len(rows) - room + 1} more"]
    return [head, *rows]
