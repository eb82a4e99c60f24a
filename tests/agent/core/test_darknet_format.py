"""Reading [yolo] outputs: against the formula written out place by place, and the laws of what comes out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent.core.errors import InvalidArgument
from agent.core.formats._candidates import MAX_CANDIDATES
from agent.core.formats.darknet import make_format
from agent.core.model import Fit, ModelSpec
from agent.core.nms import pick
from agent.core.types import Detections

LABELS = ("cow", "sheep", "person")
CHANNELS = 2 * (5 + len(LABELS))
SHAPES = ((1, CHANNELS, 2, 3), (1, CHANNELS, 4, 6))
FIT = Fit(picture_width=300, picture_height=200, left=0, top=0, width=96, height=64)
ANCHORS = ([[10, 20], [30, 15]], [[5, 5], [12, 9]])


def spec_of(scale_x_y: float = 1.0, new_coords: bool = False, **changes: Any) -> ModelSpec:
    heads = [{"anchors": pairs, "scale_x_y": scale_x_y, "new_coords": new_coords} for pairs in ANCHORS]
    values: dict[str, Any] = {"labels": LABELS, "options": {"heads": heads}, **changes}
    return ModelSpec(name="toy", format="darknet", width=96, height=64, **values)


@pytest.mark.parametrize(("scale_x_y", "new_coords"), [(1.0, False), (1.2, False), (2.0, True)])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5])
def test_it_equals_the_formula(scale_x_y: float, new_coords: bool, threshold: float) -> None:
    rng = np.random.default_rng(7)
    outputs = [(rng.random(shape) if new_coords else rng.normal(0, 2, shape)).astype(np.float32) for shape in SHAPES]
    got = make_format(spec_of(scale_x_y, new_coords), SHAPES).decode(outputs, FIT, threshold)
    wanted = by_the_book(outputs, scale_x_y, new_coords, threshold)
    assert len(got) == len(wanted) > 0
    np.testing.assert_array_equal(got.classes, wanted.classes)
    np.testing.assert_allclose(got.scores, wanted.scores, atol=1e-5)
    np.testing.assert_allclose(got.boxes, wanted.boxes, atol=0.01)


def by_the_book(outputs: list[np.ndarray], scale_x_y: float, new_coords: bool, threshold: float) -> Detections:
    boxes, scores, classes = [], [], []
    for output, anchors in zip(outputs, ANCHORS, strict=True):
        rows, columns = output.shape[2:]
        for a, row, column in np.ndindex(2, rows, columns):
            x, y, w, h, obj, *likely = output[0, a * 8 : a * 8 + 8, row, column].astype(float)
            if new_coords:
                wide, high = (2 * w) ** 2 * anchors[a][0], (2 * h) ** 2 * anchors[a][1]
            else:
                x, y, obj, *likely = (1 / (1 + math.exp(-v)) for v in (x, y, obj, *likely))
                wide, high = math.exp(w) * anchors[a][0], math.exp(h) * anchors[a][1]
            cx = (column + x * scale_x_y - (scale_x_y - 1) / 2) / columns * FIT.picture_width
            cy = (row + y * scale_x_y - (scale_x_y - 1) / 2) / rows * FIT.picture_height
            wide, high = wide / 96 * FIT.picture_width, high / 64 * FIT.picture_height
            if obj * max(likely) >= threshold:
                boxes.append([cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2])
                scores.append(obj * max(likely))
                classes.append(likely.index(max(likely)))
    return pick(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.array(classes, np.int32), width=300, height=200
    )


anything = st.floats(-60, 60, width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 3e38])


@settings(max_examples=60)
@given(
    arrays(np.float32, SHAPES[0], elements=anything),
    arrays(np.float32, SHAPES[1], elements=anything),
    st.floats(0, 1),
    st.booleans(),
)
def test_whatever_the_network_says(first: np.ndarray, second: np.ndarray, threshold: float, new_coords: bool) -> None:
    found = make_format(spec_of(1.05, new_coords), SHAPES).decode([first, second], FIT, threshold)
    assert np.isfinite(found.boxes).all()
    left, top, right, bottom = found.boxes.T
    assert (left >= 0).all() and (top >= 0).all() and (right <= 300).all() and (bottom <= 200).all()
    assert (right - left >= 1).all() and (bottom - top >= 1).all()
    assert (found.scores >= np.float32(threshold)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.classes >= 0) & (found.classes < len(LABELS))).all()
    assert found.boxes.dtype == found.scores.dtype == np.float32 and found.classes.dtype == np.int32


def test_a_threshold_of_nothing_is_bounded() -> None:
    spec = spec_of(options={"heads": [{"anchors": [[0.5, 0.5]] * 2, "scale_x_y": 1.0, "new_coords": False}]})
    shape = (1, CHANNELS, 64, 96)
    output = np.random.default_rng(1).normal(0, 1, shape).astype(np.float32)
    found = make_format(spec, [shape]).decode([output], FIT, 0.0)
    assert 100 < len(found) <= MAX_CANDIDATES
    best = make_format(spec, [shape]).decode([output], FIT, float(found.scores[0]))
    assert best.scores.tolist() == found.scores[:1].tolist()


def test_nothing_found_is_an_empty_array() -> None:
    found = make_format(spec_of(), SHAPES).decode([np.full(s, -9, np.float32) for s in SHAPES], FIT, 0.3)
    assert (len(found), found.boxes.shape) == (0, (0, 4))


@pytest.mark.parametrize(
    ("changes", "shapes", "says"),
    [
        ({"options": {}}, SHAPES, "options.heads must describe its 2 outputs"),
        ({}, SHAPES[:1], "options.heads must describe its 1 outputs"),
        ({}, (), "options.heads must describe its 0 outputs"),
        ({"labels": ("cow",)}, SHAPES, "2 anchors and 1 labels make 12 channels, the output's shape is 1x16x2x3"),
        ({}, ((1, 12, 7), SHAPES[1]), "the output's shape is 1x12x7"),
        ({"options": {"heads": [{}, {}]}}, SHAPES, "each of options.heads needs anchors"),
        ({"options": {"heads": [1, 2]}}, SHAPES, "each of options.heads needs anchors"),
        ({"options": {"heads": [{"anchors": [1, 2, 3]}] * 2}}, SHAPES, "each of options.heads needs anchors"),
    ],
)
def test_a_description_that_does_not_fit_is_told(changes: dict[str, Any], shapes: Any, says: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make_format(spec_of(**changes), shapes)
    assert caught.value.reason == "MODEL_INVALID" and says in caught.value.message
