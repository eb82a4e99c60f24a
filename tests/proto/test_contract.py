"""The rules of the contract, held to the descriptors that programs really load."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from herdlink.v1 import edge_pb2, record_pb2, track_pb2, types_pb2

PROTO = Path(__file__).parents[2] / "proto"
FILES: list[FileDescriptor] = [types_pb2.DESCRIPTOR, edge_pb2.DESCRIPTOR, track_pb2.DESCRIPTOR, record_pb2.DESCRIPTOR]
LONG = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
    FieldDescriptor.TYPE_FLOAT,
}


def messages() -> Iterator[Descriptor]:
    waiting = [message for file in FILES for message in file.message_types_by_name.values()]
    while waiting:
        message = waiting.pop()
        waiting += message.nested_types
        yield message


def fields() -> list[FieldDescriptor]:
    return [field for message in messages() for field in message.fields]


def methods() -> list[tuple[str, str, str]]:
    services = [service for file in FILES for service in file.services_by_name.values()]
    return [(m.name, m.input_type.name, m.output_type.name) for service in services for m in service.methods]


def test_integers_have_at_most_32_bits_and_fractions_are_doubles() -> None:
    assert [field.full_name for field in fields() if field.type in LONG] == []
    assert len(fields()) > 150


def test_each_method_has_a_request_and_a_response_of_its_own() -> None:
    assert [m for m in methods() if (m[1], m[2]) != (f"{m[0]}Request", f"{m[0]}Response")] == []


def test_method_names_are_unique_over_all_services() -> None:
    names = [name for name, _, _ in methods()]
    assert len(names) == len(set(names)) >= 20


def test_no_request_field_takes_a_word_of_the_mqtt_envelope() -> None:
    for message in messages():
        if not message.name.endswith("Request"):
            continue
        names = {field.name for field in message.fields}
        assert not names & {"id", "reply_to", "deadline_ms"}, message.name
        if "request_id" in names:
            field = message.fields_by_name["request_id"]
            assert field.type == FieldDescriptor.TYPE_STRING


def test_requests_that_change_something_carry_a_request_id() -> None:
    changing = {"SetInput", "SetOutput", "Compute", "CancelJob", "SetStream", "DeleteStream", "SetScene"}
    having = {
        name
        for name, _, _ in methods()
        if "request_id" in getattr(edge_pb2, f"{name}Request", edge_pb2.GetNodeRequest).DESCRIPTOR.fields_by_name
    }
    assert having == changing


def test_durations_say_seconds() -> None:
    assert [f.full_name for f in fields() if f.name.endswith(("_seconds", "_sec", "_duration"))] == []


def test_enum_values_carry_their_prefix() -> None:
    enums = [enum for file in FILES for enum in file.enum_types_by_name.values()]
    enums += [enum for message in messages() for enum in message.enum_types]
    assert {enum.name for enum in enums} >= {"JobState", "View", "RecordKind"}
    for enum in enums:
        words = "".join(f"_{c}" if c.isupper() else c for c in enum.name).upper().strip("_")
        assert all(value.name.startswith(words + "_") for value in enum.values), enum.name


def test_the_event_type_keeps_its_name_in_json() -> None:
    assert record_pb2.Event.DESCRIPTOR.fields_by_name["event_type"].json_name == "event_type"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorSet:
    """What the .proto files say now, compiled by buf."""
    image = tmp_path_factory.mktemp("buf") / "image.binpb"
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    subprocess.run([buf, "build", "--as-file-descriptor-set", "-o", str(image)], cwd=PROTO, check=True)
    return FileDescriptorSet.FromString(image.read_bytes())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_committed_stubs_are_not_stale(file: FileDescriptor, built: FileDescriptorSet) -> None:
    committed = FileDescriptorProto.FromString(file.serialized_pb)
    now = FileDescriptorProto()
    now.CopyFrom(next(each for each in built.file if each.name == file.name))
    now.ClearField("source_code_info")
    for message in _all_messages(now):
        for field in message.field:
            # buf writes every json_name, protoc's Python output only those that were chosen.
            if field.json_name == _lower_camel(field.name):
                field.ClearField("json_name")
    assert committed == now, f"{file.name} was changed; run `make proto`"


def test_the_descriptor_set_is_not_stale_and_complete(built: FileDescriptorSet) -> None:
    committed = FileDescriptorSet.FromString((PROTO / "herdlink" / "v1" / "herdlink.binpb").read_bytes())
    assert [file.name for file in committed.file] == [file.name for file in built.file]
    assert "google/protobuf/timestamp.proto" in [file.name for file in committed.file]
    for has, now in zip(committed.file, built.file, strict=True):
        if has.name.startswith("herdlink/"):
            assert _comments(has) == _comments(now), f"the comments of {has.name} were changed; run `make proto`"
        has.ClearField("source_code_info")
        now.ClearField("source_code_info")
        assert has == now, f"{has.name} was changed; run `make proto`"


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    places = file.source_code_info.location
    return {tuple(place.path): place.leading_comments for place in places if place.leading_comments}


def test_every_method_stands_in_the_committed_service_stubs() -> None:
    for file in FILES:
        for service in file.services_by_name.values():
            stub = (PROTO / file.name.replace(".proto", "_pb2_grpc.py")).read_text()
            typed = (PROTO / file.name.replace(".proto", "_pb2_grpc.pyi")).read_text()
            for method in service.methods:
                assert f"/{service.full_name}/{method.name}'" in stub
                assert f"    def {method.name}(" in typed


def test_everything_in_the_contract_is_explained() -> None:
    for name in ("edge", "track", "record"):
        lines = (PROTO / "herdlink" / "v1" / f"{name}.proto").read_text().splitlines()
        bare = [line for above, line in pairwise(lines) if line.startswith("  rpc ") and "//" not in above]
        assert bare == []


def _all_messages(file: FileDescriptorProto) -> Iterator:  # type: ignore[type-arg]
    waiting = list(file.message_type)
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        yield message


def _lower_camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
