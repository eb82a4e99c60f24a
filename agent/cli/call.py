"""herdlink call: any RPC of the contract, JSON in and JSON out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from agent.core.errors import HerdlinkError, InvalidArgument, NotFound, Unavailable

HELP = "Call an RPC of an agent with a JSON request; prints the answer as JSON."
EXAMPLE = """herdlink call SetInput '{"uri": "/srv/video/pen.mp4"}'"""
SOCKET = Path("/run/herdlink/agent.sock")
DEFAULT_PORT = "127.0.0.1:50051"
MESSAGE_BYTES = 64 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", help="e.g. GetNode, SetInput, Compute, WatchTracks")
    parser.add_argument("request", metavar="JSON", nargs="?", default="{}", help="the request; - reads it from stdin")
    add_target(parser)
    parser.add_argument("--timeout", type=float, default=None, metavar="S", help="give up after S seconds")


def add_target(parser: argparse.ArgumentParser) -> None:
    """The --target that every command has which talks to an agent."""
    parser.add_argument(
        "--target",
        default=os.environ.get("HERDLINK_TARGET", ""),
        help=f"host:port or unix:PATH; default $HERDLINK_TARGET, else {SOCKET}, else {DEFAULT_PORT}",
    )


def run(args: argparse.Namespace) -> int:
    from google.protobuf.json_format import MessageToDict

    method = _find(args.method)
    request = _parse(method, sys.stdin.read() if args.request == "-" else args.request)
    for answer in invoke(args.target, method, request, timeout_s=args.timeout):
        shown = MessageToDict(answer, always_print_fields_with_no_presence=True)
        print(json.dumps(shown, indent=None if method.server_streaming else 2, ensure_ascii=False), flush=True)
    return 0


def invoke(target: str, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
    """Yields the answers of one call. Raises the HerdlinkError that the agent's status stands for."""
    import grpc
    from google.protobuf.message_factory import GetMessageClass

    path = f"/{method.containing_service.full_name}/{method.name}"
    options = (("grpc.max_receive_message_length", MESSAGE_BYTES),)
    with grpc.insecure_channel(target or default_target(), options=options) as channel:
        kind = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = kind(
            path,
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            answer: Any = call(request, timeout=timeout_s)
            yield from answer if method.server_streaming else [answer]
        except grpc.RpcError as error:
            raise _told(error, target or default_target()) from error


def default_target() -> str:
    """The local agent: its socket where there is one, else its port."""
    return f"unix:{SOCKET}" if SOCKET.exists() else DEFAULT_PORT


class RemoteError(HerdlinkError):
    """What the agent answered."""

    code = "UNKNOWN"


def _told(error: Any, target: str) -> HerdlinkError:
    code, details = error.code().name, error.details() or ""
    if code == "UNAVAILABLE" and "herdlink" not in str(error.trailing_metadata()):
        return Unavailable("AGENT_UNREACHABLE", f"no agent answers on {target}; start herdlink-agent or give --target")
    return RemoteError(code, f"{code}: {details}")


def _find(name: str) -> Any:
    from herdlink.v1 import edge_pb2, record_pb2, track_pb2

    services = [
        service for file in (edge_pb2, track_pb2, record_pb2) for service in file.DESCRIPTOR.services_by_name.values()
    ]
    methods = {method.name: method for service in services for method in service.methods}
    if name not in methods:
        raise NotFound("NO_METHOD", f"no method {name!r}; there are: {', '.join(sorted(methods))}")
    return methods[name]


def _parse(method: Any, text: str) -> Any:
    from google.protobuf.json_format import ParseDict, ParseError
    from google.protobuf.message_factory import GetMessageClass

    try:
        values = json.loads(text or "{}")
        if not isinstance(values, dict):
            raise InvalidArgument("BAD_JSON", 'the request is a JSON object, e.g. \'{"stream": "main"}\'')
        return ParseDict(values, GetMessageClass(method.input_type)())
    except json.JSONDecodeError as error:
        raise InvalidArgument("BAD_JSON", f"the request is not JSON: {error}") from error
    except ParseError as error:
        known = ", ".join(field.json_name for field in method.input_type.fields) or "none"
        raise InvalidArgument("BAD_REQUEST", f"{method.name}: {error}; its fields: {known}") from error
