"""The desk where commands are handed in: each gets an answer, and only then is the broker told that it is done.

Commands of one stream form a line and are carried out in the order they came; different streams go side by side. A
command that waits for a job steps out of its line once the job is started, so that CancelJob can pass.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import Message

from bridge.agents import AgentLink
from bridge.broker import Broker, TooLarge
from bridge.core import commands
from bridge.core.arrival import Arrival
from bridge.core.commands import BadEnvelope, Command, Envelope, Refusal, Watch
from bridge.core.topics import Topics
from bridge.settings import CommandSettings
from bridge.watches import Watches

log = logging.getLogger(__name__)

DEADLINE_S = 10.0
OPEN_LIMIT = 1000
REMEMBERED = 1000
"""So many answered commands are known again when they are delivered once more..."""
REMEMBERED_BYTES = 4 * 1024 * 1024
"""... or fewer, where their answers are long."""
OUT_OF_LINE = ("GetSnapshot",)

Done = Callable[[Command, Message], Awaitable[None]]


@dataclass(slots=True)
class _Case:
    """One command from its arrival to its acknowledgement."""

    key: tuple[int, bytes]
    arrival: Arrival
    """The newest delivery of it, without its payload."""
    payload: bytes
    """Until it is read."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """The line may go on."""
    envelope: Envelope = field(default_factory=Envelope)
    answer: tuple[bytes, str] | None = None
    """(payload, status word) once it is out."""
    acknowledged: Arrival | None = None
    """The delivery that the broker was told to be done."""

    @property
    def size(self) -> int:
        """Bytes of what is of any length, once it is answered."""
        words = (self.arrival.topic, self.arrival.response_topic, self.arrival.correlation)
        return len(self.answer[0] if self.answer else b"") + sum(map(len, words))


class Desk:
    """Takes what arrives on the command topics of one node."""

    def __init__(self, *, link: AgentLink, topics: Topics, settings: CommandSettings, on_done: Done) -> None:
        self.broker: Broker
        self._link = link
        self._topics = topics
        self._settings = settings
        self._on_done = on_done
        self._watches = Watches(link=link, node=topics.node)
        self._cases: dict[tuple[int, bytes], _Case] = {}
        self._answered: deque[_Case] = deque()
        self._answered_bytes = 0
        self._tails: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, arrival: Arrival) -> None:
        """Begins with a command; never waits and never fails."""
        key = (arrival.packet_id, hashlib.sha256(arrival.topic.encode() + b"\0" + arrival.payload).digest())
        payload, arrival = arrival.payload, replace(arrival, payload=b"")
        known = self._cases.get(key)
        if known and arrival.redelivered and known.arrival.generation < arrival.generation:
            self._join(known, arrival)
            return
        case = self._cases[key] = _Case(key, arrival, payload)
        self._spawn(self._serve(case))

    async def close(self) -> None:
        """Leaves the commands that are under way; the broker delivers them again to the next bridge."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _join(self, case: _Case, arrival: Arrival) -> None:
        """A redelivery: what is under way answers for it, what was answered is answered again."""
        case.arrival = arrival
        if case.answer is not None:
            self._spawn(self._send(case, *case.answer))

    def _remember(self, case: _Case) -> None:
        """Keeps an answered command in mind, and forgets the oldest such."""
        self._answered.append(case)
        self._answered_bytes += case.size
        while len(self._answered) > REMEMBERED or self._answered_bytes > REMEMBERED_BYTES:
            old = self._answered.popleft()
            self._answered_bytes -= old.size
            if self._cases.get(old.key) is old:
                del self._cases[old.key]

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name="command")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- one command ----------------------------------------------------------------------------------------------

    async def _serve(self, case: _Case) -> None:
        try:
            command, watch = self._read(case)
            if command.method.server_streaming:
                payload, status = await self._watch(case, command, watch)
            else:
                message = await self._carry_out(case, command)
                payload, status = commands.success(self._topics.node, case.envelope.id, message), "OK"
        except Refusal as refused:
            payload, status = commands.failure(self._topics.node, case.envelope.id, refused), refused.code
        except Exception:
            log.exception("a command on %s failed in the bridge", case.arrival.topic)
            bug = Refusal("INTERNAL", "BUG", "the bridge has failed; its log says more; please report it")
            payload, status = commands.failure(self._topics.node, case.envelope.id, bug), bug.code
        await self._send(case, payload, status)

    def _read(self, case: _Case) -> tuple[Command, Watch]:
        """The command in a message, and how much of its stream is wanted, where it has one. Raises Refusal."""
        arrival = case.arrival
        name = self._topics.method(arrival.topic)
        payload, case.payload = case.payload, b""
        values = commands.read_payload(payload)
        try:
            case.envelope, fields = commands.split_envelope(values)
        except BadEnvelope as bad:
            case.envelope = bad.envelope
            raise
        if arrival.retained:
            raise Refusal(
                "FAILED_PRECONDITION",
                "RETAINED_COMMAND",
                "a retained command would be carried out at every reconnect; publish it without retain, "
                f"and clear this one: mosquitto_pub -r -n -t {arrival.topic}",
            )
        method = commands.find_method(name, self._settings.allow)
        if len(self._tasks) > OPEN_LIMIT:
            raise Refusal("RESOURCE_EXHAUSTED", "TOO_MANY_COMMANDS", f"{OPEN_LIMIT} commands are open; try again later")
        self._check_reply_topic(case)
        watch, fields = commands.split_watch(fields) if method.server_streaming else (Watch(), fields)
        return commands.build(method, fields, self._request_id(case)), watch

    def _check_reply_topic(self, case: _Case) -> None:
        wanted = case.arrival.response_topic or case.envelope.reply_to
        if wanted and not self._topics.may_reply_to(wanted, self._settings.reply_prefixes):
            raise Refusal(
                "PERMISSION_DENIED",
                "REPLY_TOPIC_FORBIDDEN",
                f"answers go below {self._topics.base}/client/ or a prefix in commands.reply_prefixes, "
                f"not to {wanted[:120]!r}",
            )

    def _request_id(self, case: _Case) -> str:
        """The one that was given; else correlation data that is long enough to be unique, with its response topic."""
        correlation = case.arrival.correlation
        if case.envelope.request_id or not case.arrival.response_topic or len(correlation) < commands.REQUEST_ID_BYTES:
            return case.envelope.request_id
        return correlation.hex() if len(correlation) <= 64 else hashlib.sha256(correlation).hexdigest()

    async def _carry_out(self, case: _Case, command: Command) -> Message:
        line = _line(command)
        if line is not None:
            before, self._tails[line] = self._tails.get(line), case.started
        try:
            if line is not None and before is not None:
                await before.wait()
            message = await self._call(case, command)
        finally:
            case.started.set()
            if line is not None and self._tails.get(line) is case.started:
                del self._tails[line]
        await self._on_done(command, message)
        return message

    async def _watch(self, case: _Case, command: Command, watch: Watch) -> tuple[bytes, str]:
        """The end marker of a stream, once its items are out; it stands in no line."""
        if self._deadline(case) <= time.monotonic():
            raise _expired()
        return await self._watches.follow(
            command,
            watch,
            broker=self.broker,
            topic=self._reply_topic(case),
            id_=case.envelope.id,
            correlation=case.arrival.correlation,
            on_begun=lambda: self._begun(case),
        )

    async def _call(self, case: _Case, command: Command) -> Message:
        arrival = case.arrival
        caller = f"mqtt:{arrival.response_topic or case.envelope.reply_to}"
        left_s = self._deadline(case) - time.monotonic()
        if left_s <= 0:
            raise _expired()
        if getattr(command.request, "wait", False):
            return await self._link.call_and_wait(
                command.method,
                command.request,
                # Only a deadline that was named: a job may take hours, and an expiry is for its start.
                timeout_s=left_s if case.envelope.deadline_ms else None,
                caller=caller,
                on_begun=lambda: self._begun(case),
            )
        return await self._link.call(command.method, command.request, timeout_s=left_s, caller=caller)

    def _begun(self, case: _Case) -> None:
        """The job, or the watch, is started: the line goes on, and the broker's window is free for other commands."""
        case.started.set()
        self._acknowledge(case)

    def _deadline(self, case: _Case) -> float:
        """When the command must be done, by the steady clock."""
        limits = [case.envelope.deadline_ms / 1000] if case.envelope.deadline_ms else []
        limits += [case.arrival.expiry_s] if case.arrival.expiry_s is not None else []
        return case.arrival.received + (min(limits) if limits else DEADLINE_S)

    async def _send(self, case: _Case, payload: bytes, status: str) -> None:
        """Publishes the answer; when the broker has it, the command is acknowledged."""
        first, case.answer = case.answer is None, (payload, status)
        try:
            await self._publish(case, payload, status)
        except TooLarge as error:
            text = f"the answer has {error}; ask for less"
            refusal = Refusal("RESOURCE_EXHAUSTED", "ANSWER_TOO_LARGE", text)
            short = commands.failure(self._topics.node, case.envelope.id, refusal)
            case.answer = (short, refusal.code)
            try:
                await self._publish(case, short, refusal.code)
            except TooLarge:
                log.error("a command on %s gets no answer: its correlation data alone is too large", case.arrival.topic)
        self._acknowledge(case)
        if first:
            self._remember(case)

    async def _publish(self, case: _Case, payload: bytes, status: str) -> None:
        await (
            await self.broker.publish(
                self._reply_topic(case), payload, correlation=case.arrival.correlation, user=(("status", status),)
            )
        )

    def _reply_topic(self, case: _Case) -> str:
        wanted = case.arrival.response_topic or case.envelope.reply_to
        allowed = self._topics.may_reply_to(wanted, self._settings.reply_prefixes)
        return wanted if allowed else self._topics.reply(self._topics.method(case.arrival.topic))

    def _acknowledge(self, case: _Case) -> None:
        """Once a delivery: the packet's id may mean another message by then."""
        if case.acknowledged is not case.arrival:
            case.acknowledged = case.arrival
            self.broker.acknowledge(case.arrival)


def _expired() -> Refusal:
    return Refusal("DEADLINE_EXCEEDED", "EXPIRED", "the command's time was over before its turn; send it again")


def _line(command: Command) -> str | None:
    """The line a command stands in: its stream's, the node's where it names none, or no line at all."""
    if command.method.name in OUT_OF_LINE:
        return None
    if "stream" not in command.method.input_type.fields_by_name:
        return ""
    return command.request.stream or "main"
