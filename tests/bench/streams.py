"""1 to 16 films at once on one agent and one session: what a picture costs, and how fairly they share the model.

The pictures of all films together are as many each time. A round takes some 2 minutes on two cores.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
from agent_process import AgentProcess
from process import peak_mb, whole_cpu_s
from table import Figure, interleaved, show

from agent import plugins
from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import types_pb2

STREAMS = (1, 2, 4, 8, 16)
PICTURES = 480
PEN = "synthetic:pigs?animals=20&fps=10&seconds={:.1f}&seed=1&width=640&height=360"
ALL = (types_pb2.JOB_STATE_DONE, types_pb2.JOB_STATE_FAILED)


def run(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = {count: _film(folder, PICTURES // count) for count in STREAMS}
        inputs = "".join(f'[streams.s{number}]\ninput = "{films[1]}"\n' for number in range(max(STREAMS)))
        agent = AgentProcess(folder, more=f'[model]\nname = "pig"\n[output]\nvideo = "off"\n{inputs}').start()
        try:
            _round(agent, films[16], 1)
            rows = interleaved(rounds, *(lambda n=n: _round(agent, films[n], n) for n in STREAMS))
            assert agent.process is not None
            memory = peak_mb(agent.process.pid)
        finally:
            agent.stop()
    figures = [Figure("1 stream: CPU", [row[0][0] * 1000 for row in rows], "ms a picture")]
    for column, count in enumerate(STREAMS[1:], 1):
        figures += [
            Figure(f"{count} streams: CPU of a picture / with 1", [row[column][0] / row[0][0] for row in rows]),
            Figure(f"{count} streams: pictures/s / with 1", [row[0][1] / row[column][1] for row in rows]),
            Figure(f"{count} streams: first done / last done", [row[column][2] for row in rows]),
        ]
    figures.append(Figure("peak memory of the agent", [memory], "MB"))
    show(f"streams that share the model pig, {PICTURES} pictures in all", figures)


def _film(folder: Path, pictures: int) -> Path:
    """A generated pen as a film: to make it is no part of what is measured."""
    path = folder / f"{pictures}.mp4"
    source = plugins.load("agent.sources", "synthetic", "input").open_source(PEN.format(pictures / 10))
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 360))
    for frame in source.frames():
        film.write(frame.image)
    film.release()
    return path


def _round(agent: AgentProcess, film: Path, count: int) -> tuple[float, float, float]:
    """CPU seconds and wall seconds a picture; and the wall time of the film that was first done to that of the last."""
    assert agent.process is not None
    names = [f"s{number}" for number in range(count)]
    for stream in names:
        agent.edge.SetInput(pb.SetInputRequest(stream=stream, uri=str(film)))
    before, begin = whole_cpu_s(agent.process.pid), time.perf_counter()
    jobs = [agent.edge.Compute(pb.ComputeRequest(stream=stream)).job.job_id for stream in names]
    done = [agent.await_state(job, *ALL) for job in jobs]
    took_s, used_s = time.perf_counter() - begin, whole_cpu_s(agent.process.pid) - before
    pictures = sum(job.frames for job in done)
    assert all(job.state == types_pb2.JOB_STATE_DONE for job in done) and pictures, done
    ends = [job.end_time.ToDatetime() for job in done]
    start = min(job.start_time.ToDatetime() for job in done)
    return used_s / pictures, took_s / pictures, (min(ends) - start) / (max(ends) - start)
