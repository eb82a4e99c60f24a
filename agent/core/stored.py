"""Jobs and records as the texts that the journal keeps, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from agent.core.types import (
    EVENT,
    Event,
    EventType,
    Job,
    JobState,
    LineSummary,
    Problem,
    Record,
    ResultFile,
    Severity,
    Summary,
    TrackSummary,
    View,
    ZoneSummary,
)


def job_text(job: Job) -> str:
    """What `job` reads."""
    return json.dumps(asdict(job))


def job(text: str) -> Job:
    """The job of a text of `job_text`."""
    values = json.loads(text)
    error = values.pop("error")
    results = tuple(ResultFile(**file) for file in values.pop("results"))
    made = Job(**{**values, "state": JobState(values["state"])})
    return replace(made, error=Problem(**error) if error else None, results=results)


def record_text(record: Record) -> str:
    """What `record` reads; the body stands under the name of its kind."""
    values = asdict(record)
    values[record.kind] = values.pop("body")
    return json.dumps(values)


def record(text: str) -> Record:
    """The record of a text of `record_text`."""
    values = json.loads(text)
    if EVENT in values:
        return Record(body=_event(values.pop(EVENT)), **values)
    return Record(body=_summary(values.pop("summary")), **values)


def _event(values: dict[str, Any]) -> Event:
    known = {"event_type": EventType(values["event_type"]), "severity": Severity(values["severity"])}
    return Event(**{**values, **known})


def _summary(values: dict[str, Any]) -> Summary:
    tracks = tuple(TrackSummary(**{**track, "box": tuple(track["box"])}) for track in values.pop("tracks"))
    for keys, kind in ((("zones", "past_zones"), ZoneSummary), (("lines", "past_lines"), LineSummary)):
        for key in keys:
            values[key] = {name: kind(**place) for name, place in values.get(key, {}).items()}
    return Summary(**{**values, "view": View(values["view"])}, tracks=tracks)
