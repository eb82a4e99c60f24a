"""Looks in a whole `herdlink analyze`: a real clip, a real detector, and a tracker that notes what it is given."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from herdlink_command import herdlink
from onnx import TensorProto, helper, numpy_helper

import agent.core.trackers
from agent.cli._local import LocalNode
from agent.core.types import Detections
from agent.embedders.onnx import OnnxEmbedder
from agent.models.store import Store

CLIP = Path(__file__).parents[3] / "bridge" / "demo" / "pedestrians.mp4"
HERD = "synthetic:herd?animals=5&fps=10&seconds=2&seed=3&width=320&height=240"
FRAMES = 16
WIDTH = 8
SPY = """
from agent.core.trackers import herd
from agent.core.trackers.herd import lowest_score

SEEN = []


class Spy:
    def __init__(self, tracker):
        self._tracker = tracker

    def update(self, detections, time):
        SEEN.append(detections)
        return self._tracker.update(detections, time)


def make(**words):
    return Spy(herd.make(**words))
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of the real clip."""
    path = tmp_path_factory.mktemp("clip") / "people.mp4"
    film, part = cv2.VideoCapture(str(CLIP)), None
    for _ in range(FRAMES):
        read, image = film.read()
        assert read
        part = part or cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, image.shape[1::-1])
        part.write(image)
    assert part is not None
    part.release()
    return path


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Detections]]:
    """What the tracker `spy` is given, frame by frame: the default tracker, put in as any other would be."""
    (tmp_path / "spy.py").write_text(SPY)
    monkeypatch.setattr(agent.core.trackers, "__path__", [*agent.core.trackers.__path__, str(tmp_path)])
    from agent.core.trackers import spy  # type: ignore[attr-defined]

    yield spy.SEEN
    del sys.modules["agent.core.trackers.spy"], agent.core.trackers.spy  # type: ignore[attr-defined]


def reid(path: Path) -> Path:
    """A small re-identification model: mean colours through a 1x1 convolution, 1, and how many boxes came at once."""
    weights = np.random.default_rng(0).normal(0, 1, (WIDTH, 3, 1, 1)).astype(np.float32)
    zero, one = (np.float32(value) for value in (0, 1))
    constants = {"w": weights, "zero": zero, "one": one, "first": np.array([0]), "rest": np.array([1])}
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Conv", ["mean", "w"], ["mixed"]),
        helper.make_node("Flatten", ["mixed"], ["looks"]),
        helper.make_node("Slice", ["looks", "first", "rest", "rest"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["zeros"]),
        helper.make_node("Add", ["zeros", "one"], ["ones"]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["boxes"]),
        helper.make_node("Cast", ["boxes"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["ones", "number"], ["numbers"]),
        helper.make_node("Concat", ["looks", "ones", "numbers"], ["features"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "reid",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 64, 32])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", WIDTH + 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def analyse(clip: Path, folder: Path, store: Store) -> dict[str, Any]:
    """The run.json of a job with the tracker `spy`, as `herdlink analyze` makes it."""
    outcome = LocalNode(store=store, video=False).analyse(str(clip), folder, {"tracker": "spy", "labels": ["person"]})
    assert (outcome.state, outcome.frames) == ("DONE", FRAMES), outcome.error
    content: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return content


def set_embedder(monkeypatch: pytest.MonkeyPatch, name: str, model: str = "") -> None:
    monkeypatch.setenv("HERDLINK_AGENT__EMBEDDER__NAME", name)
    monkeypatch.setenv("HERDLINK_AGENT__EMBEDDER__MODEL", model)


def test_histograms_reach_the_tracker(
    seen: list[Detections], clip: Path, coco_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_embedder(monkeypatch, "histogram")
    told = analyse(clip, tmp_path / "out", coco_store)
    assert told["settings"]["embedder"] == "histogram"
    assert told["tracks"] > 0
    assert len(seen) == FRAMES
    for detections in seen:
        assert detections.features.shape == (len(detections), 432)
        assert np.linalg.norm(detections.features, axis=1) == pytest.approx(1, abs=1e-4)


def test_a_model_sees_all_boxes_of_a_frame_in_one_pass(
    seen: list[Detections], clip: Path, coco_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    run = OnnxEmbedder._run

    def counted(self: OnnxEmbedder, crops: Any) -> Any:
        passes.append(len(crops))
        return run(self, crops)

    monkeypatch.setattr(OnnxEmbedder, "_run", counted)
    set_embedder(monkeypatch, "onnx", str(reid(tmp_path / "reid.onnx")))
    told = analyse(clip, tmp_path / "out", coco_store)
    assert told["settings"]["embedder"] == "onnx"
    boxes = [len(detections) for detections in seen]
    assert max(boxes) > 1, "one box alone would show no batch"
    assert sorted(passes[1:]) == sorted(number for number in boxes if number), "after the first, which tries the model"
    for detections in seen:
        assert detections.features.shape == (len(detections), WIDTH + 2)
        ones, numbers = detections.features[:, -2], detections.features[:, -1]
        assert numbers / ones == pytest.approx(len(detections), rel=1e-4), "what the model itself has seen"
    crowd = max(seen, key=len).features
    assert (crowd @ crowd.T).min() < 0.9999, "people of different colours look different"


def test_without_an_embedder_the_tracker_gets_no_looks(
    seen: list[Detections], clip: Path, coco_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_embedder(monkeypatch, "none")
    analyse(clip, tmp_path / "out", coco_store)
    assert {detections.features.shape[1] for detections in seen} == {0}


def flat(path: Path) -> Path:
    """A model that takes rows of ten numbers and no pictures."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 10])
    told = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "flat", [given], [told])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", "the embedder onnx needs a model: set embedder.model to its file"),
        ("none.onnx", "there is no file {folder}/none.onnx; embedder.model names the embedder's ONNX file"),
        ("text.onnx", "{folder}/text.onnx is no ONNX model that can be run"),
        ("flat.onnx", "it must take tensor(float) [N, 3, height, width] with fixed height and width"),
    ],
)
def test_a_bad_model_fails_the_job_with_one_sentence(model: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    flat(tmp_path / "flat.onnx")
    more = {
        "HERDLINK_AGENT__EMBEDDER__NAME": "onnx",
        "HERDLINK_AGENT__EMBEDDER__MODEL": str(tmp_path / model) if model else "",
    }
    done = herdlink("analyze", HERD, "--output", str(tmp_path / "out"), "--no-video", status=1, **more)
    lines = [line for line in done.stderr.splitlines() if line.startswith("herdlink: ")]
    assert len(lines) == 1
    assert told.format(folder=tmp_path) in lines[0]
