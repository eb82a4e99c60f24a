"""What watchers cost: CPU of the agent and frames/s on an analysed film, while 0 to 64 clients read WatchTracks.

The clients run in one process beside the agent, on the same cores: frames/s suffer from their work as well, the
agent's CPU does not. A round takes some 3 minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_process import AgentProcess
from pipeline import CLIP, FRAMES, models
from process import whole_cpu_s
from table import Figure, interleaved, show

WATCHERS = (0, 1, 8, 64)
READ = """
import asyncio, sys
import grpc.aio
from herdlink.v1 import track_pb2 as pb, track_pb2_grpc
async def watch(number):
    # Without the option all channels of a process share one connection.
    channel = grpc.aio.insecure_channel(sys.argv[1], options=[("grpc.use_local_subchannel_pool", 1)])
    await channel.channel_ready()
    ready.append(number)
    if len(ready) == count:
        print("ready", flush=True)
    async for message in track_pb2_grpc.TrackServiceStub(channel).WatchTracks(pb.WatchTracksRequest(stream="film")):
        got[number] += 1
        missed[number] += message.missed
async def main():
    watches = [asyncio.create_task(watch(number)) for number in range(count)]
    await asyncio.to_thread(sys.stdin.read)
    print(sum(got), sum(missed))
    for task in watches:
        task.cancel()
    await asyncio.gather(*watches, return_exceptions=True)
count = int(sys.argv[2])
ready, got, missed = [], [0] * count, [0] * count
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """One analysis of the film."""

    cpu_s: float
    """Of the agent, a frame."""
    fps: float
    told: float
    """Messages that each watcher got, to the frames there were."""


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, model = next(iter(models(folder)))
        more = f'[model]\nname = "{model.stem}"\n[output]\nvideo = "off"\n[streams.film]\ninput = "{CLIP}"\n'
        agent = AgentProcess(folder, media=CLIP.parent, more=more)
        (folder / "state").mkdir()
        model.parent.rename(folder / "state" / "models")
        agent.start()
        try:
            # The model is opened, and the film read once.
            _analysed(agent, 0)
            rows = interleaved(rounds, *(lambda count=count: _analysed(agent, count) for count in WATCHERS))
        finally:
            agent.stop()
    figures = []
    for column, count in enumerate(WATCHERS[1:], 1):
        figures += [
            Figure(f"{count} watchers: CPU of the agent / without", [r[column].cpu_s / r[0].cpu_s for r in rows]),
            Figure(f"{count} watchers: frames/s / without", [r[column].fps / r[0].fps for r in rows]),
            Figure(f"{count} watchers: messages that each got / frames", [r[column].told for r in rows]),
        ]
        extra = [(r[column].cpu_s - r[0].cpu_s) * 1e6 / count for r in rows]
        figures.append(Figure(f"{count} watchers: CPU of a message", extra, "us"))
    figures.append(Figure("without: CPU of the agent", [r[0].cpu_s * 1000 for r in rows], "ms a frame"))
    show(f"WatchTracks beside YOLOv8n's shape, 640, on {CLIP.name}, {FRAMES} frames", figures)


def _analysed(agent: AgentProcess, count: int) -> Watched:
    assert agent.process is not None
    with _readers(f"unix:{agent.socket}", count) as told:
        before = whole_cpu_s(agent.process.pid)
        job = agent.compute(str(CLIP), stream="film")
        used = whole_cpu_s(agent.process.pid) - before
        assert job.frames == FRAMES, job
    took_s = job.end_time.ToDatetime() - job.start_time.ToDatetime()
    return Watched(used / FRAMES, FRAMES / took_s.total_seconds(), told[0] / FRAMES / count if count else 0.0)


@contextmanager
def _readers(target: str, count: int) -> Iterator[list[int]]:
    """So many watchers; afterwards how many messages they got, and missed."""
    told: list[int] = []
    if not count:
        yield told
        return
    words = [sys.executable, "-c", READ, target, str(count)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield told
        process.stdin.close()
        told += [int(word) for word in process.stdout.read().split()]
    finally:
        process.kill()
        process.wait()
