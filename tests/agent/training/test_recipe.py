"""The parts of the training that need no PyTorch; those that do are in test_with_torch.py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from agent.core.errors import InvalidArgument
from agent.core.types import Detections
from agent.training import labels, photos, pictures
from agent.training.export import halved
from agent.training.judge import sure_score
from agent.training.measure import curve
from agent.training.samples import Stock, sample


def _boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def _found(*rows: tuple[float, ...]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4], np.zeros(len(table), np.int32))


def test_average_precision_by_hand() -> None:
    truth = [_boxes((0, 0, 10, 10), (20, 0, 30, 10))]
    perfect = curve([_found((0, 0, 10, 10, 0.9), (20, 0, 30, 10, 0.8))], truth)
    assert (perfect.average_precision(), perfect.recall_at(0.85), perfect.at(0.85)) == (1.0, 1.0, (1.0, 0.5))
    # right, wrong, right: recall 0.5 at precision 1, recall 1 at precision 2/3
    mixed = curve([_found((0, 0, 10, 10, 0.9), (50, 0, 60, 10, 0.8), (20, 0, 30, 10, 0.7))], truth)
    assert mixed.average_precision() == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert mixed.recall_at(0.85) == 0.5
    # The second box on one animal is wrong; what is to be ignored is neither.
    twice = curve([_found((0, 0, 10, 10, 0.9), (0, 0, 10, 9, 0.8))], truth)
    assert twice.right.tolist() == [True, False]
    free = curve([_found((0, 0, 10, 10, 0.9), (50, 0, 60, 10, 0.8))], truth, [_boxes((50, 0, 60, 10))])
    assert free.right.tolist() == [True]
    assert curve([_found()], truth).average_precision() == 0


class _Told:
    """Finds in a picture as many animals as its first row has bytes above 0, each so likely as its byte of 200."""

    def detect(self, images: Sequence[np.ndarray], threshold: float) -> list[Detections]:
        found = []
        for image in images:
            scores = image[0, image[0] > 0].astype(np.float32) / 200
            found.append(Detections(np.zeros((len(scores), 4), np.float32), scores, np.zeros(len(scores), np.int32)))
        return found


def test_scores_are_set_so_that_one_photo_in_ten_has_a_false_alarm() -> None:
    photos = [np.zeros((1, 4), np.uint8) for _ in range(20)]
    photos[3][0, :2], photos[7][0, :2], photos[9][0, 0] = (140, 60), (120, 100), 80
    # Of 0.7, 0.6, 0.5, 0.4, 0.3 two may be left.
    assert 0.5 < sure_score(_Told(), photos) < 0.51
    assert 0.4 < sure_score(_Told(), photos, 0.15) < 0.41
    assert sure_score(_Told(), [np.zeros((1, 4), np.uint8)]) == pytest.approx(0.2)


def test_labels_come_back(tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    boxes = _boxes((10, 20, 50, 60), (0, 0, 200, 100))
    labels.write(picture, boxes, np.array([0, labels.IGNORED], np.int32), 200, 100)
    read, classes = labels.read(picture, 200, 100)
    assert read == pytest.approx(boxes, abs=0.01) and classes.tolist() == [0, -1]
    assert len(labels.read(tmp_path / "none.jpg", 200, 100)[0]) == 0


@pytest.mark.parametrize("row", ["0 0.5 0.5 0.1", "0 0.5 0.5 100 100", "pig 0.5 0.5 0.1 0.1", "0 nan 0.5 0.1 0.1"])
def test_labels_that_are_none_name_file_and_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "a.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{row}\n")
    with pytest.raises(InvalidArgument, match=r"a\.txt line 2: a row is `class x y width height`"):
        labels.read(tmp_path / "a.jpg", 100, 100)


def test_pictures_are_made_once_and_gone_on_with(tmp_path: Path) -> None:
    told: list[str] = []
    order = pictures.Order(seed=2, count=3, sprites=12, others=2, width=192)
    made = pictures.make(tmp_path, order, [], [], 1, told.append)
    assert [path.name for path in made] == ["000000.jpg", "000001.jpg", "000002.jpg"] and len(told) == 2
    first = made[0].read_bytes()
    assert pictures.make(tmp_path, order, [], [], 1, told.append) == made and len(told) == 2
    (tmp_path / "000000.done").unlink()
    pictures.make(tmp_path, order, [], [], 1, told.append)
    assert made[0].read_bytes() == first


def test_samples_keep_their_boxes_on_the_animals(tmp_path: Path) -> None:
    """A white block on black, through all that is done to a picture, still fills its box."""
    image = np.zeros((120, 200, 3), np.uint8)
    image[40:80, 60:140] = 255
    cv2.imwrite(str(tmp_path / "a.png"), image)
    labels.write(tmp_path / "a.png", _boxes((60, 40, 140, 80)), np.zeros(1, np.int32), 200, 120)
    stock = Stock([tmp_path / "a.png"], photos=[np.zeros((50, 50, 3), np.uint8)], photo_share=0.2)
    filled = 0
    for seed in range(40):
        one = sample(stock, np.random.default_rng(seed), 160, 128)
        assert one.image.shape == (128, 160, 3)
        for left, top, right, bottom in np.round(one.boxes).astype(int):
            inside = one.image[top + 1 : bottom - 1, left + 1 : right - 1]
            assert inside.size == 0 or inside.mean() > one.image.mean()
            filled += 1
    assert filled > 25


def test_half_precision_is_widened_where_it_is_used() -> None:
    weight = numpy_helper.from_array(np.random.default_rng(0).normal(0, 1, (8, 3, 5, 5)).astype(np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 9, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 5, 5])],
        [weight],
    )
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    half = halved(whole)
    assert len(half) < 0.7 * len(whole)
    import onnxruntime

    x = np.random.default_rng(1).normal(0, 1, (1, 3, 9, 9)).astype(np.float32)
    first, second = (onnxruntime.InferenceSession(m).run(None, {"x": x})[0] for m in (whole, half))
    assert first == pytest.approx(second, abs=0.02)
    assert [n.op_type for n in onnx.load_model_from_string(half).graph.node] == ["Cast", "Conv"]


def test_no_photo_is_both_trained_on_and_judged_by() -> None:
    """Nor does any show a pig, as far as names tell."""
    for package in photos.PACKAGES:
        assert package.licence
    farm = next(one for one in photos.PACKAGES if one.name == "gcompris-qt-data")
    assert re.search(farm.never, "x/explore_farm_animals.rcc/6.webp") and re.search(farm.judges, "explore_farm_animals")
    stamps = next(one for one in photos.PACKAGES if one.name == "tuxpaint-stamps-default")
    assert re.search(stamps.never, "stamps/animals/mammals/pig.png")
