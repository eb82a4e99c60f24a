"""What the engine asks of the rooms that it does not know, and how it shows a stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.core.types import Frame, Job
from agent.runtime.plan import Plan
from agent.runtime.run import Run
from agent.runtime.streams import Origin, StreamValues


class Rooms(Protocol):
    """What the engine asks of the rooms that it does not know."""

    def check_input(self, uri: str) -> str:
        """The input as it will be kept. Raises HerdlinkError where it cannot be one."""
        ...

    def is_live(self, uri: str) -> bool:
        """Whether it is without an end."""
        ...

    def open_output(self, stream: str, uri: str) -> Path:
        """The folder for a stream's results, made if need be. Raises HerdlinkError where nothing can be written."""
        ...

    def output_path(self, stream: str, uri: str) -> Path:
        """The same folder, untouched."""
        ...

    def check_values(self, values: StreamValues) -> None:
        """Raises HerdlinkError where a model or tracker is not known."""
        ...

    def check_labels(self, values: StreamValues) -> None:
        """Raises HerdlinkError where the model is known to know no such label; one that is not there may know any."""
        ...

    def complete(self, values: StreamValues) -> StreamValues:
        """The values with the node's defaults filled in."""
        ...

    def plan(self, job: Job, values: StreamValues) -> Plan: ...

    def first_frame(self, uri: str) -> Frame | None:
        """Opens the input for one picture; takes its time."""
        ...


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream as it is set and how it goes."""

    stream: str
    values: StreamValues
    """With the defaults filled in, the input masked and the output a full path."""
    origins: dict[str, Origin]
    job: Job | None
    """The newest one."""
    run: Run | None
    """Where that job is at work."""
