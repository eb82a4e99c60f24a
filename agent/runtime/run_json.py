"""run.json: what a job was made of and what came of it, so that it can be run again and compared.

It is there from the first picture on: a job that is killed leaves word of what it was.
"""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agent.core.errors import InvalidArgument, NotFound
from agent.core.types import Job, ResultFile
from agent.runtime.results import describe_file, sha256

log = logging.getLogger(__name__)

NAME = "run.json"
PACKAGES = ("herdlink", "numpy", "opencv-python-headless", "onnxruntime", "lap")
MEGABYTE_LIMIT = 16


def describe(
    job: Job,
    *,
    live: bool,
    settings: Mapping[str, Any],
    model_sha256: str,
    provider: str,
    first_track: int,
    tracks: int,
    count_mean: float,
    rested: int,
    stage_ms: Mapping[str, float],
) -> dict[str, Any]:
    """The content of run.json. `tracks`: how many were told; `count_mean`: tracks a frame; `rested`: frames that the
    model did not look at; `stage_ms`: a frame's share of each stage, in milliseconds.
    """
    return {
        "job_id": job.job_id,
        "stream": job.stream,
        **_outcome(job),
        "input": {"uri": job.input, "live": live},
        "model": {"name": settings.get("model", ""), "label": job.model, "sha256": model_sha256},
        "settings": dict(settings),
        "first_track": first_track,
        "provider": provider,
        "versions": _versions(),
        "start_time": _iso(job.start_time),
        "stage_ms": {name: round(value, 3) for name, value in stage_ms.items()},
        "tracks": tracks,
        "count_mean": round(count_mean, 3),
        "frames_rested": rested,
    }


def describe_cut(begun: Mapping[str, Any], job: Job, tracks: int | None) -> dict[str, Any]:
    """What `describe` told when the job began, with what is known of its end; None: what only the lost job knew."""
    unknown: dict[str, Any] = {"stage_ms": {}, "count_mean": None, "frames_rested": None}
    return {**begun, **_outcome(job), **unknown, "tracks": tracks}


def _outcome(job: Job) -> dict[str, Any]:
    return {
        "state": job.state.value,
        "error": asdict(job.error) if job.error else None,
        "end_time": _iso(job.end_time),
        "frames": job.frames,
        "frames_dropped": job.frames_dropped,
        "fps": round(job.fps, 3),
        "results": {file.name: {"bytes": file.bytes, "sha256": file.sha256} for file in job.results},
    }


def leave(folder: Path, content: Mapping[str, Any]) -> ResultFile | None:
    """Replaces folder/run.json as a whole; where that cannot be it is logged, and there is none."""
    path, part = folder / NAME, folder / f".{NAME}.part"
    try:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
        return describe_file(path)
    except OSError as error:
        log.error("%s is not written: %s", path, error)
        with suppress(OSError):
            # What it said when the job began is no longer so.
            path.unlink(missing_ok=True)
        return None


def read(path: Path) -> dict[str, Any]:
    """The content of a run.json, with the parts that running it again needs. Raises NotFound, InvalidArgument."""
    try:
        if path.stat().st_size > MEGABYTE_LIMIT * 1_000_000:
            raise InvalidArgument("BAD_RUN", f"{path} is too large to be a run.json")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("NO_RUN", f"there is no file {path}; it lies in the output of every job") from None
    except OSError as error:
        raise InvalidArgument("BAD_RUN", f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidArgument("BAD_RUN", f"{path} is not JSON: {error}") from error
    needed = {"input": dict, "model": dict, "settings": dict, "results": dict, "versions": dict, "first_track": int}
    wrong = [key for key, kind in needed.items() if not isinstance(content, dict) or type(content.get(key)) is not kind]
    if wrong:
        raise InvalidArgument("BAD_RUN", f"{path} is no run.json of a job: {wrong[0]} is missing or of another type")
    return dict(content)


def input_facts(path: Path | None) -> dict[str, Any]:
    """What tells an input file from another: {"bytes", "sha256"}; nothing of what is no file that can be read."""
    if path is None or not path.is_file():
        return {}
    try:
        return {"bytes": path.stat().st_size, "sha256": sha256(path)}
    except OSError as error:
        log.error("the input %s cannot be read again: %s", path, error)
        return {}


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
