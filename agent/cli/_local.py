"""Jobs on this machine, without an agent: what `herdlink analyze` does where no --target is named."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from agent.cli._runs import Outcome
from agent.core.types import Job, JobState, Result, Totals
from agent.core.uri import mask
from agent.journal import Journal
from agent.models.store import Store
from agent.rooms import Bounds, Detectors, NodeRooms
from agent.rpc.convert import record_json
from agent.runtime.recorder import Recorder
from agent.runtime.run import Run
from agent.runtime.streams import StreamConfig
from agent.settings import AgentSettings, OutputSettings

POLL_S = 0.1
STREAM = "main"


class LocalNode:
    """Models are opened once for all inputs."""

    def __init__(self, *, store: Store, video: bool) -> None:
        settings = AgentSettings(output=OutputSettings(video="files" if video else "off"))
        self._node = settings.node_name
        self._rooms = NodeRooms(
            settings=settings,
            store=store,
            detectors=Detectors(provider=settings.model.provider, threads=settings.model.threads),
            bounds=Bounds(None, Path("/")),
            totals=lambda stream: Totals(),
            to_json=record_json,
            notify=lambda text: print(text, file=sys.stderr),
        )

    def analyse(self, uri: str, folder: Path, values: dict[str, Any], *, first_track: int = 1) -> Outcome:
        """One input from its beginning to its end; Ctrl-C ends it cleanly. Raises HerdlinkError before it begins."""
        journal = Journal(None)
        journal.set_next_track(STREAM, first_track)
        changes = {**values, "input": self._rooms.check_input(uri)}
        complete = self._rooms.complete(StreamConfig({}, changes).values)
        self._rooms.check_values(complete)
        self._rooms.check_labels(complete)
        output = self._rooms.open_output("", str(folder.absolute()))

        def make(job_id: str) -> Job:
            return Job(job_id, STREAM, JobState.QUEUED, input=mask(uri), output=str(output), start_time=time.time())

        recorder = Recorder(node=self._node, journal=journal, told=lambda record: None)
        plan = self._rooms.plan(journal.add_job(make), complete)
        job = _follow(Run(plan, journal=journal, recorder=recorder, listener=_Quiet()))
        error = job.error.message if job.error else ""
        return Outcome(job.input, folder, job.state.value, job.frames, job.fps, job.model, error)


class _Quiet:
    """Nobody listens: the progress bar looks at the run by itself."""

    def changed(self, run: Run) -> None: ...

    def analysed(self, run: Run, result: Result) -> None: ...


def _follow(run: Run) -> Job:
    """Shows a progress bar until the job has ended."""
    from tqdm import tqdm

    run.start()
    with tqdm(unit="frame", dynamic_ncols=True, disable=None) as bar:
        while not run.job.state.ended:
            try:
                time.sleep(POLL_S)
            except KeyboardInterrupt:
                run.cancel()
            job = run.job
            bar.total = job.total_frames
            bar.update(job.frames - bar.n)
    run.join()
    return run.job
