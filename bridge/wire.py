"""The socket of an MQTT client, served by the event loop: no thread, and so no handing over between two.

Only connecting, which may wait for a name, a handshake or nobody at all, goes to a thread of its own for that long.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

TIDY_S = 1.0
"""How often the client looks whether it is time to ping, or too late for the answer."""


class Wire:
    """Drives a paho client, whose callbacks all come in the loop's thread."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._closed = asyncio.Event()
        client.on_socket_open = lambda _c, _u, sock: _no_delay(sock)
        client.on_socket_close = lambda _c, _u, sock: self._forget(sock)
        client.on_socket_register_write = lambda *_: self._write_soon()

    async def connect(self) -> None:
        """Connects and says hello; the broker's answer comes by the client's callback. Raises OSError, ValueError."""
        await asyncio.to_thread(self._client.reconnect)
        self._closed.clear()
        self._loop.add_reader(self._client.socket(), self._read)
        # A TLS server that wants no more to do with us has said why, and a write would only find it gone.
        self._read()
        self._write()

    async def serve(self) -> None:
        """Until the connection is closed, by whom ever."""
        while not self._closed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(TIDY_S):
                    await self._closed.wait()
            self._client.loop_misc()

    def _read(self) -> None:
        try:
            self._client.loop_read()
            # TLS may hold a packet that the socket no longer tells of.
            while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
                self._client.loop_read()
        except Exception:
            # paho does not find the beginning of the next packet again.
            log.exception("a packet of the broker cannot be read; connecting anew")
            self._client.disconnect()

    def _write_soon(self) -> None:
        """The client has something to send. Not at once: it may be within a callback, and more may follow."""
        if threading.get_ident() == self._loop_thread:
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._client.loop_write()
        sock = self._client.socket()
        if sock is None:
            return
        if self._client.want_write():
            self._loop.add_writer(sock, self._write)
        else:
            self._loop.remove_writer(sock)

    def _forget(self, sock: Any) -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        self._closed.set()


def _no_delay(sock: Any) -> None:
    """Without it every QoS 1 message waits 40 ms for Nagle's algorithm and the delayed acknowledgement."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
