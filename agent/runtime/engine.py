"""All streams and jobs of the node. Lives on the loop's thread; jobs tell it what happens by call_soon_threadsafe.

What a command changes is in the journal before it is in the world: effects are hung on the journal's transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from agent.core import events
from agent.core.errors import FailedPrecondition, HerdlinkError, InvalidArgument, NotFound, ResourceExhausted
from agent.core.names import DEFAULT_STREAM, NODE_LOG, shorten, stream_id
from agent.core.types import EVENT, SUMMARY, Frame, Job, JobState, Problem, Record, Result, ResultFile
from agent.core.uri import is_masked, mask
from agent.journal import Journal
from agent.runtime import cut
from agent.runtime.hub import Hub
from agent.runtime.owed import Owed
from agent.runtime.plan import Plan
from agent.runtime.recorder import Recorder
from agent.runtime.rooms import Rooms, StreamView
from agent.runtime.run import Run
from agent.runtime.streams import StreamConfig, StreamValues, check_ranges

log = logging.getLogger(__name__)

STREAMS_LIMIT = 64
RUNNING_JOBS_LIMIT = 16
LIST_LIMIT = 1000
DECIDE_LABELS = {"input", "labels", "model"}
"""Whether a stream's labels are known to its model hangs on these; on the input where that brings its own model."""


class Engine:
    """See the module's docstring. Every method raises HerdlinkError for what a caller can mend."""

    def __init__(
        self,
        *,
        node: str,
        rooms: Rooms,
        journal: Journal,
        settings: dict[str, dict[str, Any]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.hub = Hub()
        self.journal = journal
        self.owed = Owed()
        self.recorder = Recorder(node=node, journal=journal, told=self._recorded)
        self._rooms = rooms
        self._loop = loop
        self._runs: dict[str, Run] = {}
        self._seen: dict[str, Run] = {}
        """The newest run of each stream, also after its end: its last picture can still be asked for."""
        self._unsaved: dict[str, Run] = {}
        """Runs whose job the journal does not know as it is, by job id."""
        self._closing = False
        commands = journal.streams()
        self._configs = {
            name: StreamConfig(settings.get(name, {}), commands.get(name, {})) for name in {*settings, *commands}
        }
        if not self._configs:
            self._configs[DEFAULT_STREAM] = StreamConfig({}, {})

    # -- start and end --------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Ends the jobs that the last stop has cut, and starts the enabled cameras."""
        cameras = [name for name, config in self._configs.items() if self._starts_by_itself(config.values)]
        for job in self.journal.open_jobs():
            self.owed.do(f"the end of job {job.job_id}", partial(self._end_cut, job, goes_on=job.stream in cameras))
        for name in cameras:
            self.owed.do(f"the start of stream {name}", partial(self.compute, name))

    def _starts_by_itself(self, values: StreamValues) -> bool:
        try:
            return values.enabled and bool(values.input) and self._rooms.is_live(values.input)
        except HerdlinkError as error:
            log.error("the input of a stream cannot be used: %s", error)
            return False

    def _end_cut(self, job: Job, *, goes_on: bool) -> None:
        """Ends a job that the last stop has cut."""
        message = "the agent stopped in the middle of the job; what was written is kept; Compute again"
        if goes_on:
            message = "the agent stopped in the middle of the job; the camera goes on in a new one"
        error = Problem("UNAVAILABLE", "AGENT_RESTARTED", message, "Compute", time.time())
        ended = replace(job, state=JobState.FAILED, error=error, end_time=time.time())
        with self.journal.transaction():
            self.journal.put_job(ended)
            self.recorder.add(ended.stream, events.job_over(ended, time.time(), goes_on=goes_on), ended)
        self._loop.run_in_executor(None, self._finish_cut, ended)

    def _finish_cut(self, job: Job) -> None:
        """Off the loop: the digest of long files takes its time."""
        listed = replace(job, results=cut.finish(job))
        self._call(lambda: self.owed.do(f"the results of job {job.job_id}", partial(self.journal.put_job, listed)))

    async def close(self) -> None:
        """Stops all work; jobs stay open in the journal, so that the next start sees what was cut."""
        self._closing = True
        runs = list(self._runs.values())
        for run in runs:
            run.halt()
        for run in runs:
            await asyncio.to_thread(run.join)

    # -- streams --------------------------------------------------------------------------------------------------

    def streams(self) -> list[StreamView]:
        return [self.stream(name) for name in sorted(self._configs)]

    def stream(self, stream: str) -> StreamView:
        return self._view(*self._find(stream))

    def values(self, stream: str) -> StreamValues:
        """What a stream is set to, as it is shown."""
        return self._shown(*self._find(stream))

    def set_stream(self, stream: str, changes: dict[str, Any]) -> StreamView:
        """Changes the given values and no others; an unknown stream is created if there is an input among them."""
        name = stream_id(stream)
        if name not in self._configs and "input" not in changes:
            self._find(name)
        if name not in self._configs and len(self._configs) >= STREAMS_LIMIT:
            raise ResourceExhausted("TOO_MANY_STREAMS", f"a node has at most {STREAMS_LIMIT} streams; delete one")
        old = self._configs.get(name, StreamConfig({}, {}))
        new = old.with_commands(self._checked(name, old, changes))
        self._rooms.check_values(new.values)
        if (new.values.input or new.values.model) and changes.keys() & DECIDE_LABELS:
            self._rooms.check_labels(new.values)
        with self.journal.transaction():
            self.journal.put_stream(name, new.commands)
            self.journal.after_commit(lambda: self._apply(name, old.values, new))
        return self._view(name, new)

    def delete_stream(self, stream: str) -> None:
        """Cancels its job and forgets what commands have set; a stream of the settings falls back to them."""
        name, config = self._find(stream)
        with self.journal.transaction():
            self.journal.drop_stream(name)
            self.journal.after_commit(lambda: self._forget(name, config))

    def is_gone(self, stream: str) -> bool:
        """Whether there is no such stream and nothing more will be recorded of it."""
        at_work = [*self._runs.values(), *self._unsaved.values()]
        known = stream in self._configs or stream == NODE_LOG
        return not known and all(run.plan.job.stream != stream for run in at_work)

    def _tell_gone(self, stream: str) -> None:
        """Wakes who watches the stream, to see that it is gone."""
        if stream not in self._configs:
            for topic in (("tracks", stream), ("records", stream, SUMMARY), ("records", stream, EVENT)):
                self.hub.publish(topic, None)

    def backlog(self, consumer: str) -> int:
        """Records that wait for a consumer; nobody waits for those of deleted streams."""
        waiting = self.journal.backlog(consumer)
        return sum(count for stream, count in waiting.items() if stream in self._configs or stream == NODE_LOG)

    def _find(self, stream: str) -> tuple[str, StreamConfig]:
        name = stream_id(stream)
        if name not in self._configs:
            known = ", ".join(sorted(self._configs)) or "none"
            raise NotFound("NO_STREAM", f"no stream {name}; there are: {known}; SetInput makes a new one")
        return name, self._configs[name]

    def _checked(self, name: str, old: StreamConfig, changes: dict[str, Any]) -> dict[str, Any]:
        changes = dict(changes)
        check_ranges(changes)
        if "input" in changes:
            changes["input"] = self._checked_input(old.values.input, changes["input"])
        if "output" in changes:
            self._rooms.open_output(name, changes["output"])
        if "labels" in changes:
            changes["labels"] = [] if changes["labels"] == ["*"] else list(changes["labels"])
        return changes

    def _checked_input(self, present: str, uri: str) -> str:
        if is_masked(uri):
            if uri == mask(present):
                return present
            raise FailedPrecondition("MASKED_URI", "the password in this URI is masked (***); send the real one")
        return self._rooms.check_input(uri)

    def _view(self, name: str, config: StreamConfig) -> StreamView:
        run = self._runs.get(name)
        newest = run.job if run else next(map(self._fresh, self.journal.jobs(name, 1)), None)
        return StreamView(name, self._shown(name, config), config.origins, newest, run)

    def _shown(self, name: str, config: StreamConfig) -> StreamValues:
        values = self._rooms.complete(config.values)
        return replace(values, input=mask(values.input), output=str(self._rooms.output_path(name, values.output)))

    def _apply(self, name: str, old: StreamValues, new: StreamConfig) -> None:
        self._configs[name] = new
        values, run = new.values, self._runs.get(name)
        if run and not values.enabled:
            run.cancel()
        elif run:
            run.set_known_count(values.known_count)
            run.set_scene(values.scene)
        elif values.enabled and not old.enabled and values.input and self._rooms.is_live(values.input):
            self.compute(name)

    def _forget(self, name: str, config: StreamConfig) -> None:
        run = self._runs.get(name)
        if run:
            run.cancel()
        self._seen.pop(name, None)
        if config.settings or name == DEFAULT_STREAM:
            self._configs[name] = StreamConfig(config.settings, {})
        else:
            del self._configs[name]
            self._tell_gone(name)

    # -- jobs -----------------------------------------------------------------------------------------------------

    def is_endless(self, stream: str) -> bool:
        """Whether a job on the stream's present input would only end by being cancelled."""
        uri = self._find(stream)[1].values.input
        return bool(uri) and self._rooms.is_live(uri)

    def compute(self, stream: str) -> Job:
        """Starts a job on the stream's input."""
        name, config = self._find(stream)
        values = self._rooms.complete(config.values)
        self._check_can_start(name, values)
        folder = self._rooms.open_output(name, values.output)

        def make(job_id: str) -> Job:
            return Job(
                job_id=job_id,
                stream=name,
                state=JobState.QUEUED,
                input=mask(values.input),
                output=str(folder / job_id),
                start_time=time.time(),
            )

        with self.journal.transaction():
            job = self.journal.add_job(make)
            plan = self._rooms.plan(job, values)
            self.journal.after_commit(lambda: self._launch(name, plan))
        return job

    def _check_can_start(self, name: str, values: StreamValues) -> None:
        if not values.input:
            raise FailedPrecondition("NO_INPUT", f"stream {name} has no input; call SetInput first")
        if not values.enabled:
            raise FailedPrecondition("STREAM_DISABLED", f"stream {name} is switched off; SetStream enabled=true first")
        if any(run.plan.job.stream == name for run in self._unsaved.values()):
            # The next job must not use its track ids again.
            raise ResourceExhausted("JOURNAL_UNWRITABLE", f"the end of {name}'s last job is not written yet; make room")
        if name in self._runs:
            job_id = self._runs[name].job.job_id
            raise FailedPrecondition("JOB_RUNNING", f"job {job_id} runs on stream {name}; CancelJob it or wait")
        if len(self._runs) >= RUNNING_JOBS_LIMIT:
            raise ResourceExhausted("TOO_MANY_JOBS", f"{RUNNING_JOBS_LIMIT} jobs run already; wait for one to end")
        self._rooms.check_input(values.input)
        self._rooms.check_values(values)
        self._rooms.check_labels(values)

    def _launch(self, name: str, plan: Plan) -> None:
        run = self._runs[name] = self._seen[name] = Run(
            plan, journal=self.journal, recorder=self.recorder, listener=self
        )
        run.start()

    def cancel_job(self, job_id: str, stream: str) -> Job:
        """Ends a job, the stream's newest where none is named; one that has ended stays as it is."""
        job = self.job(job_id) if job_id else self.stream(stream).job
        if job is None:
            raise NotFound("NO_JOB", f"stream {stream_id(stream)} has had no job yet; Compute starts one")
        run = self._runs.get(job.stream)
        if run and run.job.job_id == job.job_id:
            with self.journal.transaction():
                self.journal.after_commit(run.cancel)
        return job

    def job(self, job_id: str) -> Job:
        for run in self._runs.values():
            if run.job.job_id == job_id:
                return run.job
        job = self.journal.job(job_id)
        if job is not None:
            job = self._fresh(job)
        if job is None:
            raise NotFound("NO_JOB", f"no job {shorten(job_id)!r}; ListJobs tells which there are")
        return job

    def jobs(self, stream: str, limit: int) -> list[Job]:
        """The newest first, with the figures of those that run."""
        jobs = self.journal.jobs(stream and stream_id(stream), list_limit(limit))
        if stream and not jobs:
            self._find(stream)
        return [self._fresh(job) for job in jobs]

    def _fresh(self, job: Job) -> Job:
        run = self._unsaved.get(job.job_id) or self._runs.get(job.stream)
        return run.job if run and run.job.job_id == job.job_id else job

    async def ended(self, job_id: str) -> Job:
        """The job, once it has ended."""
        with self.hub.subscribe(("job", job_id)) as reader:
            while not (job := self.job(job_id)).state.ended:
                await reader.get()
        return job

    def result(self, job_id: str, name: str) -> tuple[Path, ResultFile]:
        """Where a file of an ended job lies."""
        job = self.job(job_id)
        if not job.state.ended:
            raise FailedPrecondition("JOB_RUNNING", f"job {job_id} has not ended; its files are not finished")
        for file in job.results:
            if file.name == name:
                return Path(job.output) / name, file
        left = ", ".join(file.name for file in job.results) or "none"
        raise NotFound("NO_RESULT", f"job {job_id} left no file {shorten(name)!r}; it left: {left}")

    # -- pictures -------------------------------------------------------------------------------------------------

    async def newest_result(self, stream: str, *, fresh: bool) -> tuple[Result | Frame, Run | None]:
        """The newest picture with its tracks, or the input's first one where no job runs and `fresh` is asked."""
        name, config = self._find(stream)
        run = self._seen.get(name)
        if fresh and name in self._runs:
            await self._next_frame(self._runs[name])
        elif fresh and config.values.input:
            frame = await asyncio.to_thread(self._rooms.first_frame, config.values.input)
            if frame is not None:
                return frame, None
        if run is None or run.latest is None:
            raise NotFound("NO_PICTURE", f"stream {name} has no picture yet; Compute it, or ask for a fresh one")
        return run.latest, run

    async def _next_frame(self, run: Run) -> None:
        """Waits for the frame after the present one; for one that is due at least."""
        seen = run.latest
        while run.latest is seen and not run.job.state.ended:
            await asyncio.sleep(0.02)

    # -- Listener, on the jobs' threads ---------------------------------------------------------------------------

    def changed(self, run: Run) -> None:
        self._call(lambda: self._on_changed(run))

    def analysed(self, run: Run, result: Result) -> None:
        topic = ("tracks", run.plan.job.stream)
        if self.hub.wanted(topic):
            # Without the picture: a slow reader must not hold many of them.
            light = (run, result.frame.index, result.frame.time, result.frame.image.shape[:2], result.tracks)
            self._call(lambda: self.hub.publish(topic, light))

    def _recorded(self, record: Record) -> None:
        self._call(lambda: self.hub.publish(("records", record.stream, record.kind), record))

    def _call(self, action: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(action)

    def _on_changed(self, run: Run) -> None:
        job = run.job
        if job.state.ended and self._runs.get(job.stream) is run:
            del self._runs[job.stream]
            log.info("job %s of stream %s: %s", job.job_id, job.stream, job.state.value)
        if run.unsaved and job.job_id not in self._unsaved:
            self._unsaved[job.job_id] = run
            self.owed.do(f"the state of job {job.job_id}", partial(self._save, run))
        self.hub.publish(("job", job.job_id), job)
        self._tell_gone(job.stream)

    def _save(self, run: Run) -> None:
        run.save()
        del self._unsaved[run.job.job_id]
        self._tell_gone(run.job.stream)


def list_limit(limit: int) -> int:
    """How many rows a list request means. Raises InvalidArgument (BAD_LIMIT)."""
    if not 0 <= limit <= LIST_LIMIT:
        raise InvalidArgument("BAD_LIMIT", f"limit is 1 to {LIST_LIMIT}, or 0 for 100; it is {limit}")
    return limit or 100
