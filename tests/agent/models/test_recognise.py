"""Recognition: graphs with the exact outputs of each family's exporter, whose planted objects must come back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import planted
import pytest
from onnx import TensorProto, helper
from planted import CLASSES, HEIGHT, OBJECTS, WIDTH, Drawing

from agent.core.errors import InvalidArgument
from agent.core.letterbox import fit_picture
from agent.core.types import Detections
from agent.detectors.onnx import open_detector, run_once
from agent.models.overrides import read_overrides
from agent.models.recognise import Recognised, Said, recognise
from agent.models.store import Store

NAMES = {"names": "{0: 'cow', 1: 'calf', 2: 'dog'}"}
ULTRALYTICS = {
    **NAMES,
    "author": "Ultralytics",
    "license": "AGPL-3.0",
    "task": "detect",
    "imgsz": f"[{HEIGHT}, {WIDTH}]",
}
LABELS = ("cow", "calf", "dog")

FAMILIES: dict[str, tuple[Callable[[Drawing], Drawing], str]] = {
    "yolov8": (planted.yolov8, "yolov8"),
    "yolov8 transposed": (partial(planted.yolov8, transposed=True), "yolov8"),
    "yolov8 with masks": (partial(planted.yolov8, extra=32), "yolov8"),
    "yolov8 with corners": (partial(planted.yolov8, order="xyxy"), "yolov8"),
    "yolov8 of 0..1": (partial(planted.yolov8, normalised=True), "yolov8"),
    "yolov5": (planted.yolov5, "yolov5"),
    "yolov5 with raw outputs beside": (partial(planted.yolov5, raw_too=True), "yolov5"),
    "yolox": (planted.yolox, "yolox"),
    "yolox decoded": (partial(planted.yolox, decoded=True), "yolox"),
    "yolox, an output a stride": (partial(planted.yolox, maps=True), "yolox"),
    "nanodet-plus": (planted.nanodet, "nanodet"),
    "nanodet, an output a stride": (partial(planted.nanodet, pairs=True), "nanodet"),
    "nanodet before plus": (partial(planted.nanodet, plus=False), "nanodet"),
    "nanodet of 17 bins": (partial(planted.nanodet, bins=17), "nanodet"),
    "fastestdet": (planted.fastestdet, "fastestdet"),
    "300 x 6": (planted.six, "end2end"),
    "300 x 6, class first": (partial(planted.six, class_first=True), "end2end"),
    "300 x 6 of 0..1, RT-DETR's": (partial(planted.six, middle=True), "end2end"),
    "300 x 38 and masks": (partial(planted.six, extra=32, masks=True), "end2end"),
    "300 x 57, key points": (partial(planted.six, extra=51), "end2end"),
    "N x 7": (planted.seven, "end2end"),
    "boxes, scores, classes and a count": (planted.counted, "end2end"),
    "dets and labels": (planted.dets_and_labels, "end2end"),
    "torchvision": (planted.torchvision, "end2end"),
    "rt-detr with sizes": (planted.rtdetr_with_sizes, "end2end"),
    "detr": (partial(planted.queries, nothing=True), "detr"),
    "rt-detr": (planted.queries, "detr"),
    "rt-detr in one": (planted.queries_in_one, "yolov8"),
    "boxes and scores": (planted.boxes_and_scores, "detr"),
}


def recognised(path: Path, *words: str, labels: tuple[str, ...] = (), size: tuple[int, int] = (0, 0)) -> Recognised:
    keys, options = read_overrides(words)
    said = Said(labels=labels, size=size, keys=keys, options=options)
    return recognise(path, name="toy", run=run_once, said=said)


def detections(folder: Path, found: Recognised, threshold: float = 0.3) -> Detections:
    picture = np.random.default_rng(3).integers(0, 256, (2 * HEIGHT, 3 * WIDTH, 3), np.uint8)
    return open_detector(*Store(folder).add(found.data, found.spec)).detect([picture], threshold)[0]


def assert_planted(found: Detections, spec: Any, **changes: float) -> None:
    """The objects, in the place that the picture has in the input."""
    fit = fit_picture(3 * WIDTH, 2 * HEIGHT, spec)
    boxes = fit.to_picture(np.array([one.box for one in OBJECTS], np.float32))
    boxes = np.clip(boxes, 0, [3 * WIDTH, 2 * HEIGHT, 3 * WIDTH, 2 * HEIGHT])
    assert found.classes.tolist() == [one.label for one in OBJECTS]
    np.testing.assert_allclose(found.scores, [one.score for one in OBJECTS], atol=changes.get("score", 2e-3))
    np.testing.assert_allclose(found.boxes, boxes, atol=changes.get("box", 0.2))


@pytest.mark.parametrize("name", FAMILIES)
def test_planted_objects_come_back(name: str, tmp_path: Path) -> None:
    draw, wanted = FAMILIES[name]
    found = recognised(draw(Drawing()).save(tmp_path / "any.onnx", NAMES))
    assert (found.spec.format, found.spec.labels) == (wanted, LABELS)
    assert_planted(detections(tmp_path, found), found.spec)


@pytest.mark.parametrize("name", [name for name in FAMILIES if FAMILIES[name][1] not in ("end2end", "detr")])
def test_labels_may_come_from_the_user_or_be_counted(name: str, tmp_path: Path) -> None:
    path = FAMILIES[name][0](Drawing()).save(tmp_path / "any.onnx")
    assert recognised(path, labels=LABELS).spec.format == FAMILIES[name][1]
    if name not in ("nanodet of 17 bins",):
        found = recognised(path)
        assert (found.spec.format, found.spec.labels) == (FAMILIES[name][1], ("class 0", "class 1", "class 2"))
        assert_planted(detections(tmp_path, found), found.spec)


@pytest.mark.parametrize("name", ["yolov8", "yolox", "nanodet-plus", "300 x 6", "rt-detr with sizes"])
@pytest.mark.parametrize("kind", ["float16", "uint8 NHWC", "free size"])
def test_other_inputs(name: str, kind: str, tmp_path: Path) -> None:
    drawing = {
        "float16": Drawing(TensorProto.FLOAT16),
        "uint8 NHWC": Drawing(TensorProto.UINT8, "NHWC"),
        "free size": Drawing(free=True),
    }[kind]
    path = FAMILIES[name][0](drawing).save(tmp_path / "any.onnx", ULTRALYTICS)
    found = recognised(path)
    assert found.spec.layout == ("NHWC" if "NHWC" in kind else "NCHW")
    assert (found.spec.width, found.spec.height) == (WIDTH, HEIGHT)
    assert found.spec.scale == 1.0 or kind != "uint8 NHWC"
    assert_planted(detections(tmp_path, found), found.spec)


@pytest.mark.parametrize("name", ["yolov8", "yolov5", "300 x 6", "rt-detr"])
@pytest.mark.parametrize(("batch", "wanted"), [(2, 0), (0, 3), (0, 0)], ids=["fixed", "chosen", "free"])
def test_several_pictures_at_once(name: str, batch: int, wanted: int, tmp_path: Path) -> None:
    path = FAMILIES[name][0](Drawing(batch=batch)).save(tmp_path / "any.onnx", NAMES)
    found = recognise(path, name="toy", run=run_once, said=Said(batch=wanted))
    told = {one.key: one.value for one in found.conclusions}
    assert told.get("batch", 1) == (batch or wanted or 1)
    assert_planted(detections(tmp_path, found), found.spec)
    with pytest.raises(InvalidArgument, match="made for batches of 2") if batch else nullcontext():
        recognise(path, name="toy", run=run_once, said=Said(batch=5))


def test_the_rows_of_several_pictures_in_one_table_are_refused(tmp_path: Path) -> None:
    drawing = Drawing(batch=2)
    rows = drawing.value(np.zeros((1, 9, 7)))
    drawing.output(drawing.node("Reshape", [rows, drawing.constant(np.array([-1, 7]))]), "output")
    path = drawing.save(tmp_path / "any.onnx", NAMES)
    assert "export it for one picture (batch 1)" in refusal(path, "MODEL_INVALID")


def test_a_quantised_network_runs(tmp_path: Path) -> None:
    """QDQ: pairs of quantising and its reverse around the picture and the scores."""
    drawing = planted.yolov8(Drawing())
    for operator, place in (("Conv", 0), ("Concat", 1)):
        node = next(node for node in drawing.nodes if node.op_type == operator)
        step, zero = drawing.constant(np.float32(1 / 255)), drawing.constant(np.uint8(0))
        pair = [
            helper.make_node("QuantizeLinear", [node.input[place], step, zero], [f"{operator}_q"]),
            helper.make_node("DequantizeLinear", [f"{operator}_q", step, zero], [f"{operator}_dq"]),
        ]
        where = drawing.nodes.index(node)
        node.input[place] = f"{operator}_dq"
        drawing.nodes[where:where] = pair
    found = recognised(drawing.save(tmp_path / "any.onnx", NAMES))
    assert found.conclusions[0].sure == "certain"
    assert_planted(detections(tmp_path, found), found.spec, score=3e-3)


def test_half_outputs_are_read(tmp_path: Path) -> None:
    drawing = planted.yolov8(Drawing(TensorProto.FLOAT16))
    drawing.nodes[-1].attribute[0].i = TensorProto.FLOAT16
    drawing.outputs[0] = ("output0", TensorProto.FLOAT16)
    found = recognised(drawing.save(tmp_path / "any.onnx", NAMES))
    assert_planted(detections(tmp_path, found), found.spec, box=0.5)


def test_what_the_exporter_says_is_taken_over(tmp_path: Path) -> None:
    path = planted.yolov8(Drawing()).save(tmp_path / "any.onnx", {**ULTRALYTICS, "description": "Pigs of pen 3"})
    found = recognised(path)
    spec, sure = found.spec, {one.key: one.sure for one in found.conclusions}
    assert (spec.colour, spec.fit, spec.place, spec.rounding, spec.fill) == (
        "RGB",
        "letterbox",
        "centre",
        "nearest",
        114,
    )
    assert spec.licence == "AGPL-3.0" and "any.onnx (sha256 " in spec.source and "Pigs of pen 3" in spec.source
    assert sure["format"] == sure["colour"] == sure["labels"] == "certain"
    assert found.data == path, "the file as it is"


def test_key_points_are_passed_over(tmp_path: Path) -> None:
    drawing = planted.yolov8(Drawing(), extra=51, masks=False)
    found = recognised(drawing.save(tmp_path / "any.onnx", {**ULTRALYTICS, "task": "pose"}))
    assert (found.spec.format, found.spec.options["extra"]) == ("yolov8", 51)
    assert_planted(detections(tmp_path, found), found.spec)


def test_a_family_is_fed_as_its_own_code_feeds_it(tmp_path: Path) -> None:
    spec = recognised(planted.nanodet(Drawing()).save(tmp_path / "n.onnx", NAMES)).spec
    assert (spec.colour, spec.scale, spec.mean[0], spec.std[2], spec.fit) == ("BGR", 1.0, 103.53, 58.395, "stretch")
    found = recognised(planted.yolox(Drawing()).save(tmp_path / "x.onnx", NAMES))
    assert (found.spec.colour, found.spec.scale, found.spec.place, found.spec.fill) == ("BGR", 1.0, "corner", 114)
    assert {one.key: one.sure for one in found.conclusions}["colour"] == "likely"


def test_a_graph_that_normalises_itself_gets_bytes(tmp_path: Path) -> None:
    drawing = planted.nanodet(Drawing())
    # In place of the convolution the cast is read by a subtraction and a division.
    mean, spread = drawing.constant(np.full((1, 3, 1, 1), 110, np.float32)), drawing.constant(np.float32(57))
    cast = drawing.nodes[0].output[0]
    place = next(node for node in drawing.nodes if node.op_type == "Conv")
    place.input[0] = "scaled"
    drawing.node("Sub", [cast, mean], "shifted")
    drawing.node("Div", ["shifted", spread], "scaled")
    drawing.nodes[1:1] = [drawing.nodes.pop(-2), drawing.nodes.pop(-1)]
    found = recognised(drawing.save(tmp_path / "any.onnx", NAMES))
    assert (found.spec.scale, found.spec.mean, found.spec.std) == (1.0, (0, 0, 0), (1, 1, 1))
    assert "the graph itself" in found.reasons["mean"]


def test_everything_can_be_set(tmp_path: Path) -> None:
    path = planted.yolox(Drawing()).save(tmp_path / "any.onnx", NAMES)
    words = ("colour=RGB", "scale=1/255", "mean=0.485,0.456,0.406", "std=[0.2, 0.2, 0.2]", "fit=stretch", "fill=0")
    found = recognised(path, *words, "licence=mine", "overlap=0.6")
    spec = found.spec
    assert (spec.colour, spec.scale, spec.mean, spec.std) == ("RGB", 1 / 255, (0.485, 0.456, 0.406), (0.2, 0.2, 0.2))
    assert (spec.fit, spec.fill, spec.licence, spec.options["overlap"]) == ("stretch", 0, "mine", 0.6)
    assert {one.key: one.sure for one in found.conclusions}["colour"] == "said"
    assert_planted(detections(tmp_path, found), spec)


def test_two_readings_are_asked_about(tmp_path: Path) -> None:
    """Without a graph that shows how the channels are joined, 12 x N may be 8 classes or 3 and an objectness."""
    boxes, scores = planted.decoded_cells()
    rows = np.concatenate([boxes, np.full((len(boxes), 1), 0.5), scores], 1)
    drawing = Drawing()
    drawing.output(drawing.value(rows[None]), "output")
    path = drawing.save(tmp_path / "any.onnx")
    said = refusal(path, "MODEL_UNCLEAR")
    assert "--set format=yolov8 or --set format=yolox" in said and "4 classes" in said and "3 classes" in said
    assert recognised(path, "format=yolox").spec.options["decoded"] is True
    assert recognised(path, labels=LABELS).spec.format == "yolox"


def test_a_value_for_nothing_is_asked_about(tmp_path: Path) -> None:
    path = planted.queries(Drawing()).save(tmp_path / "any.onnx")
    assert "choose: --set nothing=false or --set nothing=true; --labels" in refusal(path, "MODEL_UNCLEAR")
    assert len(recognised(path, "nothing=true").spec.labels) == 2
    found = recognised(path, "nothing=false", "overlap=0.9")
    assert (found.spec.options["nothing"], found.spec.options["overlap"], len(found.spec.labels)) == (False, 0.9, 3)
    assert_planted(detections(tmp_path, found), found.spec)


def test_classes_that_count_from_one(tmp_path: Path) -> None:
    """As torchvision's do; a trial without the last class does not tell."""
    found = recognised(planted.torchvision(Drawing(), first_class=1).save(tmp_path / "t.onnx", NAMES))
    assert found.spec.options["first_class"] == 1
    assert_planted(detections(tmp_path, found), found.spec)
    empty = planted.torchvision(Drawing(), count=0).save(tmp_path / "e.onnx", NAMES)
    assert "--set first_class=0 or --set first_class=1; torchvision's" in refusal(empty, "MODEL_UNCLEAR")
    assert recognised(empty, "first_class=1").spec.options["first_class"] == 1


def test_what_is_joined_is_seen_in_a_run_where_the_graph_does_not_tell(tmp_path: Path) -> None:
    """As torch exports YOLOX: its shapes are computed."""
    boxes, scores = planted.decoded_cells()
    drawing, parts = Drawing(), []
    for values in (boxes, np.full((len(boxes), 1), 0.5), scores):
        shape = drawing.node("Cast", [drawing.value(np.array([1, *values.shape]))], to=TensorProto.INT64)
        parts.append(drawing.node("Reshape", [drawing.value(values), shape]))
    drawing.output(drawing.node("Concat", parts, axis=2), "output")
    found = recognised(drawing.save(tmp_path / "any.onnx"))
    assert (found.spec.format, len(found.spec.labels), found.conclusions[0].sure) == ("yolox", 3, "certain")


REFUSALS: dict[str, tuple[Callable[[Drawing], Drawing], tuple[str, ...], str, str]] = {
    "another format": (planted.yolov8, ("format=nanodet",), "LABELS_MISMATCH|MODEL_INVALID", "nanodet"),
    "no format": (planted.yolov8, ("format=crystal",), "UNKNOWN_MODEL_FORMAT", "known: darknet, detr"),
    "a layout": (planted.yolov8, ("layout=NHWC",), "MODEL_INVALID", "that is not NHWC"),
    "a colour": (planted.yolov8, ("colour=PINK",), "BAD_OVERRIDE", "known: RGB, BGR"),
    "no value": (planted.yolov8, ("colour",), "BAD_OVERRIDE", "write KEY=VALUE"),
    "labels": (planted.yolov8, ("labels=a",), "BAD_OVERRIDE", "--labels FILE"),
    "an output": (planted.yolov8, ("outputs=nothing",), "MODEL_INVALID", "has no output 'nothing'; it has output0"),
    "darknet without anchors": (planted.fastestdet, ("format=darknet",), "MODEL_UNCLEAR", "heads="),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_wrong_override_is_a_sentence(name: str, tmp_path: Path) -> None:
    draw, words, reasons, says = REFUSALS[name]
    path = draw(Drawing()).save(tmp_path / "any.onnx", NAMES)
    with pytest.raises(InvalidArgument) as caught:
        recognised(path, *words)
    assert caught.value.reason in reasons.split("|") and says in caught.value.message
    assert "\n" not in caught.value.message


def test_options_that_do_not_fit_are_told_when_it_is_opened(tmp_path: Path) -> None:
    path = planted.yolox(Drawing()).save(tmp_path / "any.onnx", NAMES)
    for word, says in (
        ("strides=[8, 16]", "the strides [8, 16]"),
        ("strides=[8, 0]", "the strides"),
        ("overlap=high", "options.overlap cannot be 'high'"),
        ("colours=RGB", "has no option 'colours'; known: decoded, overlap, strides"),
    ):
        with pytest.raises(InvalidArgument) as caught:
            detections(tmp_path, recognised(path, word))
        assert says in caught.value.message and "\n" not in caught.value.message


def test_a_wrong_number_of_labels_is_a_sentence(tmp_path: Path) -> None:
    path = planted.yolov8(Drawing()).save(tmp_path / "any.onnx")
    with pytest.raises(InvalidArgument, match=r"4 labels are known, the outputs .* have .*3 as yolov8") as caught:
        recognised(path, labels=(*LABELS, "cat"))
    assert caught.value.reason == "LABELS_MISMATCH"


def test_classes_that_nothing_tells_are_asked_for(tmp_path: Path) -> None:
    said = refusal(planted.six(Drawing()).save(tmp_path / "any.onnx"), "MODEL_UNCLEAR")
    assert "do not tell how many classes it has; name them with --labels FILE" in said


def test_a_free_size_is_asked_for_and_a_fixed_one_kept(tmp_path: Path) -> None:
    path = planted.yolov8(Drawing(free=True)).save(tmp_path / "any.onnx", NAMES)
    assert "choose one with --size" in refusal(path, "MODEL_UNCLEAR")
    found = recognised(path, size=(WIDTH, HEIGHT))
    assert_planted(detections(tmp_path, found), found.spec)
    fixed = planted.yolov8(Drawing()).save(tmp_path / "fixed.onnx", NAMES)
    with pytest.raises(InvalidArgument, match=f"fixed to {WIDTH}x{HEIGHT}"):
        recognised(fixed, size=(320, 320))


def test_rows_that_a_trial_leaves_empty_are_taken_in_the_usual_order(tmp_path: Path) -> None:
    found = recognised(planted.six_of_nothing(Drawing()).save(tmp_path / "any.onnx", ULTRALYTICS))
    assert found.spec.options["columns"] == [["left", "top", "right", "bottom", "score", "class"]]
    assert found.conclusions[0].sure == "likely" and "usual order" in found.conclusions[0].why
    assert len(detections(tmp_path, found)) == 0


def test_rows_with_masks_or_key_points_may_be_empty_too(tmp_path: Path) -> None:
    masks = planted.six_of_nothing(Drawing(), extra=32, masks=True).save(tmp_path / "m.onnx", ULTRALYTICS)
    pose = {**ULTRALYTICS, "task": "pose", "kpt_shape": "[17, 3]"}
    points = planted.six_of_nothing(Drawing(), extra=51).save(tmp_path / "p.onnx", pose)
    for path, more in ((masks, 32), (points, 51)):
        found = recognised(path)
        assert found.spec.options["columns"] == [["left", "top", "right", "bottom", "score", "class", *["-"] * more]]
        assert len(detections(tmp_path, found)) == 0


def test_the_anchors_of_heads_that_are_not_decoded_are_asked_for(tmp_path: Path) -> None:
    path = planted.raw_heads(Drawing()).save(tmp_path / "any.onnx", NAMES)
    said = refusal(path, "MODEL_UNCLEAR")
    assert "1x3x12x16x8" in said and "its anchors are not in the file" in said and "--set anchors=yolov5 (" in said
    for word in (
        "yolov9",
        "7",
        "[[1, 2], [3, 4]]",
        "[[1, 2, 3], [1], [2]]",
        "[[0,0,0,0,0,0],[1,1,1,1,1,1],[1,1,1,1,1,1]]",
    ):
        assert "--set anchors=yolov5 (" in refusal(path, "MODEL_UNCLEAR", f"anchors={word}")


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("logistic", [True, False])
def test_heads_whose_anchors_are_said(channels_last: bool, logistic: bool, tmp_path: Path) -> None:
    drawing = planted.raw_heads(Drawing(), channels_last=channels_last, logistic=logistic)
    path = drawing.save(tmp_path / "any.onnx", NAMES)
    for word in ("anchors=yolov5", "anchors=[[10,13,16,30,33,23], [30,61,62,45,59,119], [116,90,156,198,373,326]]"):
        found = recognised(path, word)
        assert (found.spec.format, found.spec.fit, found.spec.fill) == ("darknet", "letterbox", 114)
        assert_planted(detections(tmp_path, found), found.spec)
    other = detections(tmp_path, recognised(path, "anchors=yolov7"))
    assert abs(other.boxes - detections(tmp_path, found).boxes).max() > 1


def test_other_tasks_and_other_inputs_are_refused(tmp_path: Path) -> None:
    path = planted.yolov8(Drawing()).save(tmp_path / "any.onnx", {**NAMES, "task": "classify"})
    assert "a network for the task 'classify'" in refusal(path, "MODEL_INVALID")
    grey = Drawing()
    grey.inputs[0].type.tensor_type.shape.dim[1].dim_value = 1
    assert "only networks for colour pictures" in refusal(planted.yolov8(grey).save(path, NAMES), "MODEL_INVALID")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{0: 'cow', 1: 'calf', 2: \"farmer's dog\"}", ("cow", "calf", "farmer's dog")),
        ('["cow", "calf", "dog"]', LABELS),
        ('{"0": "cow", "1": "calf", "2": "dog"}', LABELS),
        ("cow,calf, dog", LABELS),
        ("{0: 'cow', 5: 'calf'}", ()),
        ("__import__('os').abort()", ("__import__('os').abort()",)),
        ("{" * 5000, ()),
    ],
)
def test_names_in_the_metadata(text: str, names: tuple[str, ...]) -> None:
    from agent.models.class_names import names_in

    assert names_in({"names": text})[:3] == names or names == ()


def refusal(path: Path, reason: str, *words: str) -> str:
    with pytest.raises(InvalidArgument) as caught:
        recognised(path, *words)
    assert caught.value.reason == reason and "\n" not in caught.value.message
    return caught.value.message


def test_there_are_as_many_classes_as_planted() -> None:
    assert len(LABELS) == CLASSES
