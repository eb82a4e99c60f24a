from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.commands import (
    PAYLOAD_LIMIT,
    BadEnvelope,
    Refusal,
    build,
    default_allow,
    failure,
    find_method,
    read_payload,
    split_envelope,
    success,
    to_json,
    unary_methods,
)
from herdlink.v1 import edge_pb2, record_pb2

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def refused(call: object, *args: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value


def test_every_unary_method_is_a_command_but_streams_and_acknowledgements_are_not() -> None:
    assert {"GetInput", "SetInput", "GetOutput", "SetOutput", "Compute", "GetSnapshot", "ListRecords"} <= set(
        default_allow()
    )
    assert "AckRecords" in unary_methods()
    assert "AckRecords" not in default_allow()
    assert not {"WatchJob", "WatchTracks", "WatchRecords", "ReadResult"} & set(unary_methods())


def test_an_unknown_and_a_forbidden_method_are_told_apart() -> None:
    assert refused(find_method, "Nonsense", default_allow()).code == "UNIMPLEMENTED"
    assert "GetInput" in refused(find_method, "Nonsense", default_allow()).message
    assert refused(find_method, "AckRecords", default_allow()).code == "PERMISSION_DENIED"


@given(st.binary(max_size=200))
def test_no_payload_breaks_the_reader(payload: bytes) -> None:
    try:
        assert isinstance(read_payload(payload), dict)
    except Refusal as refusal:
        assert refusal.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("payload", [b"NaN", b'{"a": Infinity}', b"[" * 100_000, b"[1]", b'"x"', b"{"])
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    assert refused(read_payload, payload).reason == "BAD_JSON"


def test_a_payload_that_is_too_large_is_refused_unread() -> None:
    refusal = refused(read_payload, b" " * (PAYLOAD_LIMIT + 1))
    assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE")


def test_the_envelope_stands_beside_the_request_in_both_spellings() -> None:
    envelope, fields = split_envelope({"id": 7, "replyTo": "a/b", "deadline_ms": 5, "requestId": "r", "stream": "x"})
    assert (envelope.id, envelope.reply_to, envelope.deadline_ms, envelope.request_id) == (7, "a/b", 5, "r")
    assert fields == {"stream": "x"}


@pytest.mark.parametrize(
    "values",
    [
        {"id": True}, {"id": []}, {"id": "x" * 257}, {"replyTo": 1}, {"requestId": 1},
        {"deadlineMs": 0}, {"deadlineMs": -1}, {"deadlineMs": "5"}, {"deadlineMs": True}, {"deadlineMs": 1e12},
    ],
)  # fmt: skip
def test_a_bad_envelope_is_refused(values: dict[str, object]) -> None:
    assert refused(split_envelope, values).code == "INVALID_ARGUMENT"


def test_a_bad_envelope_does_not_hide_whom_to_answer() -> None:
    refusal = refused(split_envelope, {"deadlineMs": 0, "id": 7, "replyTo": "a/b"})
    assert isinstance(refusal, BadEnvelope)
    assert (refusal.envelope.id, refusal.envelope.reply_to, refusal.envelope.deadline_ms) == (7, "a/b", None)


@pytest.mark.parametrize("payload", [b"", b" ", b"\r\n"])
def test_nothing_is_an_empty_request(payload: bytes) -> None:
    assert read_payload(payload) == {}


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(["stream", "uri", "wait"]), JSON, max_size=4))
def test_no_fields_break_the_builder(fields: dict[str, object]) -> None:
    for name in ("SetInput", "Compute", "SetStream"):
        try:
            build(unary_methods()[name], dict(fields), "")
        except Refusal as refusal:
            assert refusal.code == "INVALID_ARGUMENT"


def test_an_unknown_field_and_a_wrong_type_are_named() -> None:
    method = unary_methods()["SetInput"]
    assert "no field 'url'; it has: stream, uri, requestId" in refused(build, method, {"url": "x"}, "").message
    assert "uri" in refused(build, method, {"uri": 7}, "").message


def test_the_request_id_goes_where_there_is_a_place_for_it() -> None:
    assert build(unary_methods()["SetInput"], {"uri": "x"}, "r1").request.request_id == "r1"
    assert build(unary_methods()["GetInput"], {}, "r1").request == edge_pb2.GetInputRequest()


def test_answers_have_one_shape() -> None:
    done = json.loads(success("n1", "7", edge_pb2.GetInputResponse(uri="a.mp4")))
    assert done == {"node": "n1", "id": "7", "ok": True, "data": {"uri": "a.mp4"}}
    not_done = json.loads(failure("n1", None, Refusal("NOT_FOUND", "NO_JOB", "no job 7")))
    assert not_done == {
        "node": "n1",
        "ok": False,
        "error": {"code": "NOT_FOUND", "reason": "NO_JOB", "message": "no job 7"},
    }


def test_json_prints_defaults_and_rounds_doubles() -> None:
    shown = to_json(record_pb2.Summary(node="n1", count_mean=1.23456, view=record_pb2.VIEW_OK))
    assert (shown["countMean"], shown["count"], shown["view"]) == (1.235, 0, "VIEW_OK")
    assert "activity" not in shown, "what is not known is left out"
