"""The way to an agent: unary calls with a deadline, and streams."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from bridge.core.commands import Refusal

MESSAGE_BYTES = 16 * 1024 * 1024
OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
DETAILS_KEY = "grpc-status-details-bin"
CALLER_KEY = "herdlink-caller"
CALLER_BYTES = 1024
"""A longer one is known by its hash: gRPC takes some 8 KiB of metadata in all."""


class AgentLink:
    """A channel to one agent; it connects by itself, and again after a loss."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._channel = grpc.aio.insecure_channel(target, options=OPTIONS)

    async def close(self) -> None:
        await self._channel.close()

    async def call(self, method: MethodDescriptor, request: Message, *, timeout_s: float, caller: str = "") -> Message:
        """The answer. Raises Refusal with the agent's own words."""
        unary = _callable(self._channel.unary_unary, method)
        try:
            message: Message = await unary(request, timeout=timeout_s, metadata=_metadata(caller))
        except grpc.aio.AioRpcError as error:
            raise self._refusal(error) from error
        return message

    async def call_and_wait(
        self,
        method: MethodDescriptor,
        request: Message,
        *,
        timeout_s: float | None,
        caller: str,
        on_begun: Callable[[], None],
    ) -> Message:
        """The answer, by default however long it takes; `on_begun` is called when the agent has begun. Raises Refusal.

        The agent then sends its initial metadata. grpc.aio tells that of a unary call only at the end, so the call is
        made as one that streams its single answer, which is the same on the wire.
        """
        call: Any = _callable(self._channel.unary_stream, method)(
            request, timeout=timeout_s, metadata=_metadata(caller)
        )
        await call.initial_metadata()
        on_begun()
        answers: list[Message] = [message async for message in self._read(call)]
        return answers[0]

    async def watch(self, method: MethodDescriptor, request: Message) -> AsyncIterator[Any]:
        """The messages of a stream until it ends. Raises Refusal."""
        async for message in self._read(_callable(self._channel.unary_stream, method)(request)):
            yield message

    async def _read(self, call: Any) -> AsyncIterator[Any]:
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: grpc.aio.AioRpcError) -> Refusal:
        code, message = error.code().name, error.details() or ""
        reason = _reason(error)
        if reason:
            return Refusal(code, reason, message)
        if code == "UNAVAILABLE":
            text = f"the agent does not answer on {self.target}; see whether herdlink-agent runs, and try again"
            return Refusal(code, "AGENT_UNREACHABLE", text)
        if code == "DEADLINE_EXCEEDED":
            return Refusal(code, "DEADLINE_EXCEEDED", "the agent did not answer in time; try again or raise deadlineMs")
        if code == "UNIMPLEMENTED":
            return Refusal(code, "UNKNOWN_METHOD", "the agent does not know this method; is it older than the bridge?")
        return Refusal(code, code, message)


def _callable(kind: Any, method: MethodDescriptor) -> Any:
    """A way to call a method, made of its descriptor."""
    return kind(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=GetMessageClass(method.input_type).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )


def _metadata(caller: str) -> tuple[tuple[str, str], ...]:
    """Who calls, as gRPC metadata may carry it; different texts stay different."""
    text = caller.encode("ascii", "backslashreplace")
    if len(text) > CALLER_BYTES:
        text = hashlib.sha256(text).hexdigest().encode()
    return ((CALLER_KEY, text.decode()),) if caller else ()


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in the status's ErrorInfo; empty where it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""
