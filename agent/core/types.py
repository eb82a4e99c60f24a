"""The values that travel through the agent: frozen, arrays instead of lists of objects, never None for "nothing"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from agent.core.scene import NO_SCENE, Scene

Image = NDArray[np.uint8]
"""(height, width, 3) BGR."""
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]

SUMMARY = "summary"
EVENT = "event"
"""The two logs of a stream."""


def _floats(*shape: int) -> Floats:
    return np.zeros(shape, np.float32)


def _ints() -> Ints:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of an input."""

    index: int
    """Number of the frame in its job, from 1; a frame that was dropped keeps its number."""
    time: float
    """Seconds since the beginning of a file; of a camera the steady clock, which no setting of the time moves."""
    image: Image


@dataclass(frozen=True, slots=True)
class Detections:
    """N objects found in one picture."""

    boxes: Floats = field(default_factory=lambda: _floats(0, 4))
    """(N, 4) left, top, right, bottom in pixels of the picture."""
    scores: Floats = field(default_factory=lambda: _floats(0))
    """(N,) 0..1."""
    classes: Ints = field(default_factory=_ints)
    """(N,) indices into the detector's labels."""
    features: Floats = field(default_factory=lambda: _floats(0, 0))
    """(N, D) unit vectors of appearance; D is 0 where no embedder is set."""

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Detections:
        """The rows that a mask, an index array or a slice names."""
        scores = self.scores[keep]
        features = self.features[keep] if self.features.shape[1] else _floats(len(scores), 0)
        return Detections(self.boxes[keep], scores, self.classes[keep], features)


@dataclass(frozen=True, slots=True)
class Tracks:
    """N objects followed up to one moment."""

    ids: Ints = field(default_factory=_ints)
    """(N,) never used again within a stream."""
    boxes: Floats = field(default_factory=lambda: _floats(0, 4))
    """(N, 4) left, top, right, bottom in pixels of the picture."""
    scores: Floats = field(default_factory=lambda: _floats(0))
    """(N,) 0..1; 0 for one that is hidden and told where it must be."""
    classes: Ints = field(default_factory=_ints)
    ages: Floats = field(default_factory=lambda: _floats(0))
    """(N,) seconds since first seen."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Result:
    """What the pipeline makes of one frame."""

    frame: Frame
    detections: Detections
    tracks: Tracks
    scene: Scene = NO_SCENE
    """What was drawn on the picture when the frame was analysed."""


@dataclass(frozen=True, slots=True)
class InputInfo:
    """What a source knows of itself once it is open."""

    live: bool
    """A camera: the newest frame replaces the old, and the end is a loss. Otherwise every frame counts."""
    fps: float
    """Nominal frames a second; 0 where unknown."""
    total_frames: int
    """0 where unknown."""
    codec: str = ""
    """The four letters of what the pictures come packed in, e.g. h264; empty where they come unpacked."""


class View(StrEnum):
    """What a picture is worth."""

    OK = "OK"
    DARK = "DARK"
    FROZEN = "FROZEN"
    BLURRED = "BLURRED"
    MOVED = "MOVED"


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """One track at the end of a window."""

    track: int
    label: str
    age_s: float
    moved_bl: float
    box: tuple[float, float, float, float]
    """left, top, width, height, each 0..1."""
    zone: str = ""
    """The first zone of the scene that it is in."""


@dataclass(frozen=True, slots=True)
class ZoneSummary:
    """What went on in a zone in one window."""

    count: int = 0
    animal_s: float = 0.0
    visits: int = 0
    total_animal_s: float = 0.0
    total_visits: int = 0


@dataclass(frozen=True, slots=True)
class LineSummary:
    """Who went over a line in one window."""

    entered: int = 0
    left: int = 0
    total_entered: int = 0
    total_left: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """What only grows within a journal."""

    animal_s: float = 0.0
    distance_bl: float = 0.0
    distance_m: float = 0.0
    zones: Mapping[str, ZoneSummary] = field(default_factory=dict)
    """Of these the totals count; also of zones that are no longer in the scene."""
    lines: Mapping[str, LineSummary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in one window; fields as in record.proto. None: not known."""

    start_time: float
    """Seconds of the frames' own clock, like `Frame.time`; since 1970 within a Record."""
    end_time: float
    period_s: float
    covered_s: float
    frames: int
    frames_dropped: int
    view: View
    count: int
    count_mean: float
    count_error: float
    known_count: int
    count_off: bool
    counts: dict[str, int]
    score_mean: float | None
    activity: float | None
    moving_ratio: float | None
    distance_bl: float
    spacing_bl: float | None
    longest_still_s: float
    id_switches: int
    total_animal_s: float
    total_distance_bl: float
    tracks: tuple[TrackSummary, ...]
    tracks_omitted: int
    distance_m: float | None = None
    distance_error_ratio: float | None = None
    total_distance_m: float = 0.0
    """Also known while no ground is set, but not told then."""
    zones: dict[str, ZoneSummary] = field(default_factory=dict)
    lines: dict[str, LineSummary] = field(default_factory=dict)
    past_zones: dict[str, ZoneSummary] = field(default_factory=dict)
    """The totals of zones that are not in the scene now, so that they go on where one comes back. Not told."""
    past_lines: dict[str, LineSummary] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Its log."""
        return SUMMARY


class JobState(StrEnum):
    """Where a job stands; the words of types.proto without their prefix."""

    QUEUED = "QUEUED"
    CONNECTING = "CONNECTING"
    RUNNING = "RUNNING"
    RECONNECTING = "RECONNECTING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is kept and shown."""

    code: str
    reason: str
    message: str
    method: str
    time: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file that a job left."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a stream; times in seconds since 1970, None: not yet, or not known."""

    job_id: str
    stream: str
    state: JobState
    input: str
    output: str
    frames: int = 0
    frames_dropped: int = 0
    total_frames: int | None = None
    fps: float = 0.0
    start_time: float | None = None
    end_time: float | None = None
    error: Problem | None = None
    model: str = ""
    results: tuple[ResultFile, ...] = ()


class EventType(StrEnum):
    """What can happen; the words of record.proto."""

    LINE_CROSSED = "line_crossed"
    ZONE_OCCUPIED = "zone_occupied"
    ZONE_EMPTY = "zone_empty"
    ZONE_ENTERED = "zone_entered"
    ZONE_LEFT = "zone_left"
    ANIMAL_STILL = "animal_still"
    COUNT_OFF = "count_off"
    COUNT_OK = "count_ok"
    PERSON_SEEN = "person_seen"
    CAMERA_LOST = "camera_lost"
    CAMERA_BACK = "camera_back"
    VIEW_CHANGED = "view_changed"
    MODEL_CHANGED = "model_changed"
    JOB_ENDED = "job_ended"
    JOB_FAILED = "job_failed"
    DISK_LOW = "disk_low"
    BROKER_GAP = "broker_gap"


class Severity(StrEnum):
    """How soon somebody should look: some time, today, now."""

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at one moment; fields as in record.proto. None or empty: not known, or of no meaning here."""

    time: float
    """Seconds of the frames' own clock, like `Frame.time`; since 1970 within a Record."""
    event_type: EventType
    severity: Severity
    message: str
    """One plain sentence."""
    place: str = ""
    direction: str = ""
    label: str = ""
    track: int | None = None
    count: int | None = None
    known_count: int | None = None
    duration_s: float | None = None
    score: float | None = None

    @property
    def kind(self) -> str:
        """Its log."""
        return EVENT


Body = Summary | Event


@dataclass(frozen=True, slots=True)
class Record:
    """A summary or an event with its name for ever: (node, stream, kind, journal, sequence)."""

    node: str
    stream: str
    journal: str
    sequence: int
    job_id: str
    model: str
    clock_synced: bool
    body: Body
    """Its times are seconds since 1970 here."""

    @property
    def kind(self) -> str:
        """Which of the stream's two logs it stands in."""
        return self.body.kind
