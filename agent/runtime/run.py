"""One job: from opening the input to the last file written.

Three threads: decode (runtime/intake.py) -> mailbox -> this one (tracker, herd numbers) -> mailbox -> write
(runtime/writer.py); the model works on the node's pool (runtime/ahead.py). Whatever ends the job - the input, an error,
CancelJob, the agent - ends it on the same path.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from agent.core import events
from agent.core.errors import HerdlinkError
from agent.core.events import CameraWatch
from agent.core.herd.window import Herd
from agent.core.pipeline import Pipeline
from agent.core.ports import Detector
from agent.core.scene import Scene
from agent.core.types import Body, Event, Frame, Job, JobState, Problem, Result, ResultFile, Summary
from agent.journal import Journal
from agent.runtime import run_json
from agent.runtime.ahead import Ahead, Seen
from agent.runtime.figures import Figures
from agent.runtime.intake import Intake
from agent.runtime.mailbox import Closed
from agent.runtime.plan import Plan
from agent.runtime.problem import problem
from agent.runtime.recorder import Recorder
from agent.runtime.results import list_results
from agent.runtime.track_ids import TrackIds
from agent.runtime.writer import Writer

log = logging.getLogger(__name__)

TICK_S = 0.5
HUNG_DECODER_S = 10.0


class Listener(Protocol):
    """Who wants to know; called on the job's threads."""

    def changed(self, run: Run) -> None:
        """The job's state is another."""
        ...

    def analysed(self, run: Run, result: Result) -> None: ...


class Run:
    """A job at work. `start`, `cancel`, `halt` and the figures may be used from any thread."""

    def __init__(self, plan: Plan, *, journal: Journal, recorder: Recorder, listener: Listener) -> None:
        self.plan = plan
        self.latest: Result | None = None
        self.labels: Sequence[str] = ()
        self.provider = ""
        self.reconnects = 0
        self._job = plan.job
        self._journal = journal
        self._recorder = recorder
        self._listener = listener
        self._figures = Figures()
        self._intake = Intake(
            open_source=plan.open_source,
            live=plan.live,
            max_fps=plan.max_fps,
            on_lost=self._camera_lost,
            figures=self._figures,
        )
        self._writer: Writer | None = None
        self._herd: Herd | None = None
        self._scene = plan.scene
        self._model_sha256 = ""
        self._ids: TrackIds | None = None
        self._saving = threading.Lock()
        self._end_is_told = False
        self.unsaved = False
        """Whether the journal does not know yet what `job` says; `save` tries again."""
        self._lost: HerdlinkError | None = None
        self._camera = CameraWatch()
        self._cancelled = False
        self._halted = False
        self._thread = threading.Thread(target=self._work, name=f"job {plan.job.job_id}")

    @property
    def job(self) -> Job:
        """The job with its figures of this moment."""
        if self._job.state.ended:
            return self._job
        info = self._intake.info
        return replace(
            self._job,
            frames=self._figures.frames,
            frames_dropped=self._intake.mailbox.dropped,
            total_frames=info.total_frames or None if info else None,
            fps=self._figures.fps,
        )

    @property
    def output_error(self) -> HerdlinkError | None:
        """Why a result file cannot be written; None while all is well."""
        return self._writer.error if self._writer else None

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Ends the job as CANCELLED; returns at once."""
        self._cancelled = True
        self._intake.stop()

    def halt(self) -> None:
        """Ends the work but leaves the job open in the journal, as a power cut would; its files are finished."""
        self._halted = True
        self._intake.stop()

    def join(self) -> None:
        self._thread.join()

    def wall_time(self, frame_time: float) -> float:
        """Seconds since 1970 of a frame: capture time of a camera; of a file the job's start plus the time in it."""
        origin = time.time() - time.monotonic() if self.plan.live else self._job.start_time or 0.0
        return origin + frame_time

    def set_known_count(self, known_count: int) -> None:
        """Takes effect with the window that is open."""
        if self._herd is not None:
            self._herd.set_known_count(known_count)

    def set_scene(self, scene: Scene) -> None:
        """Takes effect with the next frame."""
        self._scene = scene

    def save(self) -> None:
        """Brings the journal up to date: the job, the event of its end, the track ids it used. Raises HerdlinkError."""
        with self._saving:
            self.unsaved = True
            job, ended = self._job, self._job.state.ended
            with self._journal.transaction():
                self._journal.put_job(job)
                if ended and not self._end_is_told:
                    self._recorder.add(job.stream, events.job_over(job, job.end_time or time.time()), job)
                if (ended or self._halted) and self._ids is not None:
                    self._ids.close()
            self._end_is_told |= ended
            self.unsaved = False

    # -- the job's own thread -------------------------------------------------------------------------------------

    def _work(self) -> None:
        error: Exception | None = None
        try:
            self._analyse()
            error = self._intake.error or (self._writer.error if self._writer else None)
        except Exception as caught:  # noqa: BLE001 - told in the job
            error = caught
        try:
            self._close()
        except Exception as caught:  # noqa: BLE001 - told in the job
            error = error or caught
        self._finish(error or self.output_error)

    def _analyse(self) -> None:
        self._set_state(JobState.CONNECTING)
        detector = self.plan.open_detector()
        self.labels, self.provider = detector.labels, detector.provider
        self._model_sha256 = detector.sha256
        self._job = replace(self._job, model=detector.name)
        self._compare_model()
        self._ids = TrackIds(self._journal, self._job.stream)
        pipeline = self.plan.open_pipeline(detector, self._ids.first)
        self._herd = herd = self.plan.open_herd(detector)
        mailbox = self._intake.mailbox
        ahead = Ahead(self.plan.pool, pipeline.detect, depth=self.plan.ahead, on_ready=mailbox.wake)
        self._intake.start()
        while not (self._cancelled or self._halted):
            try:
                group = mailbox.get(TICK_S, unless=ahead.is_ready)
            except Closed:
                break
            if group is not None:
                if self._job.state is not JobState.RUNNING:
                    self._begin(detector)
                if pipeline.rests:
                    self._follow_at_rest(group, pipeline, herd, ahead)
                else:
                    ahead.add(group)
            elif not ahead:
                self._tick(herd)
            while ahead.is_ready() or ahead.full:
                self._follow(ahead.take(), pipeline, herd)
        while ahead and not (self._cancelled or self._halted):
            self._follow(ahead.take(), pipeline, herd)
        ahead.drop()
        self._keep_all(herd.finish())

    def _follow(self, group: Sequence[Seen], pipeline: Pipeline, herd: Herd) -> None:
        """The next pictures in order, with what the model has found in them."""
        for frame, detections, seconds in group:
            self._figures.add("detect", seconds)
            self._intake.picture_s = seconds
            pipeline.set_scene(self._scene)
            with self._figures.stage("track"):
                result = pipeline.track(frame, detections)
            self._deliver(result, herd)

    def _follow_at_rest(self, group: Sequence[Frame], pipeline: Pipeline, herd: Herd, ahead: Ahead) -> None:
        """The model sees what needs a look, each before it is asked about the next: what it sees decides."""
        for frame in group:
            if self._cancelled or self._halted:
                return
            if pipeline.looks(frame):
                ahead.add([frame])
                self._follow(ahead.take(), pipeline, herd)
            else:
                pipeline.set_scene(self._scene)
                self._figures.rested += 1
                self._deliver(pipeline.coast(frame), herd)

    def _begin(self, detector: Detector) -> None:
        """The first picture, or the first after the camera was lost."""
        self._tell(self._camera.back(time.time()))
        self._figures.begin()
        if self._writer is None and self._intake.info is not None:
            sinks = self.plan.open_sinks(detector, self._intake.info)
            self._writer = Writer(sinks, lossless=not self.plan.live, figures=self._figures)
            self._tell_run(replace(self.job, state=JobState.RUNNING))
        self._set_state(JobState.RUNNING)

    def _deliver(self, result: Result, herd: Herd) -> None:
        self._figures.add_frame(len(result.tracks))
        if self._ids is not None:
            self._ids.saw(result.tracks)
        self.latest = result
        self._listener.analysed(self, result)
        if self._writer is not None:
            self._writer.write(result)
        with self._figures.stage("numbers"):
            told = herd.add(result, self._intake.mailbox.dropped)
        self._keep_all(told)

    def _tick(self, herd: Herd) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            if self._job.state is JobState.RUNNING:
                self.reconnects += 1
            log.warning("stream %s: %s", self._job.stream, lost)
            self._set_state(JobState.RECONNECTING, problem(lost, "Compute"))
            self._camera.lost(time.time(), lost.message)
        self._tell(self._camera.look(time.time()))
        if self.plan.live:
            self._keep_all(herd.tick(time.monotonic()))

    def _keep_all(self, told: Sequence[Body]) -> None:
        for body in told:
            self._keep(self._in_wall_time(body))

    def _keep(self, body: Body) -> None:
        """Its times are seconds since 1970."""
        record = self._recorder.keep(self._job.stream, body, self.job)
        if record is not None and self._writer is not None:
            self._writer.record(record)

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self._keep(event)

    def _compare_model(self) -> None:
        jobs = self._journal.jobs(self._job.stream, 100)
        before = next((job.model for job in jobs if job.model and job.job_id != self._job.job_id), "")
        if before and before != self._job.model:
            self._tell(events.model_changed(self._job.model, before, time.time()))

    def _in_wall_time(self, body: Body) -> Body:
        if isinstance(body, Event):
            return replace(body, time=self.wall_time(body.time))
        return self._shown(
            replace(body, start_time=self.wall_time(body.start_time), end_time=self.wall_time(body.end_time))
        )

    def _shown(self, summary: Summary) -> Summary:
        if self.plan.tell_tracks:
            return summary
        return replace(summary, tracks=(), tracks_omitted=summary.tracks_omitted + len(summary.tracks))

    def _camera_lost(self, error: HerdlinkError) -> None:
        """On the decode thread; this job's own thread tells it when it has no picture left."""
        self._lost = error

    def _close(self) -> None:
        self._intake.stop()
        self._intake.join(HUNG_DECODER_S)
        if self._writer is not None:
            self._writer.close()
        if self._halted:
            self.save()

    def _finish(self, error: Exception | None) -> None:
        if self._halted:
            return
        state = JobState.CANCELLED if self._cancelled else JobState.FAILED if error else JobState.DONE
        told = problem(error, "Compute") if error and not self._cancelled else None
        self._job = replace(self.job, end_time=time.time(), fps=self._figures.mean_fps)
        self._job = replace(self._job, results=self._results(replace(self._job, state=state, error=told)))
        self._set_state(state, told)

    def _results(self, job: Job) -> tuple[ResultFile, ...]:
        """The files that the job left, run.json among them."""
        folder = Path(job.output)
        files = tuple(file for file in list_results(folder) if file.name != run_json.NAME)
        if self._writer is None:
            return files
        # Of a long film its digest takes a while; who cancels does not wait for it.
        facts = {} if self._cancelled else run_json.input_facts(self.plan.input_file)
        told = self._tell_run(replace(job, results=files), facts)
        return (*files, told) if told else files

    def _tell_run(self, job: Job, input_facts: Mapping[str, Any] = MappingProxyType({})) -> ResultFile | None:
        """Writes run.json; None where that cannot be."""
        assert self._ids is not None
        content = run_json.describe(
            job,
            live=self.plan.live,
            settings=self.plan.settings,
            model_sha256=self._model_sha256,
            provider=self.provider,
            first_track=self._ids.first,
            tracks=self._ids.used,
            count_mean=self._figures.count_mean,
            rested=self._figures.rested,
            stage_ms=self._figures.stage_ms,
        )
        content["input"].update(input_facts)
        return run_json.leave(Path(job.output), content)

    def _set_state(self, state: JobState, error: Problem | None = None) -> None:
        self._job = replace(self._job if state.ended else self.job, state=state, error=error)
        try:
            self.save()
        except HerdlinkError as unwritable:
            log.error("job %s: %s", self._job.job_id, unwritable)
        self._listener.changed(self)
