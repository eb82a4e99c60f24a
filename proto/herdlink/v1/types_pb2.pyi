import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_CONNECTING: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_RECONNECTING: _ClassVar[JobState]
    JOB_STATE_DONE: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class Origin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORIGIN_UNSPECIFIED: _ClassVar[Origin]
    ORIGIN_SETTINGS: _ClassVar[Origin]
    ORIGIN_COMMAND: _ClassVar[Origin]

class OutputState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_STATE_UNSPECIFIED: _ClassVar[OutputState]
    OUTPUT_STATE_OK: _ClassVar[OutputState]
    OUTPUT_STATE_FAILED: _ClassVar[OutputState]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_CONNECTING: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_RECONNECTING: JobState
JOB_STATE_DONE: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
ORIGIN_UNSPECIFIED: Origin
ORIGIN_SETTINGS: Origin
ORIGIN_COMMAND: Origin
OUTPUT_STATE_UNSPECIFIED: OutputState
OUTPUT_STATE_OK: OutputState
OUTPUT_STATE_FAILED: OutputState

class Error(_message.Message):
    __slots__ = ("code", "reason", "message", "method", "time")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    code: str
    reason: str
    message: str
    method: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, code: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., method: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResultFile(_message.Message):
    __slots__ = ("name", "bytes", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    bytes: float
    sha256: str
    def __init__(self, name: _Optional[str] = ..., bytes: _Optional[float] = ..., sha256: _Optional[str] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("job_id", "stream", "state", "frames", "total_frames", "fps", "start_time", "end_time", "error", "input", "output", "model", "results", "frames_dropped")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FRAMES_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    stream: str
    state: JobState
    frames: int
    total_frames: int
    fps: float
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    error: Error
    input: str
    output: str
    model: str
    results: _containers.RepeatedCompositeFieldContainer[ResultFile]
    frames_dropped: int
    def __init__(self, job_id: _Optional[str] = ..., stream: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., frames: _Optional[int] = ..., total_frames: _Optional[int] = ..., fps: _Optional[float] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., model: _Optional[str] = ..., results: _Optional[_Iterable[_Union[ResultFile, _Mapping]]] = ..., frames_dropped: _Optional[int] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("stream", "name", "area", "input", "output", "enabled", "labels", "threshold", "max_fps", "known_count", "model", "tracker", "summary_period_s", "origin", "state", "rest_s")
    class OriginEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Origin
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Origin, str]] = ...) -> None: ...
    STREAM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_FPS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TRACKER_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REST_S_FIELD_NUMBER: _ClassVar[int]
    stream: str
    name: str
    area: str
    input: str
    output: str
    enabled: bool
    labels: _containers.RepeatedScalarFieldContainer[str]
    threshold: float
    max_fps: float
    known_count: int
    model: str
    tracker: str
    summary_period_s: float
    origin: _containers.ScalarMap[str, Origin]
    state: StreamState
    rest_s: float
    def __init__(self, stream: _Optional[str] = ..., name: _Optional[str] = ..., area: _Optional[str] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., enabled: bool = ..., labels: _Optional[_Iterable[str]] = ..., threshold: _Optional[float] = ..., max_fps: _Optional[float] = ..., known_count: _Optional[int] = ..., model: _Optional[str] = ..., tracker: _Optional[str] = ..., summary_period_s: _Optional[float] = ..., origin: _Optional[_Mapping[str, Origin]] = ..., state: _Optional[_Union[StreamState, _Mapping]] = ..., rest_s: _Optional[float] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class SceneZone(_message.Message):
    __slots__ = ("name", "polygon", "tell_visits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POLYGON_FIELD_NUMBER: _ClassVar[int]
    TELL_VISITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    polygon: _containers.RepeatedCompositeFieldContainer[Point]
    tell_visits: bool
    def __init__(self, name: _Optional[str] = ..., polygon: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., tell_visits: bool = ...) -> None: ...

class SceneLine(_message.Message):
    __slots__ = ("name", "start", "end", "inside")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    INSIDE_FIELD_NUMBER: _ClassVar[int]
    name: str
    start: Point
    end: Point
    inside: Point
    def __init__(self, name: _Optional[str] = ..., start: _Optional[_Union[Point, _Mapping]] = ..., end: _Optional[_Union[Point, _Mapping]] = ..., inside: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Ground(_message.Message):
    __slots__ = ("points", "width_m", "length_m", "metres")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_M_FIELD_NUMBER: _ClassVar[int]
    LENGTH_M_FIELD_NUMBER: _ClassVar[int]
    METRES_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[Point]
    width_m: float
    length_m: float
    metres: _containers.RepeatedCompositeFieldContainer[Point]
    def __init__(self, points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., width_m: _Optional[float] = ..., length_m: _Optional[float] = ..., metres: _Optional[_Iterable[_Union[Point, _Mapping]]] = ...) -> None: ...

class StreamState(_message.Message):
    __slots__ = ("stream", "name", "enabled", "state", "job_id", "progress", "input", "output", "output_state", "fps", "frame_time", "frames_dropped", "reconnects", "model", "provider", "known_count", "error")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_STATE_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    FRAME_TIME_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    RECONNECTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    KNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    stream: str
    name: str
    enabled: bool
    state: JobState
    job_id: str
    progress: float
    input: str
    output: str
    output_state: OutputState
    fps: float
    frame_time: _timestamp_pb2.Timestamp
    frames_dropped: int
    reconnects: int
    model: str
    provider: str
    known_count: int
    error: Error
    def __init__(self, stream: _Optional[str] = ..., name: _Optional[str] = ..., enabled: bool = ..., state: _Optional[_Union[JobState, str]] = ..., job_id: _Optional[str] = ..., progress: _Optional[float] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., output_state: _Optional[_Union[OutputState, str]] = ..., fps: _Optional[float] = ..., frame_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., frames_dropped: _Optional[int] = ..., reconnects: _Optional[int] = ..., model: _Optional[str] = ..., provider: _Optional[str] = ..., known_count: _Optional[int] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...
