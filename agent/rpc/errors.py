"""Errors to gRPC status, at the one border: the table, and what applies it to every call."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from agent.core.errors import HerdlinkError, InvalidArgument, ResourceExhausted, Unimplemented
from agent.core.names import shorten
from agent.rpc.node import MESSAGE_BYTES

DOMAIN = "herdlink"
DETAILS_KEY = "grpc-status-details-bin"

log = logging.getLogger(__name__)


class Guarded(grpc.GenericRpcHandler):
    """The methods of services, with HerdlinkError turned into its status with ErrorInfo, and any other exception into
    INTERNAL with an error id. Stands in a server's place for the generated `add_..Servicer_to_server`.

    Each is wrapped once: an interceptor would do it at every call, for a sixth of its time.
    """

    def __init__(self) -> None:
        self._methods: dict[str, Any] = {}

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self._methods |= {f"/{service}/{name}": _guard(handler) for name, handler in handlers.items()}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """The same methods once more, in another form."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The method that is called; of our package one that refuses, where there is none."""
        name = handler_call_details.method
        handler = self._methods.get(name)
        if handler is None and name.startswith("/herdlink."):
            return grpc.unary_unary_rpc_method_handler(_no_such_method(name))
        return handler


def _guard(handler: Any) -> Any:
    read = _reader(handler.request_deserializer)
    if handler.response_streaming:
        method = _guard_stream(handler.unary_stream)
        return grpc.unary_stream_rpc_method_handler(method, read, handler.response_serializer)
    return grpc.unary_unary_rpc_method_handler(_guard_unary(handler.unary_unary), read, handler.response_serializer)


def _no_such_method(name: str) -> Any:
    async def refuse(_request: Any, context: Any) -> NoReturn:
        message = f"this agent has no method {shorten(name)!r}; reflection tells which there are, GetNode its version"
        await _abort(context, Unimplemented("UNKNOWN_METHOD", message))

    return refuse


def _reader(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Reads a request; what cannot be taken becomes an error to be told, in its place."""

    def read(data: bytes) -> Any:
        if len(data) > MESSAGE_BYTES:
            return ResourceExhausted(
                "MESSAGE_TOO_LARGE", f"a request has at most {MESSAGE_BYTES} bytes; this one has {len(data)}"
            )
        try:
            return deserialize(data)
        except DecodeError:
            return InvalidArgument("BAD_MESSAGE", "the request is no message of this method; see its .proto")

    return read


def _guard_unary(method: Any) -> Any:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            if isinstance(request, HerdlinkError):
                raise request
            return await method(request, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001 - turned into a status
            await _abort(context, error)

    return guarded


def _guard_stream(method: Any) -> Any:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            if isinstance(request, HerdlinkError):
                raise request
            async for response in method(request, context):
                yield response
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001 - turned into a status
            await _abort(context, error)

    return guarded


async def _abort(context: Any, error: Exception) -> NoReturn:
    code, reason, message = _explain(error)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)
    packed = AnyMessage()
    packed.Pack(info)
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message, details=[packed])
    await context.abort(
        getattr(grpc.StatusCode, code), message, trailing_metadata=((DETAILS_KEY, status.SerializeToString()),)
    )
    raise AssertionError("abort returned")


def _explain(error: Exception) -> tuple[str, str, str]:
    """(status word, reason, sentence)"""
    if isinstance(error, HerdlinkError):
        return error.code, error.reason, error.message
    error_id = secrets.token_hex(4)
    log.error("error %s", error_id, exc_info=error)
    return "INTERNAL", "BUG", f"the agent has failed (error {error_id}); its log says more; please report it"
