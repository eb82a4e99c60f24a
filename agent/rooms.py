"""The rooms as the engine asks for them (runtime/rooms.py): inputs, outputs, models, and what a job is made of."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent import plugins
from agent.core.errors import FailedPrecondition, HerdlinkError, InvalidArgument, PermissionDenied
from agent.core.herd.window import Herd
from agent.core.labels import class_numbers
from agent.core.model import ModelSpec
from agent.core.pipeline import Pipeline
from agent.core.ports import Detector, Sink, Source
from agent.core.scene import NO_SCENE
from agent.core.types import Frame, InputInfo, Job, Record, Totals
from agent.core.uri import scheme
from agent.models.shipped import SHIPPED, find, find_or_fetch
from agent.models.store import Store
from agent.runtime.memory import give_back
from agent.runtime.plan import Plan
from agent.runtime.secrets import expand
from agent.runtime.streams import StreamValues
from agent.settings import AgentSettings
from agent.sources import synthetic

SOURCES = "agent.sources"
TRACKERS = "agent.core.trackers"
SINKS = "agent.sinks"
EMBEDDERS = "agent.embedders"
SCRIPTED = "scripted"


class Detectors:
    """Models that are open, and the threads that they work on: several streams share one session. Opening is done once,
    on the thread that asks first.
    """

    def __init__(self, *, provider: str, threads: int) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix="model")
        self._provider = provider
        self._open: dict[tuple[Path, str], Detector] = {}
        self._lock = threading.Lock()

    def open(self, path: Path, spec: ModelSpec) -> Detector:
        module = plugins.load("agent.detectors", "onnx", "detector")
        with self._lock:
            key = (path, spec.sha256)
            if key not in self._open:
                # One thread a picture, as many pictures at once as there are threads: runtime/ahead.py says why.
                self._open[key] = module.open_detector(path, spec, provider=self._provider, threads=1)
                give_back()
            return self._open[key]

    @property
    def provider(self) -> str:
        """What the models run on; empty until one is open."""
        return next((detector.provider for detector in self._open.values()), "")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the inputs and outputs of commands may touch; None: anything (the local command line)."""

    media_roots: tuple[Path, ...] | None
    output_root: Path


class NodeRooms:
    """See the module's docstring."""

    def __init__(
        self,
        *,
        settings: AgentSettings,
        store: Store,
        detectors: Detectors,
        bounds: Bounds,
        totals: Callable[[str], Totals],
        to_json: Callable[[Record], str],
        notify: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._detectors = detectors
        self._bounds = bounds
        self._totals = totals
        self._to_json = to_json
        self._notify = notify

    # -- inputs ---------------------------------------------------------------------------------------------------

    def check_input(self, uri: str) -> str:
        """The input as it will be kept: below the media roots, of a known scheme, and there."""
        source = self._source(uri)
        path = source.local_path(uri)
        roots = self._bounds.media_roots
        if path is not None and roots is not None and not any(_lies_below(path, root) for root in roots):
            shown = ", ".join(str(root) for root in roots)
            raise PermissionDenied(
                "OUTSIDE_MEDIA_ROOTS", f"{path} lies outside of media_roots ({shown}); move it there or add its folder"
            )
        source.check(uri)
        return uri

    def is_live(self, uri: str) -> bool:
        return bool(self._source(uri).is_live(uri))

    def first_frame(self, uri: str) -> Frame | None:
        source = self._open_source(uri)
        try:
            return next(iter(source.frames()), None)
        finally:
            source.close()

    def _source(self, uri: str) -> Any:
        return plugins.load(SOURCES, scheme(uri), "input scheme")

    def _open_source(self, uri: str) -> Source:
        full = expand(uri, self._settings.secrets_dir)
        source: Source = self._source(full).open_source(full)
        return source

    # -- outputs --------------------------------------------------------------------------------------------------

    def output_path(self, stream: str, uri: str) -> Path:
        text = uri.removeprefix("file://") or stream
        return self._bounds.output_root / text

    def open_output(self, stream: str, uri: str) -> Path:
        return open_folder(self.check_output(stream, uri))

    def check_output(self, stream: str, uri: str) -> Path:
        """The folder, which need not be there yet: below the output root."""
        if "://" in uri.removeprefix("file://") or "\0" in uri:
            raise InvalidArgument("BAD_OUTPUT", "an output is a folder on this node: a path or file:///...")
        path, root = self.output_path(stream, uri), self._bounds.output_root
        if not _lies_below(path, root):
            raise PermissionDenied("OUTSIDE_OUTPUT_ROOT", f"{path} lies outside of output_root ({root})")
        return path

    # -- models and trackers --------------------------------------------------------------------------------------

    def complete(self, values: StreamValues) -> StreamValues:
        """Fills in the node's defaults. A simulated input brings its own detector unless a model is named."""
        simulated = values.input.startswith("synthetic:")
        model = values.model or (synthetic.model(values.input) if simulated else self._settings.model.name)
        period_s = values.summary_period_s or self._settings.summary.period_s
        return replace(values, model=model, summary_period_s=period_s)

    def check_values(self, values: StreamValues) -> None:
        plugins.load(TRACKERS, values.tracker, "tracker")
        values = self.complete(values)
        if values.model not in (SCRIPTED, self._settings.model.name, *SHIPPED):
            find(self._store, values.model)

    def check_labels(self, values: StreamValues) -> None:
        """Raises InvalidArgument (UNKNOWN_LABEL). Of a model that is not there yet the labels are not known either."""
        labels = self._labels(self.complete(values).model) if values.labels else ()
        if labels:
            class_numbers(labels, values.labels)

    def _labels(self, model: str) -> Sequence[str]:
        """What a model can find, without opening it; empty where that is not known."""
        if model == SCRIPTED:
            labels: Sequence[str] = plugins.load("agent.detectors", SCRIPTED, "detector").LABELS
            return labels
        try:
            return find(self._store, model)[1].labels
        except HerdlinkError:
            return ()

    def _open_detector(self, name: str) -> Detector:
        if name == SCRIPTED:
            scripted: Detector = plugins.load("agent.detectors", SCRIPTED, "detector").open_detector()
            return scripted
        try:
            return self._detectors.open(*find_or_fetch(self._store, name, self._notify))
        except HerdlinkError as error:
            raise FailedPrecondition("MODEL_NOT_READY", error.message) from error

    # -- jobs -----------------------------------------------------------------------------------------------------

    def plan(self, job: Job, values: StreamValues) -> Plan:
        """All that the job is made of; nothing is opened yet."""
        live = self.is_live(values.input)
        tracker = plugins.load(TRACKERS, values.tracker, "tracker")
        # A tracker with a stage for poor boxes says how poor; the others take the confident ones.
        lowest = tracker.lowest_score(values.threshold) if hasattr(tracker, "lowest_score") else values.threshold
        embedder = self._settings.embedder

        def open_pipeline(detector: Detector, first_id: int) -> Pipeline:
            return Pipeline(
                detector=detector,
                embedder=plugins.load(EMBEDDERS, embedder.name, "embedder").open_embedder(embedder.model),
                tracker=tracker.make(threshold=values.threshold, first_id=first_id, known_count=values.known_count),
                threshold=values.threshold,
                lowest=lowest,
                wanted=values.labels,
                rest_s=values.rest_s,
            )

        def open_herd(detector: Detector) -> Herd:
            return Herd(
                labels=detector.labels,
                wanted=values.labels,
                period_s=values.summary_period_s,
                known_count=values.known_count,
                totals=self._totals(job.stream),
                live=live,
                scene=values.scene,
            )

        return Plan(
            job=job,
            live=live,
            max_fps=values.max_fps,
            scene=values.scene,
            tell_tracks=self._settings.summary.tracks,
            settings={**_told(values), "embedder": embedder.name},
            input_file=self._source(values.input).local_path(values.input),
            pool=self._detectors.pool,
            # Of a camera no more than helps: what waits in a line is late. Of a file one more, so that nobody idles.
            ahead=min(2, self._detectors.threads) if live else self._detectors.threads + 1,
            open_source=lambda: self._open_source(values.input),
            open_detector=lambda: self._open_detector(values.model),
            open_pipeline=open_pipeline,
            open_herd=open_herd,
            open_sinks=lambda detector, info: self._open_sinks(Path(job.output), detector, info, values.max_fps),
        )

    def _open_sinks(self, folder: Path, detector: Detector, info: InputInfo, max_fps: float) -> Sequence[Sink]:
        open_folder(folder)
        fps = min(info.fps, max_fps) if info.fps and max_fps else info.fps or max_fps
        wanted = self._settings.output.video
        everything = wanted == "all" or not info.live
        names = ["snapshot", *(["mot"] if everything else []), *(["video"] if everything and wanted != "off" else [])]
        sinks: list[Sink] = [
            plugins.load(SINKS, name, "sink").open_sink(folder, labels=detector.labels, fps=fps) for name in names
        ]
        sinks.append(plugins.load(SINKS, "jsonl", "sink").open_sink(folder, to_json=self._to_json))
        return sinks


def _told(values: StreamValues) -> dict[str, Any]:
    """What run.json says of a stream: all that has an effect on its tracks and numbers."""
    without = {"name", "area", "input", "output", "enabled"} | ({"scene"} if values.scene == NO_SCENE else set())
    return {key: value for key, value in asdict(values).items() if key not in without}


def open_folder(path: Path) -> Path:
    """Makes a folder that can be written. Raises FailedPrecondition (OUTPUT_NOT_WRITABLE)."""
    probe = path / ".writable"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise FailedPrecondition(
            "OUTPUT_NOT_WRITABLE",
            f"{path} cannot be written ({error.strerror}); choose another folder or mend its rights",
        ) from error
    return path


def _lies_below(path: Path, root: Path) -> bool:
    """Whether a path, links followed, is the root or within it."""
    return path.resolve().is_relative_to(root.resolve())
