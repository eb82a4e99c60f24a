"""`herdlink analyze --again run.json`: the same once more, and whether the same came out."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from agent.core.errors import FailedPrecondition
from agent.core.uri import is_masked
from agent.runtime import run_json
from agent.runtime.streams import StreamValues

TRACKS = "tracks.txt"


def recipe(path: Path) -> tuple[str, dict[str, Any], int]:
    """(input, values, first track id) of the run that a run.json tells. Raises HerdlinkError where it has no again."""
    told = run_json.read(path)
    uri = str(told["input"].get("uri", ""))
    if told["input"].get("live"):
        raise FailedPrecondition("NOT_REPEATABLE", f"{uri} is a camera, which never shows the same again")
    if is_masked(uri):
        raise FailedPrecondition("MASKED_URI", f"the password in {uri} is masked; write the real one into {path}")
    known = {field.name for field in fields(StreamValues)}
    values = {key: value for key, value in told["settings"].items() if key in known}
    return uri, values, told["first_track"]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is not the same in two run.json, a line each; the tracks are not among it."""
    pairs = [
        ("input", _input(before), _input(after)),
        ("model", before["model"].get("sha256", ""), after["model"].get("sha256", "")),
        ("provider", before.get("provider", ""), after.get("provider", "")),
        ("frames", before.get("frames"), after.get("frames")),
    ]
    pairs += [(key, before["settings"].get(key), after["settings"].get(key)) for key in sorted(after["settings"])]
    versions = sorted({*before["versions"], *after["versions"]})
    pairs += [(key, before["versions"].get(key), after["versions"].get(key)) for key in versions]
    return [f"{key}: it was {_shown(old)}, it is {_shown(new)}" for key, old, new in pairs if old != new]


def same_tracks(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether tracks.txt of both runs is the same to the last byte."""
    sums = [run["results"].get(TRACKS, {}).get("sha256") for run in (before, after)]
    return sums[0] is not None and sums[0] == sums[1]


def _input(run: dict[str, Any]) -> str:
    return str(run["input"].get("sha256") or run["input"].get("uri", ""))


def _shown(value: Any) -> str:
    text = "-" if value in (None, "") else str(value)
    return text[:12] if len(text) == 64 else text
