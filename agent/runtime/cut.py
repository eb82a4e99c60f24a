"""Finishes the folder of a job that the last stop has cut, as the job itself can no longer do."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from agent.core.errors import HerdlinkError
from agent.core.types import Job, ResultFile
from agent.runtime import run_json
from agent.runtime.results import list_results

log = logging.getLogger(__name__)

TRACKS = "tracks.txt"


def finish(job: Job) -> tuple[ResultFile, ...]:
    """Drops what was half written, has run.json tell the end that `job` tells, and lists what there is.

    Reads every file of the folder: it takes its time.
    """
    folder = Path(job.output)
    if not folder.is_dir():
        return ()
    _drop_parts(folder)
    files = tuple(file for file in list_results(folder) if file.name != run_json.NAME)
    told = _tell_end(folder, replace(job, results=files))
    return (*files, told) if told else files


def _drop_parts(folder: Path) -> None:
    """A film among them cannot be played: an mp4 gets its index when it is closed."""
    for part in folder.glob(".*.part*"):
        try:
            part.unlink()
            log.info("%s was half written and is removed", part)
        except OSError as error:
            log.error("%s was half written and cannot be removed: %s", part, error)


def _tell_end(folder: Path, job: Job) -> ResultFile | None:
    """None where the job had not come to its first picture."""
    path = folder / run_json.NAME
    if not path.is_file():
        return None
    try:
        begun = run_json.read(path)
        tracks = _count_tracks(folder / TRACKS)
    except (HerdlinkError, OSError) as error:
        log.error("%s is left as it is: %s", path, error)
        return None
    return run_json.leave(folder, run_json.describe_cut(begun, job, tracks))


def _count_tracks(path: Path) -> int | None:
    """How many ids are in the rows; None where the job writes none. Raises OSError."""
    if not path.is_file():
        return None
    with path.open(encoding="ascii", errors="replace") as rows:
        # A power cut may have torn the last one.
        return len({row.split(",", 2)[1] for row in rows if row.endswith("\n") and row.count(",") > 1})
