import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchTracksRequest(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: str
    def __init__(self, stream: _Optional[str] = ...) -> None: ...

class WatchTracksResponse(_message.Message):
    __slots__ = ("stream", "job_id", "frame", "time", "width", "height", "tracks", "missed")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    stream: str
    job_id: str
    frame: int
    time: _timestamp_pb2.Timestamp
    width: int
    height: int
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    missed: int
    def __init__(self, stream: _Optional[str] = ..., job_id: _Optional[str] = ..., frame: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., missed: _Optional[int] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ("track", "label", "score", "age_s", "box")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    track: int
    label: str
    score: float
    age_s: float
    box: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, track: _Optional[int] = ..., label: _Optional[str] = ..., score: _Optional[float] = ..., age_s: _Optional[float] = ..., box: _Optional[_Iterable[float]] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ("stream", "annotated", "fresh")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    ANNOTATED_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    stream: str
    annotated: bool
    fresh: bool
    def __init__(self, stream: _Optional[str] = ..., annotated: bool = ..., fresh: bool = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("jpeg", "time")
    JPEG_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    time: _timestamp_pb2.Timestamp
    def __init__(self, jpeg: _Optional[bytes] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
