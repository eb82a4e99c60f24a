"""Every format of the folder: laws that hold whatever the network says, and the formulas written out cell by cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import plugins
from agent.core.errors import InvalidArgument
from agent.core.formats._candidates import MAX_CANDIDATES
from agent.core.model import Fit, ModelSpec

LABELS = ("cow", "sheep", "person")
FIT = Fit(picture_width=300, picture_height=200, left=0, top=0, width=96, height=64)
CELLS = 12 * 8 + 6 * 4 + 3 * 2
HEADS = [{"anchors": [[10, 20], [30, 15]], "scale_x_y": 1.05, "new_coords": False}]
COLUMNS = [["left", "top", "right", "bottom"], ["score"], ["class"], ["count"]]

CASES: dict[str, tuple[str, dict[str, Any], list[tuple[int, ...]]]] = {
    "darknet": ("darknet", {"heads": HEADS}, [(1, 16, 4, 6)]),
    "yolov5": ("yolov5", {}, [(1, 3 * CELLS, 8)]),
    "yolov5 with masks": ("yolov5", {"extra": 2, "box": "xyxy"}, [(1, 3 * CELLS, 10)]),
    "yolov8": ("yolov8", {}, [(1, 7, CELLS)]),
    "yolov8 by rows": ("yolov8", {"units": "normalised"}, [(1, CELLS, 7)]),
    "yolox": ("yolox", {}, [(1, CELLS, 8)]),
    "yolox decoded": ("yolox", {"decoded": True}, [(1, CELLS, 8)]),
    "yolox maps": ("yolox", {}, [(1, 8, 8, 12), (1, 8, 4, 6), (1, 8, 2, 3)]),
    "nanodet": ("nanodet", {"strides": [8, 16, 32]}, [(1, CELLS, 35)]),
    "nanodet pairs": ("nanodet", {"strides": [16, 32]}, [(1, 24, 3), (1, 6, 3), (1, 24, 32), (1, 6, 32)]),
    "fastestdet": ("fastestdet", {}, [(1, 8, 4, 6)]),
    "end2end": ("end2end", {}, [(1, 30, 6)]),
    "end2end parts": ("end2end", {"columns": COLUMNS}, [(1, 30, 4), (1, 30), (1, 30), (1, 1)]),
    "detr": ("detr", {}, [(1, 40, 3), (1, 40, 4)]),
    "detr softmax": ("detr", {"activation": "softmax", "nothing": True}, [(1, 40, 4), (1, 40, 4)]),
    "detr transposed": ("detr", {"activation": "none", "overlap": 0.7}, [(1, 3, 40), (1, 40, 4)]),
}


def spec_of(name: str, **changes: Any) -> ModelSpec:
    form, options, _ = CASES[name]
    values: dict[str, Any] = {"labels": LABELS, "options": options, **changes}
    return ModelSpec(name="toy", format=form, width=96, height=64, **values)


def made(name: str, **changes: Any) -> Any:
    return plugins.load("agent.core.formats", CASES[name][0], "format").make_format(
        spec_of(name, **changes), CASES[name][2]
    )


def test_every_format_of_the_folder_is_tested() -> None:
    assert {case[0] for case in CASES.values()} == set(plugins.names("agent.core.formats"))


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([0.3, 3, 60]), st.booleans())
def test_whatever_the_network_says(name: str, seed: int, threshold: float, spread: float, odd: bool) -> None:
    rng = np.random.default_rng(seed)
    outputs = [rng.normal(0.4, spread, shape).astype(np.float32) for shape in CASES[name][2]]
    if odd:
        strange = np.array([math.nan, math.inf, -math.inf, 3e38, -3e38], np.float32)
        for output in outputs:
            places = rng.random(output.shape) < 0.1
            output[places] = rng.choice(strange, int(places.sum()))
    found = made(name).decode(outputs, FIT, threshold)
    assert np.isfinite(found.boxes).all()
    left, top, right, bottom = found.boxes.T
    assert (left >= 0).all() and (top >= 0).all() and (right <= 300).all() and (bottom <= 200).all()
    assert (right - left >= 1).all() and (bottom - top >= 1).all()
    assert (found.scores >= np.float32(threshold)).all() and (found.scores <= 1).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.classes >= 0) & (found.classes < len(LABELS))).all()
    assert found.boxes.dtype == found.scores.dtype == np.float32 and found.classes.dtype == np.int32


@pytest.mark.parametrize("name", CASES)
def test_nothing_found_is_an_empty_array(name: str) -> None:
    outputs = [np.full(shape, -90, np.float32) for shape in CASES[name][2]]
    found = made(name).decode(outputs, FIT, 0.9)
    assert (len(found), found.boxes.shape) == (0, (0, 4))


@pytest.mark.parametrize("name", CASES)
def test_outputs_of_other_shapes_are_told(name: str) -> None:
    module = plugins.load("agent.core.formats", CASES[name][0], "format")
    shapes = CASES[name][2]
    wrong = [[*shapes, (1, 2, 3)], [(2, *shape[1:]) for shape in shapes], []]
    # Any number of cells will do where nothing tells it.
    wrong += [] if name in ("darknet", "yolov8", "fastestdet") else [[(*shape[:-1], 5) for shape in shapes]]
    for others in wrong:
        with pytest.raises(InvalidArgument) as caught:
            module.make_format(spec_of(name), others)
        assert caught.value.reason == "MODEL_INVALID" and "\n" not in caught.value.message
        assert "model toy and its description disagree" in caught.value.message


@pytest.mark.parametrize("name", [name for name in CASES if name != "darknet"])
@pytest.mark.parametrize(
    ("key", "value"),
    [("colour", "RGB"), ("overlap", "high"), ("overlap", True), ("overlap", -1.0), ("overlap", math.nan)],
)
def test_options_that_cannot_be_are_told(name: str, key: str, value: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        made(name, options={**CASES[name][1], key: value})
    assert key in caught.value.message and caught.value.reason == "MODEL_INVALID"


@pytest.mark.parametrize(("key", "value"), [("strides", []), ("strides", [0]), ("strides", [8, "a"]), ("bins", 0)])
def test_nanodet_options_that_cannot_be(key: str, value: Any) -> None:
    with pytest.raises(InvalidArgument):
        made("nanodet", options={**CASES["nanodet"][1], key: value})


@pytest.mark.parametrize(
    "columns", [[["left", "top", "right", "bottom", "score", "colour"]], [["score", "class"] * 3], [["left"] * 6]]
)
def test_columns_that_cannot_be(columns: list[list[str]]) -> None:
    with pytest.raises(InvalidArgument, match=r"options\.columns"):
        made("end2end", options={"columns": columns})


def test_a_threshold_of_nothing_is_bounded() -> None:
    spec = ModelSpec(name="toy", format="yolov8", labels=LABELS, width=640, height=640, options={"overlap": 1.0})
    module = plugins.load("agent.core.formats", "yolov8", "format")
    output = np.random.default_rng(1).uniform(0.1, 0.9, (1, 7, 8400)).astype(np.float32)
    output[:, :4] = np.random.default_rng(2).uniform(50, 300, (1, 4, 8400))
    found = module.make_format(spec, [output.shape]).decode([output], FIT, 0.0)
    assert len(found) <= MAX_CANDIDATES
    best = module.make_format(spec, [output.shape]).decode([output], FIT, float(found.scores[0]))
    assert best.scores.tolist() == found.scores[:1].tolist()


def test_yolox_equals_its_formula() -> None:
    rng = np.random.default_rng(3)
    output = np.concatenate([rng.normal(0.5, 0.5, (1, CELLS, 4)), rng.random((1, CELLS, 4))], 2).astype(np.float32)
    found = made("yolox", options={"overlap": 1.0}).decode([output], FIT, 0.25)
    wanted, cell = [], 0
    for stride in (8, 16, 32):
        for row, column in np.ndindex(64 // stride, 96 // stride):
            x, y, w, h, objectness, *likely = output[0, cell].astype(float)
            cell += 1
            score = objectness * max(likely)
            if score >= 0.25:
                middle = (x + column) * stride, (y + row) * stride
                size = math.exp(w) * stride, math.exp(h) * stride
                wanted.append((score, likely.index(max(likely)), *in_picture(*middle, *size)))
    assert_rows(found, wanted)


def test_nanodet_equals_its_formula() -> None:
    rng = np.random.default_rng(4)
    output = np.concatenate([rng.random((1, CELLS, 3)), rng.normal(0, 2, (1, CELLS, 32))], 2).astype(np.float32)
    options = {"strides": [8, 16, 32], "offset": 0.5, "overlap": 1.0}
    found = made("nanodet", options=options).decode([output], FIT, 0.7)
    wanted, cell = [], 0
    for stride in (8, 16, 32):
        for row, column in np.ndindex(64 // stride, 96 // stride):
            likely, edges = output[0, cell, :3].astype(float), output[0, cell, 3:].astype(float).reshape(4, 8)
            cell += 1
            shares = np.exp(edges) / np.exp(edges).sum(axis=1, keepdims=True)
            left, top, right, bottom = (shares @ np.arange(8)) * stride
            x, y = (column + 0.5) * stride, (row + 0.5) * stride
            if likely.max() >= 0.7:
                middle = x + (right - left) / 2, y + (bottom - top) / 2
                wanted.append((likely.max(), likely.argmax(), *in_picture(*middle, left + right, top + bottom)))
    assert_rows(found, wanted)


def test_fastestdet_equals_its_formula() -> None:
    rng = np.random.default_rng(5)
    output = rng.random((1, 8, 4, 6)).astype(np.float32)
    output[:, 1:5] = rng.normal(0, 1, (1, 4, 4, 6))
    found = made("fastestdet", options={"overlap": 1.0}).decode([output], FIT, 0.5)
    wanted = []
    for row, column in np.ndindex(4, 6):
        objectness, x, y, w, h, *likely = output[0, :, row, column].astype(float)
        score = objectness**0.6 * max(likely) ** 0.4
        if score >= 0.5:
            middle = (math.tanh(x) + column) / 6 * 96, (math.tanh(y) + row) / 4 * 64
            size = 96 / (1 + math.exp(-w)), 64 / (1 + math.exp(-h))
            wanted.append((score, likely.index(max(likely)), *in_picture(*middle, *size)))
    assert_rows(found, wanted)


def in_picture(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Corners in the picture, cut to it."""
    across, down = 300 / 96, 200 / 64
    sides = ((x - width / 2) * across, (y - height / 2) * down, (x + width / 2) * across, (y + height / 2) * down)
    left, top, right, bottom = (
        min(max(side, 0.0), edge) for side, edge in zip(sides, (300, 200, 300, 200), strict=True)
    )
    return left, top, right, bottom


def assert_rows(found: Any, wanted: list[Any]) -> None:
    """What is a pixel thin in the picture is left out."""
    wanted = sorted((row for row in wanted if row[4] - row[2] >= 1 and row[5] - row[3] >= 1), key=lambda row: -row[0])
    assert len(found) == len(wanted) > 3
    np.testing.assert_allclose(found.scores, [row[0] for row in wanted], atol=1e-5)
    assert found.classes.tolist() == [row[1] for row in wanted]
    np.testing.assert_allclose(found.boxes, [row[2:] for row in wanted], atol=0.01)
