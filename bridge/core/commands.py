"""Commands: descriptor <-> JSON. What may be called is read from the contract; there is no list to keep."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from herdlink.v1 import edge_pb2, record_pb2, track_pb2

PAYLOAD_LIMIT = 256 * 1024
ID_LIMIT = 256
DEADLINE_LIMIT_MS = 86_400_000
WATCH_PER_S_LIMIT = 10.0
WATCH_S_LIMIT = 300.0
REQUEST_ID_BYTES = 16
"""Correlation data of so many bytes is taken for unique."""
_FILES = (edge_pb2, track_pb2, record_pb2)
_NEVER_BY_DEFAULT = ("AckRecords",)
STREAMED = ("WatchTracks",)
"""Methods that stream, and that may be called all the same: so many items a second, for so long."""
_ENVELOPE = {
    "id": "id",
    "replyTo": "reply_to",
    "reply_to": "reply_to",
    "deadlineMs": "deadline_ms",
    "deadline_ms": "deadline_ms",
    "requestId": "request_id",
    "request_id": "request_id",
}


class Refusal(Exception):
    """A command that is answered without having been carried out."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands beside a request's own fields."""

    id: str | int | float | None = None
    reply_to: str = ""
    deadline_ms: float | None = None
    request_id: str = ""


class BadEnvelope(Refusal):
    """Something beside the request cannot be meant; `envelope` holds the rest, so that the answer finds its way."""

    def __init__(self, envelope: Envelope, message: str) -> None:
        super().__init__("INVALID_ARGUMENT", "BAD_VALUE", message)
        self.envelope = envelope


@dataclass(frozen=True, slots=True)
class Watch:
    """How much of a stream is wanted; stands beside the request of a method that streams."""

    max_per_s: float = 2.0
    for_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be carried out."""

    method: MethodDescriptor
    request: Any
    """The method's request message."""


@functools.cache
def unary_methods() -> Mapping[str, MethodDescriptor]:
    """Every unary method of the contract by its name."""
    services = [service for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]
    methods = [method for service in services for method in service.methods]
    return {m.name: m for m in methods if not (m.client_streaming or m.server_streaming)}


@functools.cache
def callable_methods() -> Mapping[str, MethodDescriptor]:
    """Every method that a command may name."""
    streamed = {name: track_pb2.DESCRIPTOR.services_by_name["TrackService"].methods_by_name[name] for name in STREAMED}
    return {**unary_methods(), **streamed}


def default_allow() -> tuple[str, ...]:
    """The methods that may be called where the settings say nothing."""
    return tuple(sorted(name for name in callable_methods() if name not in _NEVER_BY_DEFAULT))


def find_method(name: str, allow: Iterable[str]) -> MethodDescriptor:
    """The method a command names. Raises Refusal: UNIMPLEMENTED, PERMISSION_DENIED."""
    method = callable_methods().get(name)
    if method is None:
        known = ", ".join(sorted(allow))
        raise Refusal("UNIMPLEMENTED", "UNKNOWN_METHOD", f"no method {name[:80]!r}; there are: {known}")
    if name not in allow:
        raise Refusal("PERMISSION_DENIED", "METHOD_NOT_ALLOWED", f"{name} is not in commands.allow of this bridge")
    return method


def read_payload(payload: bytes) -> dict[str, Any]:
    """A command's JSON object; empty means {}. Raises Refusal."""
    if len(payload) > PAYLOAD_LIMIT:
        raise Refusal(
            "RESOURCE_EXHAUSTED",
            "PAYLOAD_TOO_LARGE",
            f"a command has at most {PAYLOAD_LIMIT} bytes; this one has {len(payload)}",
        )
    try:
        values = json.loads(payload if payload.strip() else b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("INVALID_ARGUMENT", "BAD_JSON", f"the payload is not JSON: {str(error)[:200]}") from error
    if not isinstance(values, dict):
        raise Refusal("INVALID_ARGUMENT", "BAD_JSON", 'the payload must be a JSON object, e.g. {"stream": "main"}')
    return values


def split_envelope(values: dict[str, Any]) -> tuple[Envelope, dict[str, Any]]:
    """What stands beside the request, and the request's own fields. Raises BadEnvelope."""
    found = {_ENVELOPE[key]: value for key, value in values.items() if key in _ENVELOPE and value is not None}
    wrong = {name: _ENVELOPE_CHECKS[name](value) for name, value in found.items()}
    envelope = Envelope(**{name: value for name, value in found.items() if not wrong[name]})
    why = next(filter(None, wrong.values()), "")
    if why:
        raise BadEnvelope(envelope, why)
    return envelope, {key: value for key, value in values.items() if key not in _ENVELOPE}


def _wrong_id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "id is a text or a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "id is too large a number"
    return f"id has at most {ID_LIMIT} characters" if isinstance(value, str) and len(value) > ID_LIMIT else ""


def _wrong_deadline(value: Any) -> str:
    if not isinstance(value, bool) and isinstance(value, int | float) and 0 < value <= DEADLINE_LIMIT_MS:
        return ""
    return f"deadlineMs is a number of milliseconds, more than 0 and at most {DEADLINE_LIMIT_MS}"


_ENVELOPE_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "id": _wrong_id,
    "reply_to": lambda value: "" if isinstance(value, str) else "replyTo is a topic",
    "deadline_ms": _wrong_deadline,
    "request_id": lambda value: "" if isinstance(value, str) else "requestId is a text",
}
"""For each: what is wrong with a value, or nothing."""


def split_watch(fields: dict[str, Any]) -> tuple[Watch, dict[str, Any]]:
    """How much of a stream is wanted, and the request's own fields. Raises Refusal."""
    names = {"maxPerS": "max_per_s", "max_per_s": "max_per_s", "forS": "for_s", "for_s": "for_s"}
    limits = {"max_per_s": WATCH_PER_S_LIMIT, "for_s": WATCH_S_LIMIT}
    given = {names[key]: value for key, value in fields.items() if key in names and value is not None}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.01 <= value <= limits[name]:
            shown = {"max_per_s": "maxPerS", "for_s": "forS"}[name]
            raise _bad_value(f"{shown} is a number from 0.01 to {limits[name]:g}")
    return Watch(**given), {key: value for key, value in fields.items() if key not in names}


def build(method: MethodDescriptor, fields: dict[str, Any], request_id: str) -> Command:
    """The request message; `request_id` is handed on where the method knows one. Raises Refusal naming the field."""
    _check_names(method, fields)
    request: Any = GetMessageClass(method.input_type)()
    try:
        ParseDict(fields, request)
        if request_id and "request_id" in method.input_type.fields_by_name:
            request.request_id = request_id
    except (ParseError, ValueError, TypeError, RecursionError) as error:
        raise _bad_value(f"{method.name}: {_first_line(error)}") from error
    return Command(method, request)


def _check_names(method: MethodDescriptor, fields: dict[str, Any]) -> None:
    known = {name for field in method.input_type.fields for name in (field.name, field.json_name)}
    unknown = next((key for key in fields if key not in known), None)
    if unknown is not None:
        raise Refusal(
            "INVALID_ARGUMENT",
            "UNKNOWN_FIELD",
            f"{method.name} has no field {unknown[:80]!r}; it has: {shown_fields(method.input_type) or 'none'}",
        )


def shown_fields(message: Descriptor) -> str:
    """The names that a request's fields have in JSON."""
    return ", ".join(field.json_name for field in message.fields)


def success(node: str, id_: str | float | None, message: Message) -> bytes:
    """The answer of a command that went well."""
    return _answer(node, id_, {"ok": True, "data": to_json(message)})


def failure(node: str, id_: str | float | None, error: Refusal) -> bytes:
    """The answer of one that did not."""
    return _answer(node, id_, {"ok": False, "error": _told(error)})


def watch_item(node: str, id_: str | float | None, item: int, message: Any, *, skipped: int) -> bytes:
    """One message of a stream; `skipped`: those left out since the one before."""
    return _answer(node, id_, {"ok": True, "item": item, "skipped": skipped, "data": to_json(message)})


def watch_end(node: str, id_: str | float | None, *, items: int, why: str, error: Refusal | None = None) -> bytes:
    """The last word on a stream, after so many items. `why`: TIME, STREAM_ENDED or ERROR."""
    rest: dict[str, Any] = {"ok": error is None, "end": why, "items": items}
    return _answer(node, id_, rest if error is None else {**rest, "error": _told(error)})


def _told(error: Refusal) -> dict[str, str]:
    return {"code": error.code, "reason": error.reason, "message": error.message}


def _answer(node: str, id_: str | float | None, rest: dict[str, Any]) -> bytes:
    head: dict[str, Any] = {"node": node} if id_ is None else {"node": node, "id": id_}
    return dump({**head, **rest})


def to_json(message: Message) -> dict[str, Any]:
    """Protobuf's JSON mapping with defaults printed and doubles rounded to 3 decimals."""
    values: dict[str, Any] = _rounded(MessageToDict(message, always_print_fields_with_no_presence=True))
    return values


def dump(values: dict[str, Any]) -> bytes:
    """JSON as it goes out."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _bad_value(message: str) -> Refusal:
    return Refusal("INVALID_ARGUMENT", "BAD_VALUE", message)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
