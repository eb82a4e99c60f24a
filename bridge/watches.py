"""Live streams over MQTT, bounded: so many items a second, for so long, so many at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import commands
from bridge.core.commands import Command, Refusal, Watch

AT_A_TIME = 4


class Watches:
    """Those of one node."""

    def __init__(self, *, link: AgentLink, node: str) -> None:
        self._link = link
        self._node = node
        self._open = 0

    async def follow(
        self,
        command: Command,
        watch: Watch,
        *,
        broker: Broker,
        topic: str,
        id_: str | float | None,
        correlation: bytes,
        on_begun: Callable[[], None],
    ) -> tuple[bytes, str]:
        """Publishes numbered items until the time is over or the agent ends. The end marker and its status word.

        Raises Refusal (TOO_MANY_WATCHES) before anything is published.
        """
        if self._open >= AT_A_TIME:
            raise Refusal(
                "RESOURCE_EXHAUSTED",
                "TOO_MANY_WATCHES",
                f"{AT_A_TIME} watches are open on this node; try again when one has ended",
            )
        self._open += 1
        teller = _Teller(broker, topic, correlation, self._node, id_, watch)
        try:
            on_begun()
            async with asyncio.timeout(watch.for_s):
                async for message in self._link.watch(command.method, command.request):
                    await teller.tell(message)
        except TimeoutError:
            return commands.watch_end(self._node, id_, items=teller.items, why="TIME"), "OK"
        except Refusal as refusal:
            return commands.watch_end(self._node, id_, items=teller.items, why="ERROR", error=refusal), refusal.code
        finally:
            self._open -= 1
        return commands.watch_end(self._node, id_, items=teller.items, why="STREAM_ENDED"), "OK"


class _Teller:
    """Publishes the newest message now and then, and leaves the others out."""

    def __init__(
        self, broker: Broker, topic: str, correlation: bytes, node: str, id_: str | float | None, watch: Watch
    ) -> None:
        self.items = 0
        self._broker, self._topic, self._correlation = broker, topic, correlation
        self._node, self._id = node, id_
        self._pause_s = 1 / watch.max_per_s
        self._next = 0.0
        self._skipped = 0

    async def tell(self, message: object) -> None:
        now = time.monotonic()
        # A live view that waits for the broker would show the past.
        if now < self._next or not self._broker.connected.is_set():
            self._skipped += 1
            return
        self._next = max(self._next + self._pause_s, now)
        payload = commands.watch_item(self._node, self._id, self.items + 1, message, skipped=self._skipped)
        try:
            await self._broker.publish(self._topic, payload, qos=0, correlation=self._correlation)
        except TooLarge:
            self._skipped += 1
            return
        self.items, self._skipped = self.items + 1, 0
