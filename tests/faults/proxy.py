"""A cable between a client and a broker that can be cut: nothing comes through, and neither side is told."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress


class Cable:
    """Forwards connections on `port` to a port of this machine."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._cut = threading.Event()
        self._ended = threading.Event()
        self._other: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def cut(self) -> None:
        self._cut.set()

    def mend(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for end in tuple(self._other):
            self._drop(end)
        self._listener.close()
        self._selector.close()

    def _work(self) -> None:
        while not self._ended.is_set():
            if self._cut.is_set():
                # What is sent meanwhile lies in the sockets, as with a network that loses packets for a while.
                self._ended.wait(0.05)
                continue
            for key, _ in self._selector.select(0.1):
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._listener:
                    self._accept()
                elif end in self._other:
                    self._forward(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            broker = socket.create_connection(("127.0.0.1", self._to), 1)
        except OSError:
            client.close()
            return
        for end, other in ((client, broker), (broker, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(True)
            end.settimeout(5)
            self._other[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> None:
        try:
            sent = end.recv(65536)
            if sent:
                self._other[end].sendall(sent)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._other.pop(end, None)
        for one in (end, other):
            if one is not None:
                self._other.pop(one, None)
                with suppress(KeyError, ValueError):
                    self._selector.unregister(one)
                one.close()
