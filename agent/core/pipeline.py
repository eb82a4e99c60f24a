"""One frame through the model and the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.core.area import Area
from agent.core.labels import class_numbers
from agent.core.ports import Detector, Embedder, Tracker
from agent.core.rest import Rest
from agent.core.scene import NO_SCENE, Scene
from agent.core.types import Detections, Frame, Result, Tracks


class Pipeline:
    """detect -> keep the wanted labels -> embed -> keep what lies in the area -> track; holds one job's tracker."""

    def __init__(
        self,
        *,
        detector: Detector,
        embedder: Embedder,
        tracker: Tracker,
        threshold: float,
        lowest: float | None = None,
        wanted: Sequence[str] = (),
        rest_s: float = 0.0,
    ) -> None:
        """Detections count from `threshold` on; those from `lowest` on are the tracker's to use (None: the same).
        `rest_s`: the longest time between two looks while nothing happens (rest.py); 0: every picture is looked at.
        """
        self._detector = detector
        self._embedder = embedder
        self._tracker = tracker
        self._threshold = threshold
        self._lowest = threshold if lowest is None else lowest
        self._wanted = np.zeros(len(detector.labels), np.bool_)
        self._wanted[class_numbers(detector.labels, wanted)] = True
        self._wants_all = bool(self._wanted.all())
        self._rest = Rest(rest_s) if rest_s else None
        self._scene = NO_SCENE
        self._area = Area(())

    @property
    def rests(self) -> bool:
        """Whether `looks` is to be asked about each picture, in order and with all before it tracked."""
        return self._rest is not None

    def looks(self, frame: Frame) -> bool:
        """Whether the model has to look at this picture; otherwise `coast` tells where the tracks are."""
        return self._rest is None or self._rest.looks(frame.time, frame.image)

    def coast(self, frame: Frame) -> Result:
        """The tracks in a picture that the model did not see, where nothing has happened since it last looked."""
        if self._rest is None:
            return Result(frame, Detections(), Tracks(), self._scene)
        return Result(frame, Detections(), self._rest.coast(frame.time, frame.image.shape[:2]), self._scene)

    def set_scene(self, scene: Scene) -> None:
        """Takes effect with the next frame that is tracked."""
        if scene.area != self._scene.area:
            self._area = Area(scene.area)
        self._scene = scene

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The wanted objects of each picture, with their appearance, down to the lowest score of use."""
        found = self._detector.detect([frame.image for frame in frames], self._lowest)
        return [self._picked(frame, detections) for frame, detections in zip(frames, found, strict=True)]

    def _picked(self, frame: Frame, detections: Detections) -> Detections:
        if not self._wants_all:
            detections = detections[self._wanted[detections.classes]]
        features = self._embedder.embed(frame.image, detections.boxes)
        return replace(detections, features=features) if features.shape[1] else detections

    def track(self, frame: Frame, detections: Detections) -> Result:
        """Call it in the order of the frames; `detect` has no order."""
        height, width = frame.image.shape[:2]
        detections = self._area.keep(detections, frame.time, (height, width))
        tracks = self._tracker.update(detections, frame.time)
        if self._rest is not None:
            self._rest.saw(frame.time, tracks)
        if self._lowest < self._threshold:
            detections = detections[detections.scores >= self._threshold]
        return Result(frame, detections, tracks, self._scene)
