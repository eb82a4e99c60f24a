"""The comments of proto/herdlink/v1, which the generated code has lost: read from the .proto files beside it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor

from herdlink.v1 import edge_pb2

_OPENS = re.compile(r"(service|message|enum|oneof)\s+(\w+)\s*\{(\s*\})?")
_RPC = re.compile(r"rpc\s+(\w+)")
_FIELD = re.compile(r"(?:optional\s+|repeated\s+)?[\w.<>, ]+?\s+(\w+)\s*=\s*\d+")
_WORDS = {
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_BOOL: "true or false",
    FieldDescriptor.TYPE_DOUBLE: "number",
    FieldDescriptor.TYPE_FLOAT: "number",
    FieldDescriptor.TYPE_INT32: "whole number",
    FieldDescriptor.TYPE_UINT32: "whole number",
    FieldDescriptor.TYPE_BYTES: "base64",
}


@functools.cache
def comments() -> Mapping[str, str]:
    """The comment above each RPC ("SetInput") and each field ("SetInputRequest.uri"); none where the files are not."""
    found: dict[str, str] = {}
    for file in sorted(Path(edge_pb2.__file__).parent.glob("*.proto")):
        found.update(_read(file.read_text("utf-8")))
    return found


def type_in_words(field: FieldDescriptor) -> str:
    """What a field takes in JSON."""
    if field.enum_type is not None:
        word = " or ".join(value.name for value in field.enum_type.values if value.number)
    elif field.message_type is not None:
        word = field.message_type.name
    else:
        word = _WORDS.get(field.type, "value")
    return f"list of {word}s" if field.is_repeated else word


def _read(text: str) -> dict[str, str]:
    """The comments of one file, by a walk over its lines; our contract has one thing a line."""
    found: dict[str, str] = {}
    above: list[str] = []
    inside: list[str] = []
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("//"):
            above.append(line.removeprefix("//").strip())
            continue
        opened, rpc, field = _OPENS.match(line), _RPC.match(line), _FIELD.match(line)
        if rpc:
            found[rpc[1]] = " ".join(above)
        elif opened and not opened[3]:
            # A oneof's fields are those of its message.
            inside.append(inside[-1] if opened[1] == "oneof" else opened[2])
        elif line.startswith("}") and inside:
            inside.pop()
        elif field and inside:
            found[f"{inside[-1]}.{field[1]}"] = " ".join(above)
        above = []
    return {key: words for key, words in found.items() if words}
