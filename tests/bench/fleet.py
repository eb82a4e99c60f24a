"""1 to 2000 agents on one broker: what the broker, one bridge among them, and a client that reads all of them feel.

One real node, and others that are played: each is a connection of its own with a will, the retained topics of the real
one under its own name, and as many messages as the settings make by default (summary and summaries every 10 s, state
every 10 s, health every 60 s). Told for each number of agents: the broker's CPU and memory; GetInput through the real
bridge; that bridge's CPU; and how long a client that subscribes to all takes until it has all that is retained.
A round takes some 3 minutes.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from mqtt_calls import node
from paho.mqtt.enums import CallbackAPIVersion
from process import cpu_s, rss_mb
from table import Figure, at, interleaved, show

AGENTS = (1, 100, 500, 2000)
SECONDS = 15.0
CALLS = 100
MORE = "max_connections -1\nmax_queued_messages 0\n"
"""By default mosquitto keeps 1000 messages for a client: one that reads in two thousand nodes would miss the most."""
PERIODS_S = {"stream/main/summary": 10.0, "stream/main/summaries": 10.0, "stream/main/state": 10.0, "health": 60.0}


@dataclass(frozen=True, slots=True)
class Felt:
    """With so many agents on the broker."""

    broker_cpu: float
    """Share of a core."""
    broker_mb: float
    bridge_cpu: float
    call_ms: float
    all_s: float
    """Until a client that subscribes to everything has what is retained."""
    retained: int


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        rows = interleaved(rounds, *(lambda count=count: _felt(Path(name), count) for count in AGENTS))
    figures = []
    for column, count in enumerate(AGENTS):
        felt = [row[column] for row in rows]
        figures += [
            Figure(f"{count} agents: broker's CPU", [100 * one.broker_cpu for one in felt], "% of a core"),
            Figure(f"{count} agents: broker's memory", [one.broker_mb for one in felt], "MB"),
            Figure(
                f"{count} agents: GetInput p50 / with {AGENTS[0]}", [r[column].call_ms / r[0].call_ms for r in rows]
            ),
            Figure(f"{count} agents: one bridge's CPU", [100 * one.bridge_cpu for one in felt], "% of a core"),
            Figure(f"{count} agents: all retained topics read in", [one.all_s for one in felt], "s"),
            Figure(f"{count} agents: retained topics", [one.retained for one in felt], ""),
        ]
    show(f"agents on one broker, {SECONDS:.0f} s each", figures)


def _felt(folder: Path, count: int) -> Felt:
    place = folder / f"{count}-{time.monotonic_ns()}"
    place.mkdir()
    with node(place, broker=MORE, more='[streams.main]\ninput = "synthetic:herd?animals=20&seconds=0"\n') as parts:
        user, _, bridge, broker = parts
        examples = _retained(broker.port, least=8, within_s=30)
        with _played(place, broker.port, examples, count - 1):
            pids = broker.pid, bridge.pid
            user.ask("herdlink/n1/cmd/GetInput", 20)
            before = [cpu_s(pid) for pid in pids]
            time.sleep(SECONDS)
            used = [(cpu_s(pid) - was) / SECONDS for pid, was in zip(pids, before, strict=True)]
            calls = user.ask("herdlink/n1/cmd/GetInput", CALLS)
            begin = time.perf_counter()
            kept = _retained(broker.port, least=len(examples) * count, within_s=60)
            took_s = time.perf_counter() - begin
            return Felt(used[0], rss_mb(broker.pid), used[1], at(calls, 0.5), took_s, len(kept))


def _retained(port: int, *, least: int, within_s: float) -> dict[str, bytes]:
    """What is retained for everybody: topic -> payload, once there are so many."""
    kept: dict[str, bytes] = {}
    enough = threading.Event()

    def take(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.retain:
            kept[message.topic] = bytes(message.payload)
            if len(kept) >= least:
                enough.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = take
    client.on_connect = lambda one, *_: one.subscribe([("herdlink/#", 0), ("homeassistant/#", 0)])
    client.connect("127.0.0.1", port)
    client.loop_start()
    deadline = time.monotonic() + within_s
    while not enough.wait(5) and time.monotonic() < deadline:
        # A topic may not have been published yet: what comes is retained for the next one that subscribes.
        client.subscribe([("herdlink/#", 0), ("homeassistant/#", 0)])
    client.disconnect()
    client.loop_stop()
    assert enough.is_set(), f"{len(kept)} of {least} topics are retained"
    return dict(kept)


@contextmanager
def _played(folder: Path, port: int, examples: dict[str, bytes], count: int) -> Iterator[None]:
    """So many agents in a process of their own, once all have said what is retained of them."""
    if not count:
        yield
        return
    file = folder / "examples.json"
    file.write_text(json.dumps({topic: payload.decode("latin1") for topic, payload in examples.items()}))
    process = subprocess.Popen(
        [sys.executable, __file__, str(port), str(file), str(count)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


# -- the players: MQTT 3.1.1 by hand, since two thousand clients of a library would be what is measured ---------------


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(kind: int, body: bytes) -> bytes:
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def _connect(name: bytes, will: bytes) -> bytes:
    flags = 0x02 | 0x04 | 0x08 | 0x20  # clean, a will of QoS 1, retained
    head = _text(b"MQTT") + bytes([4, flags]) + (300).to_bytes(2, "big")
    return _packet(0x10, head + _text(name) + _text(will) + _text(b"offline"))


def _publish(topic: bytes, payload: bytes, mid: int, *, retain: bool) -> bytes:
    return _packet(0x32 | retain, _text(topic) + mid.to_bytes(2, "big") + payload)


async def _play(port: int, examples: dict[str, bytes], number: int, ready: asyncio.Semaphore) -> None:
    name = f"s{number}"
    mine = {topic.replace("n1", name): body.replace(b"n1", name.encode()) for topic, body in examples.items()}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_connect(name.encode(), f"herdlink/{name}/status".encode()))
    assert (await reader.readexactly(4))[3] == 0
    for mid, (topic, body) in enumerate(mine.items(), 1):
        writer.write(_publish(topic.encode(), body, mid, retain=True))
    await reader.readexactly(4 * len(mine))
    ready.release()
    # Each at its own moment, and from its own: agents do not keep step.
    due = sorted((random.uniform(0, period_s), topic, period_s) for topic, period_s in PERIODS_S.items())
    begin = time.monotonic()
    while True:
        moment, topic, period_s = due.pop(0)
        await asyncio.sleep(max(0.0, begin + moment - time.monotonic()))
        kept = mine.get(f"herdlink/{name}/{topic.removesuffix('ies') + 'y' if topic.endswith('ies') else topic}")
        writer.write(_publish(f"herdlink/{name}/{topic}".encode(), kept or b"{}", 1, retain=not topic.endswith("ies")))
        await reader.readexactly(4)
        due = sorted([*due, (moment + period_s, topic, period_s)])


async def _players(port: int, examples: dict[str, bytes], count: int) -> None:
    ready = asyncio.Semaphore(0)
    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(_play(port, examples, number, ready)))
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    for _ in range(count):
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[2]).read_text())
    asyncio.run(_players(int(sys.argv[1]), {t: p.encode("latin1") for t, p in told.items()}, int(sys.argv[3])))
