"""herdlink call: any RPC of the contract, JSON in and JSON out."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from agent.cli._remote import add_target, find_method, send
from agent.core.errors import InvalidArgument

HELP = "Call an RPC of an agent with a JSON request; prints the answer as JSON."
EXAMPLE = """herdlink call SetInput '{"uri": "/srv/video/pen.mp4"}'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", help="e.g. GetNode, SetInput, Compute, WatchTracks")
    parser.add_argument("request", metavar="JSON", nargs="?", default="{}", help="the request; - reads it from stdin")
    add_target(parser)
    parser.add_argument("--timeout", type=float, default=None, metavar="S", help="give up after S seconds")


def run(args: argparse.Namespace) -> int:
    from google.protobuf.json_format import MessageToDict

    method = find_method(args.method)
    request = _parse(method, sys.stdin.read() if args.request == "-" else args.request)
    for answer in send(args.target, method, request, timeout_s=args.timeout):
        shown = MessageToDict(answer, always_print_fields_with_no_presence=True)
        print(json.dumps(shown, indent=None if method.server_streaming else 2, ensure_ascii=False), flush=True)
    return 0


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
