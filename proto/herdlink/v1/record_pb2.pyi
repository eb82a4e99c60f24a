import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORD_KIND_UNSPECIFIED: _ClassVar[RecordKind]
    RECORD_KIND_SUMMARY: _ClassVar[RecordKind]
    RECORD_KIND_EVENT: _ClassVar[RecordKind]

class View(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEW_UNSPECIFIED: _ClassVar[View]
    VIEW_OK: _ClassVar[View]
    VIEW_DARK: _ClassVar[View]
    VIEW_FROZEN: _ClassVar[View]
    VIEW_BLURRED: _ClassVar[View]
    VIEW_MOVED: _ClassVar[View]
RECORD_KIND_UNSPECIFIED: RecordKind
RECORD_KIND_SUMMARY: RecordKind
RECORD_KIND_EVENT: RecordKind
VIEW_UNSPECIFIED: View
VIEW_OK: View
VIEW_DARK: View
VIEW_FROZEN: View
VIEW_BLURRED: View
VIEW_MOVED: View

class WatchRecordsRequest(_message.Message):
    __slots__ = ("stream", "kind", "consumer", "after_sequence", "repeat_s")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REPEAT_S_FIELD_NUMBER: _ClassVar[int]
    stream: str
    kind: RecordKind
    consumer: str
    after_sequence: int
    repeat_s: float
    def __init__(self, stream: _Optional[str] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., consumer: _Optional[str] = ..., after_sequence: _Optional[int] = ..., repeat_s: _Optional[float] = ...) -> None: ...

class WatchRecordsResponse(_message.Message):
    __slots__ = ("record", "newest", "repeat")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    record: Record
    newest: int
    repeat: bool
    def __init__(self, record: _Optional[_Union[Record, _Mapping]] = ..., newest: _Optional[int] = ..., repeat: bool = ...) -> None: ...

class ListRecordsRequest(_message.Message):
    __slots__ = ("stream", "kind", "after_sequence", "limit")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    stream: str
    kind: RecordKind
    after_sequence: int
    limit: int
    def __init__(self, stream: _Optional[str] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., after_sequence: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("records", "newest", "journal")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[Record]
    newest: int
    journal: str
    def __init__(self, records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ..., newest: _Optional[int] = ..., journal: _Optional[str] = ...) -> None: ...

class AckRecordsRequest(_message.Message):
    __slots__ = ("consumer", "stream", "kind", "journal", "sequence")
    CONSUMER_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    consumer: str
    stream: str
    kind: RecordKind
    journal: str
    sequence: int
    def __init__(self, consumer: _Optional[str] = ..., stream: _Optional[str] = ..., kind: _Optional[_Union[RecordKind, str]] = ..., journal: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class AckRecordsResponse(_message.Message):
    __slots__ = ("sequence",)
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    def __init__(self, sequence: _Optional[int] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("summary", "event", "gap")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    summary: Summary
    event: Event
    gap: Gap
    def __init__(self, summary: _Optional[_Union[Summary, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Summary(_message.Message):
    __slots__ = ("node", "stream", "journal", "sequence", "job_id", "start_time", "end_time", "clock_synced", "period_s", "covered_s", "frames", "frames_dropped", "model", "view", "count", "count_mean", "count_error", "known_count", "count_off", "counts", "score_mean", "activity", "moving_ratio", "distance_bl", "distance_m", "distance_error_ratio", "spacing_bl", "longest_still_s", "id_switches", "total_animal_s", "total_distance_bl", "total_distance_m", "zones", "lines", "tracks", "tracks_omitted")
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class ZonesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Summary.Zone
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Summary.Zone, _Mapping]] = ...) -> None: ...
    class LinesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Summary.Line
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Summary.Line, _Mapping]] = ...) -> None: ...
    class Zone(_message.Message):
        __slots__ = ("count", "animal_s", "visits", "total_animal_s", "total_visits")
        COUNT_FIELD_NUMBER: _ClassVar[int]
        ANIMAL_S_FIELD_NUMBER: _ClassVar[int]
        VISITS_FIELD_NUMBER: _ClassVar[int]
        TOTAL_ANIMAL_S_FIELD_NUMBER: _ClassVar[int]
        TOTAL_VISITS_FIELD_NUMBER: _ClassVar[int]
        count: int
        animal_s: float
        visits: int
        total_animal_s: float
        total_visits: int
        def __init__(self, count: _Optional[int] = ..., animal_s: _Optional[float] = ..., visits: _Optional[int] = ..., total_animal_s: _Optional[float] = ..., total_visits: _Optional[int] = ...) -> None: ...
    class Line(_message.Message):
        __slots__ = ("entered", "left", "total_entered", "total_left")
        ENTERED_FIELD_NUMBER: _ClassVar[int]
        LEFT_FIELD_NUMBER: _ClassVar[int]
        TOTAL_ENTERED_FIELD_NUMBER: _ClassVar[int]
        TOTAL_LEFT_FIELD_NUMBER: _ClassVar[int]
        entered: int
        left: int
        total_entered: int
        total_left: int
        def __init__(self, entered: _Optional[int] = ..., left: _Optional[int] = ..., total_entered: _Optional[int] = ..., total_left: _Optional[int] = ...) -> None: ...
    NODE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCED_FIELD_NUMBER: _ClassVar[int]
    PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    COVERED_S_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_MEAN_FIELD_NUMBER: _ClassVar[int]
    COUNT_ERROR_FIELD_NUMBER: _ClassVar[int]
    KNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_OFF_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SCORE_MEAN_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    MOVING_RATIO_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_BL_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    DISTANCE_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    SPACING_BL_FIELD_NUMBER: _ClassVar[int]
    LONGEST_STILL_S_FIELD_NUMBER: _ClassVar[int]
    ID_SWITCHES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ANIMAL_S_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DISTANCE_BL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DISTANCE_M_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    TRACKS_OMITTED_FIELD_NUMBER: _ClassVar[int]
    node: str
    stream: str
    journal: str
    sequence: int
    job_id: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    clock_synced: bool
    period_s: float
    covered_s: float
    frames: int
    frames_dropped: int
    model: str
    view: View
    count: int
    count_mean: float
    count_error: float
    known_count: int
    count_off: bool
    counts: _containers.ScalarMap[str, int]
    score_mean: float
    activity: float
    moving_ratio: float
    distance_bl: float
    distance_m: float
    distance_error_ratio: float
    spacing_bl: float
    longest_still_s: float
    id_switches: int
    total_animal_s: float
    total_distance_bl: float
    total_distance_m: float
    zones: _containers.MessageMap[str, Summary.Zone]
    lines: _containers.MessageMap[str, Summary.Line]
    tracks: _containers.RepeatedCompositeFieldContainer[SummaryTrack]
    tracks_omitted: int
    def __init__(self, node: _Optional[str] = ..., stream: _Optional[str] = ..., journal: _Optional[str] = ..., sequence: _Optional[int] = ..., job_id: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clock_synced: bool = ..., period_s: _Optional[float] = ..., covered_s: _Optional[float] = ..., frames: _Optional[int] = ..., frames_dropped: _Optional[int] = ..., model: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ..., count: _Optional[int] = ..., count_mean: _Optional[float] = ..., count_error: _Optional[float] = ..., known_count: _Optional[int] = ..., count_off: bool = ..., counts: _Optional[_Mapping[str, int]] = ..., score_mean: _Optional[float] = ..., activity: _Optional[float] = ..., moving_ratio: _Optional[float] = ..., distance_bl: _Optional[float] = ..., distance_m: _Optional[float] = ..., distance_error_ratio: _Optional[float] = ..., spacing_bl: _Optional[float] = ..., longest_still_s: _Optional[float] = ..., id_switches: _Optional[int] = ..., total_animal_s: _Optional[float] = ..., total_distance_bl: _Optional[float] = ..., total_distance_m: _Optional[float] = ..., zones: _Optional[_Mapping[str, Summary.Zone]] = ..., lines: _Optional[_Mapping[str, Summary.Line]] = ..., tracks: _Optional[_Iterable[_Union[SummaryTrack, _Mapping]]] = ..., tracks_omitted: _Optional[int] = ...) -> None: ...

class SummaryTrack(_message.Message):
    __slots__ = ("track", "label", "age_s", "moved_bl", "box", "zone")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    MOVED_BL_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    track: int
    label: str
    age_s: float
    moved_bl: float
    box: _containers.RepeatedScalarFieldContainer[float]
    zone: str
    def __init__(self, track: _Optional[int] = ..., label: _Optional[str] = ..., age_s: _Optional[float] = ..., moved_bl: _Optional[float] = ..., box: _Optional[_Iterable[float]] = ..., zone: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("node", "stream", "journal", "sequence", "time", "clock_synced", "event_type", "severity", "message", "job_id", "place", "direction", "label", "track", "count", "known_count", "duration_s", "score")
    NODE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCED_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    node: str
    stream: str
    journal: str
    sequence: int
    time: _timestamp_pb2.Timestamp
    clock_synced: bool
    event_type: str
    severity: str
    message: str
    job_id: str
    place: str
    direction: str
    label: str
    track: int
    count: int
    known_count: int
    duration_s: float
    score: float
    def __init__(self, node: _Optional[str] = ..., stream: _Optional[str] = ..., journal: _Optional[str] = ..., sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clock_synced: bool = ..., event_type: _Optional[str] = ..., severity: _Optional[str] = ..., message: _Optional[str] = ..., job_id: _Optional[str] = ..., place: _Optional[str] = ..., direction: _Optional[str] = ..., label: _Optional[str] = ..., track: _Optional[int] = ..., count: _Optional[int] = ..., known_count: _Optional[int] = ..., duration_s: _Optional[float] = ..., score: _Optional[float] = ...) -> None: ...
