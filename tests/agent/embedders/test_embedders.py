"""What every file of agent/embedders must hold, and what each is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from agent import plugins
from agent.core.errors import InvalidArgument, NotFound
from agent.core.ports import Embedder
from agent.core.types import Floats, Image

PACKAGE = "agent.embedders"
NAMES = plugins.names(PACKAGE)
BOXES = np.array([[10, 10, 60, 110], [100, 20, 140, 90], [-20, -20, 20, 20], [900, 900, 950, 990]], np.float32)


def picture() -> Image:
    """A red and a blue object before grey."""
    image = np.full((240, 320, 3), 128, np.uint8)
    image[10:110, 10:60] = (30, 30, 200)
    image[20:90, 100:140] = (200, 60, 30)
    return image


def mean_colour(
    path: Path, *, batch: int | str = "n", shape: tuple[int | str, ...] = (3, 8, 4), over: tuple[int, ...] = ()
) -> Path:
    """A model whose feature is the mean colour of its input; `over`: the mean over other axes than it should be."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])
    told = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    axes = over or ([2, 3] if shape[0] == 3 else [1, 2])
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=0)
    graph = helper.make_graph([node], "mean", [given], [told])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def embedder(name: str, folder: Path) -> Embedder:
    model = str(mean_colour(folder / "mean.onnx")) if name == "onnx" else ""
    opened: Embedder = plugins.load(PACKAGE, name, "embedder").open_embedder(model)
    return opened


def open_onnx(model: Path | str) -> Embedder:
    opened: Embedder = plugins.load(PACKAGE, "onnx", "embedder").open_embedder(str(model))
    return opened


@pytest.mark.parametrize("name", NAMES)
def test_features_are_unit_vectors_a_row_each(name: str, tmp_path: Path) -> None:
    one = embedder(name, tmp_path)
    features = one.embed(picture(), BOXES)
    assert features.dtype == np.float32 and len(features) == len(BOXES)
    if features.shape[1]:
        assert np.linalg.norm(features, axis=1) == pytest.approx(1, abs=1e-5)
    assert one.embed(picture(), np.zeros((0, 4), np.float32)).shape == (0, features.shape[1])
    order = [2, 0, 3, 1]
    assert one.embed(picture(), BOXES[order]) == pytest.approx(features[order])


@pytest.mark.parametrize("name", sorted({*NAMES} - {"none"}))
def test_what_looks_alike_is_near_and_what_does_not_is_far(name: str, tmp_path: Path) -> None:
    image = picture()
    image[120:220, 200:250] = image[10:110, 10:60] + np.random.default_rng(0).integers(0, 6, (100, 50, 3), np.uint8)
    boxes = np.array([[10, 10, 60, 110], [200, 120, 250, 220], [100, 20, 140, 90]], np.float32)
    features = embedder(name, tmp_path).embed(image, boxes)
    likeness = features @ features.T
    assert likeness[0, 1] > 0.9 and likeness[0, 2] < 0.7


def expected(image: Image, box: Floats, mean: float, scale: float) -> Floats:
    left, top, right, bottom = box.astype(int)
    colour = image[top:bottom, left:right].reshape(-1, 3).mean(axis=0)[::-1] * scale - mean
    return np.asarray(colour / np.linalg.norm(colour), np.float32)


@pytest.mark.parametrize(("batch", "shape"), [("n", (3, 8, 4)), (2, (3, 8, 4)), (1, (8, 4, 3)), ("n", (8, 4, 3))])
def test_a_model_gets_what_its_graph_and_the_file_beside_it_say(
    batch: int | str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    model = mean_colour(tmp_path / "m.onnx", batch=batch, shape=shape)
    (tmp_path / "m.toml").write_text("scale = 0.01\nmean = [0.5, 0.5, 0.5]\nstd = [1, 1, 1]\n")
    features = open_onnx(model).embed(picture(), BOXES[[0, 1, 0]])
    for feature, box in zip(features, BOXES[[0, 1, 0]], strict=True):
        assert feature == pytest.approx(expected(picture(), box, 0.5, 0.01), abs=1e-4)


def test_more_boxes_than_fit_at_once(tmp_path: Path) -> None:
    features = open_onnx(mean_colour(tmp_path / "m.onnx")).embed(picture(), np.tile(BOXES[:2], (100, 1)))
    assert features.shape == (200, 3) and features[::2] == pytest.approx(np.tile(features[:1], (100, 1)))


def test_what_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="needs a model"):
        open_onnx("")
    with pytest.raises(NotFound, match="there is no file"):
        open_onnx(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(InvalidArgument, match="no ONNX model"):
        open_onnx(tmp_path / "text.onnx")
    with pytest.raises(InvalidArgument, match="must take"):
        open_onnx(mean_colour(tmp_path / "free.onnx", shape=(3, "h", "w")))
    with pytest.raises(InvalidArgument, match=r"gives \[3\] for 2 pictures; it must give a row of features for each"):
        open_onnx(mean_colour(tmp_path / "mixed.onnx", over=(0, 2, 3)))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("std = [0, 1, 1]", "std above 0"),
        ("mean = [1]", "three each"),
        ('order = "rbg"', "order"),
        ("means = [1, 1, 1]", "known: scale"),
        ("scale =", "cannot be read"),
        ('mean = "grey"', "three each"),
    ],
)
def test_a_file_beside_the_model_that_makes_no_sense(told: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(told)
    with pytest.raises(InvalidArgument, match=why):
        open_onnx(mean_colour(tmp_path / "m.onnx"))
