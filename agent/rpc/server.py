"""The gRPC server: Unix sockets and this machine's own addresses, with health and reflection."""

from __future__ import annotations

import ipaddress
import logging
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from agent.core.errors import FailedPrecondition, InvalidArgument
from agent.rpc.edge import EdgeService
from agent.rpc.errors import Guarded
from agent.rpc.node import MESSAGE_BYTES
from agent.rpc.record import RecordService
from agent.rpc.track import TrackService
from herdlink.v1 import edge_pb2, edge_pb2_grpc, record_pb2, record_pb2_grpc, track_pb2, track_pb2_grpc

SERVICES = (
    edge_pb2.DESCRIPTOR.services_by_name["EdgeService"].full_name,
    track_pb2.DESCRIPTOR.services_by_name["TrackService"].full_name,
    record_pb2.DESCRIPTOR.services_by_name["RecordService"].full_name,
)
OPTIONS = (
    ("grpc.so_reuseport", 0),
    # Twice what is taken (rpc/errors.py), so that who sends a little too much is told so in our words.
    ("grpc.max_receive_message_length", 2 * MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)
GRACE_S = 2.0


class Server:
    """Listens once it is started."""

    def __init__(self, *, edge: EdgeService, track: TrackService, record: RecordService) -> None:
        self._server = grpc.aio.server(options=OPTIONS)
        guarded: Any = Guarded()
        edge_pb2_grpc.add_EdgeServiceServicer_to_server(edge, guarded)
        track_pb2_grpc.add_TrackServiceServicer_to_server(track, guarded)
        record_pb2_grpc.add_RecordServiceServicer_to_server(record, guarded)
        self._server.add_generic_rpc_handlers((guarded,))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        _enable_reflection(self._server)
        logging.getLogger("grpc._cython.cygrpc").addFilter(_is_worth_a_line)

    def bind(self, listen: Sequence[str], *, insecure: bool) -> list[str]:
        """Takes every address; returns them as bound. Raises HerdlinkError where one cannot be had."""
        return [self._bind(address, insecure=insecure) for address in listen]

    async def start(self) -> None:
        """Answers from now on."""
        await self._server.start()
        await self.set_serving(True)

    async def set_serving(self, serving: bool) -> None:
        """What grpc.health.v1 says: NOT_SERVING while the node cannot do its work."""
        status = health_pb2.HealthCheckResponse
        for service in ("", *SERVICES):
            await self._health.set(service, status.SERVING if serving else status.NOT_SERVING)

    async def stop(self) -> None:
        """Says so to the health watchers, gives calls a moment and ends."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(GRACE_S)

    def _bind(self, address: str, *, insecure: bool) -> str:
        check_listen(address, insecure=insecure)
        if address.startswith("unix:"):
            return self._bind_unix(_socket_path(address))
        try:
            number = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise _taken(address) from error
        return f"{address.rpartition(':')[0]}:{number}"

    def _bind_unix(self, path: Path) -> str:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                _remove_stale(path)
            self._server.add_insecure_port(f"unix:{path}")
            path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise FailedPrecondition("CANNOT_LISTEN", f"the socket {path} cannot be made: {reason}") from error
        return f"unix:{path}"


def check_listen(address: str, *, insecure: bool) -> None:
    """Raises InvalidArgument: BAD_LISTEN, INSECURE_LISTEN for what would open the node to a network."""
    if address.startswith("unix:"):
        path = _socket_path(address)
        if len(str(path).encode()) > 100:
            raise InvalidArgument("BAD_LISTEN", f"the socket's path {path} is too long for Unix (100 bytes)")
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidArgument("BAD_LISTEN", f"rpc.listen has host:port and unix:/path; {address!r} is neither")
    if not insecure and not _is_own(host):
        raise InvalidArgument(
            "INSECURE_LISTEN",
            f"rpc.listen {address} would let anyone on the network command this node; "
            "listen on 127.0.0.1, or set rpc.insecure = true where the network is trusted",
        )


def _socket_path(address: str) -> Path:
    return Path(address.removeprefix("unix:").removeprefix("//"))


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not the traceback that grpc has for every stream whose reader goes away in the middle of a write: no error."""
    return not str(record.msg).startswith("ExecuteBatchError raised in core")


def _remove_stale(path: Path) -> None:
    """Removes a socket that nobody serves any more; gRPC itself would take it over from a living agent."""
    if not path.is_socket():
        raise FailedPrecondition("CANNOT_LISTEN", f"{path} is there and no socket; move it or change rpc.listen")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise _taken(f"unix:{path}")


def _taken(address: str) -> FailedPrecondition:
    return FailedPrecondition(
        "CANNOT_LISTEN", f"{address} is taken; stop the agent that runs there or change rpc.listen"
    )


def _is_own(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _enable_reflection(server: grpc.aio.Server) -> None:
    """Reflection as v1alpha, which grpcio has, and under the name of v1, which newer clients ask for first.

    The two differ in their package's name alone.
    """
    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    servicer = reflection.aio.ReflectionServicer(names)
    method = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for version in ("v1alpha", "v1"):
        service = f"grpc.reflection.{version}.ServerReflection"
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": method}),)
        )
