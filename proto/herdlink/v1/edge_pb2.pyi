import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from herdlink.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetInputRequest(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: str
    def __init__(self, stream: _Optional[str] = ...) -> None: ...

class GetInputResponse(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class SetInputRequest(_message.Message):
    __slots__ = ("stream", "uri", "request_id")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    stream: str
    uri: str
    request_id: str
    def __init__(self, stream: _Optional[str] = ..., uri: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetInputResponse(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class GetOutputRequest(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: str
    def __init__(self, stream: _Optional[str] = ...) -> None: ...

class GetOutputResponse(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class SetOutputRequest(_message.Message):
    __slots__ = ("stream", "uri", "request_id")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    stream: str
    uri: str
    request_id: str
    def __init__(self, stream: _Optional[str] = ..., uri: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetOutputResponse(_message.Message):
    __slots__ = ("uri",)
    URI_FIELD_NUMBER: _ClassVar[int]
    uri: str
    def __init__(self, uri: _Optional[str] = ...) -> None: ...

class ComputeRequest(_message.Message):
    __slots__ = ("stream", "wait", "request_id")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    stream: str
    wait: bool
    request_id: str
    def __init__(self, stream: _Optional[str] = ..., wait: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class ComputeResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _types_pb2.Job
    def __init__(self, job: _Optional[_Union[_types_pb2.Job, _Mapping]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id", "stream", "request_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    stream: str
    request_id: str
    def __init__(self, job_id: _Optional[str] = ..., stream: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _types_pb2.Job
    def __init__(self, job: _Optional[_Union[_types_pb2.Job, _Mapping]] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _types_pb2.Job
    def __init__(self, job: _Optional[_Union[_types_pb2.Job, _Mapping]] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("stream", "limit")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    stream: str
    limit: int
    def __init__(self, stream: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListJobsResponse(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[_types_pb2.Job]
    def __init__(self, jobs: _Optional[_Iterable[_Union[_types_pb2.Job, _Mapping]]] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class WatchJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: _types_pb2.Job
    def __init__(self, job: _Optional[_Union[_types_pb2.Job, _Mapping]] = ...) -> None: ...

class ReadResultRequest(_message.Message):
    __slots__ = ("job_id", "name", "offset")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    name: str
    offset: float
    def __init__(self, job_id: _Optional[str] = ..., name: _Optional[str] = ..., offset: _Optional[float] = ...) -> None: ...

class ReadResultResponse(_message.Message):
    __slots__ = ("data", "offset", "total_bytes", "sha256")
    DATA_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    offset: float
    total_bytes: float
    sha256: str
    def __init__(self, data: _Optional[bytes] = ..., offset: _Optional[float] = ..., total_bytes: _Optional[float] = ..., sha256: _Optional[str] = ...) -> None: ...

class ListStreamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListStreamsResponse(_message.Message):
    __slots__ = ("streams",)
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[_types_pb2.Stream]
    def __init__(self, streams: _Optional[_Iterable[_Union[_types_pb2.Stream, _Mapping]]] = ...) -> None: ...

class GetStreamRequest(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: str
    def __init__(self, stream: _Optional[str] = ...) -> None: ...

class GetStreamResponse(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: _types_pb2.Stream
    def __init__(self, stream: _Optional[_Union[_types_pb2.Stream, _Mapping]] = ...) -> None: ...

class SetStreamRequest(_message.Message):
    __slots__ = ("stream", "name", "area", "input", "output", "enabled", "labels", "threshold", "max_fps", "known_count", "model", "tracker", "summary_period_s", "request_id", "rest_s")
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
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
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
    request_id: str
    rest_s: float
    def __init__(self, stream: _Optional[str] = ..., name: _Optional[str] = ..., area: _Optional[str] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., enabled: bool = ..., labels: _Optional[_Iterable[str]] = ..., threshold: _Optional[float] = ..., max_fps: _Optional[float] = ..., known_count: _Optional[int] = ..., model: _Optional[str] = ..., tracker: _Optional[str] = ..., summary_period_s: _Optional[float] = ..., request_id: _Optional[str] = ..., rest_s: _Optional[float] = ...) -> None: ...

class SetStreamResponse(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: _types_pb2.Stream
    def __init__(self, stream: _Optional[_Union[_types_pb2.Stream, _Mapping]] = ...) -> None: ...

class DeleteStreamRequest(_message.Message):
    __slots__ = ("stream", "request_id")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    stream: str
    request_id: str
    def __init__(self, stream: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteStreamResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSceneRequest(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: str
    def __init__(self, stream: _Optional[str] = ...) -> None: ...

class GetSceneResponse(_message.Message):
    __slots__ = ("stream", "area", "zones", "lines", "ground")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    stream: str
    area: _containers.RepeatedCompositeFieldContainer[_types_pb2.Point]
    zones: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneZone]
    lines: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneLine]
    ground: _types_pb2.Ground
    def __init__(self, stream: _Optional[str] = ..., area: _Optional[_Iterable[_Union[_types_pb2.Point, _Mapping]]] = ..., zones: _Optional[_Iterable[_Union[_types_pb2.SceneZone, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[_types_pb2.SceneLine, _Mapping]]] = ..., ground: _Optional[_Union[_types_pb2.Ground, _Mapping]] = ...) -> None: ...

class SetSceneRequest(_message.Message):
    __slots__ = ("stream", "area", "zones", "lines", "ground", "request_id")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    stream: str
    area: _containers.RepeatedCompositeFieldContainer[_types_pb2.Point]
    zones: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneZone]
    lines: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneLine]
    ground: _types_pb2.Ground
    request_id: str
    def __init__(self, stream: _Optional[str] = ..., area: _Optional[_Iterable[_Union[_types_pb2.Point, _Mapping]]] = ..., zones: _Optional[_Iterable[_Union[_types_pb2.SceneZone, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[_types_pb2.SceneLine, _Mapping]]] = ..., ground: _Optional[_Union[_types_pb2.Ground, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetSceneResponse(_message.Message):
    __slots__ = ("stream", "area", "zones", "lines", "ground")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    AREA_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    stream: str
    area: _containers.RepeatedCompositeFieldContainer[_types_pb2.Point]
    zones: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneZone]
    lines: _containers.RepeatedCompositeFieldContainer[_types_pb2.SceneLine]
    ground: _types_pb2.Ground
    def __init__(self, stream: _Optional[str] = ..., area: _Optional[_Iterable[_Union[_types_pb2.Point, _Mapping]]] = ..., zones: _Optional[_Iterable[_Union[_types_pb2.SceneZone, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[_types_pb2.SceneLine, _Mapping]]] = ..., ground: _Optional[_Union[_types_pb2.Ground, _Mapping]] = ...) -> None: ...

class GetNodeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Hardware(_message.Message):
    __slots__ = ("machine", "system", "cpu", "cpu_count", "memory_bytes")
    MACHINE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CPU_FIELD_NUMBER: _ClassVar[int]
    CPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    machine: str
    system: str
    cpu: str
    cpu_count: int
    memory_bytes: float
    def __init__(self, machine: _Optional[str] = ..., system: _Optional[str] = ..., cpu: _Optional[str] = ..., cpu_count: _Optional[int] = ..., memory_bytes: _Optional[float] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("message_bytes", "streams", "running_jobs", "records", "list_limit")
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_JOBS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    LIST_LIMIT_FIELD_NUMBER: _ClassVar[int]
    message_bytes: int
    streams: int
    running_jobs: int
    records: int
    list_limit: int
    def __init__(self, message_bytes: _Optional[int] = ..., streams: _Optional[int] = ..., running_jobs: _Optional[int] = ..., records: _Optional[int] = ..., list_limit: _Optional[int] = ...) -> None: ...

class GetNodeResponse(_message.Message):
    __slots__ = ("id", "version", "hardware", "provider_wanted", "provider", "limits", "start_time", "journal", "trackers", "schemes")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_WANTED_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    TRACKERS_FIELD_NUMBER: _ClassVar[int]
    SCHEMES_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    hardware: Hardware
    provider_wanted: str
    provider: str
    limits: Limits
    start_time: _timestamp_pb2.Timestamp
    journal: str
    trackers: _containers.RepeatedScalarFieldContainer[str]
    schemes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., version: _Optional[str] = ..., hardware: _Optional[_Union[Hardware, _Mapping]] = ..., provider_wanted: _Optional[str] = ..., provider: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., journal: _Optional[str] = ..., trackers: _Optional[_Iterable[str]] = ..., schemes: _Optional[_Iterable[str]] = ...) -> None: ...

class GetHealthRequest(_message.Message):
    __slots__ = ("consumer",)
    CONSUMER_FIELD_NUMBER: _ClassVar[int]
    consumer: str
    def __init__(self, consumer: _Optional[str] = ...) -> None: ...

class HealthProblem(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetHealthResponse(_message.Message):
    __slots__ = ("time", "clock_synced", "start_time", "cpu_ratio", "rss_bytes", "temperature_c", "disk_free_bytes", "journal_rows", "lost_records", "provider", "provider_wanted", "problems", "backlog")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCED_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    CPU_RATIO_FIELD_NUMBER: _ClassVar[int]
    RSS_BYTES_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_C_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    LOST_RECORDS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_WANTED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    clock_synced: bool
    start_time: _timestamp_pb2.Timestamp
    cpu_ratio: float
    rss_bytes: float
    temperature_c: float
    disk_free_bytes: float
    journal_rows: int
    lost_records: int
    provider: str
    provider_wanted: str
    problems: _containers.RepeatedCompositeFieldContainer[HealthProblem]
    backlog: int
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clock_synced: bool = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cpu_ratio: _Optional[float] = ..., rss_bytes: _Optional[float] = ..., temperature_c: _Optional[float] = ..., disk_free_bytes: _Optional[float] = ..., journal_rows: _Optional[int] = ..., lost_records: _Optional[int] = ..., provider: _Optional[str] = ..., provider_wanted: _Optional[str] = ..., problems: _Optional[_Iterable[_Union[HealthProblem, _Mapping]]] = ..., backlog: _Optional[int] = ...) -> None: ...
