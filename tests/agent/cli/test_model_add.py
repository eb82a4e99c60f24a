"""herdlink model add, check and bench, as typed."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import planted
import pytest

from agent.cli._model_check import tries
from agent.cli.main import main
from agent.core.model import ModelSpec
from agent.detectors.onnx import open_detector
from agent.models.store import Store

NAMES = {"names": "{0: 'cow', 1: 'calf', 2: 'dog'}"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HERDLINK_STORE", "store")


@pytest.fixture
def picture() -> Path:
    path = Path("pen.png")
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (192, 384, 3), np.uint8))
    return path


def model(*words: object) -> int:
    return main(["model", *map(str, words)])


def test_add_says_what_it_concluded_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    file = planted.yolox(planted.Drawing()).save(Path("any.onnx"))
    Path("names").write_text("cow\ncalf\ndog\n")
    assert model("add", file, "--labels", "names", "--name", "pigs") == 0
    told = capsys.readouterr()
    rows = [line.split() for line in told.out.splitlines()]
    assert rows[0] == ["KEY", "VALUE", "SURE", "WHY"]
    assert rows[1][:3] == ["format", "yolox", "certain"]
    assert ["colour", "BGR", "likely"] in [row[:3] for row in rows]
    assert rows[-1][-1] == "store/pigs.onnx"
    assert "herdlink model check pigs --image PICTURE shows" in told.err and "store/pigs.toml" in told.err

    text = Path("store/pigs.toml").read_text()
    values = tomllib.loads(text)
    assert (values["labels"], values["colour"], values["place"]) == (["cow", "calf", "dog"], "BGR", "corner")
    lines = text.splitlines()
    assert lines[lines.index('colour = "BGR"') - 1].startswith("# (likely: as YOLOX ")
    assert Path("store/pigs.onnx").read_bytes() == file.read_bytes()


def test_what_was_added_is_checked_with_a_picture(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = planted.yolov8(planted.Drawing()).save(Path("any.onnx"), {**NAMES, "license": "AGPL-3.0"})
    assert model("add", file, "--image", picture) == 0
    assert "as described" in capsys.readouterr().out
    assert model("check", "any", "--image", picture) == 0
    told = capsys.readouterr().out
    for part in ("1x3x96x128 RGB float32, letterbox (centre, bars of 114)", "AGPL-3.0", "1x7x252", "(sha256 "):
        assert part in told
    assert told.count("dog") == 2 and "fit = stretch" in told and "AGREEMENT" in told
    assert Path("pen.checked.jpg").stat().st_size > 1000


def test_the_sidecar_can_be_changed_and_a_wrong_change_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert model("add", planted.yolov8(planted.Drawing()).save(Path("any.onnx"), NAMES)) == 0
    sidecar, capsys_text = Path("store/any.toml"), ""
    text = sidecar.read_text()
    for old, new, says in (
        ('colour = "RGB"', 'colour = "BGR"', ""),
        ('layout = "NCHW"', 'layout = "NHWC"', "[1, 96, 128, 3] (NHWC)"),
        ('format = "yolov8"', 'format = "yolox"', "has no option 'box'"),
        ('labels = ["cow", "calf", "dog"]', 'labels = ["cow"]', "1 labels and 0 more values make 5 channels"),
        ("scale = ", "skale = 1.0\nscale = ", "'skale' that is not known"),
        ("mean = [0.0, ", "mean = [true, ", "mean cannot be"),
        ('outputs = ["output0"]', 'outputs = ["output9"]', "has no output 'output9'; it has ['output0']"),
        ("constants = {  }", "constants = { sizes = [1] }", "has no input 'sizes'"),
    ):
        assert old in text, old
        sidecar.write_text(text.replace(old, new))
        capsys.readouterr()
        assert model("check", "any") == (1 if says else 0)
        capsys_text = capsys.readouterr().err
        assert says in capsys_text and capsys_text.count("\n") == (1 if says else 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["any.onnx", "--set", "format=nanodet"], "cannot be read as nanodet"),
        (["any.onnx", "--set", "colour=PINK"], "--set colour cannot be 'PINK'; known: RGB, BGR"),
        (["any.onnx", "--set", "strides=[8]"], "has no option 'strides'; known: box, extra, overlap, units"),
        (["any.onnx", "--size", "wide"], "--size is a side or WIDTHxHEIGHT"),
        (["any.onnx", "--size", "640"], "fixed to 128x96"),
        (["any.onnx", "--batch", "2"], "made for batches of 1; export it with a free number"),
        (["any.onnx", "--batch", "65"], "a network takes 1 to 64 pictures at once, not 65"),
        (["any.onnx", "--name", "../up"], "a model's name has 1 to 64 letters"),
        (["any.onnx", "--image", "none.jpg"], "there is no picture none.jpg"),
        (["text"], "text is a text, not an ONNX file"),
        (["none.onnx"], "none.onnx cannot be read"),
        (["two.onnx"], "choose: --set format=yolov8 or --set format=yolox; --labels"),
    ],
)
def test_what_is_wrong_is_one_plain_line(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    planted.yolov8(planted.Drawing()).save(Path("any.onnx"), NAMES)
    boxes, scores = planted.decoded_cells()
    drawing = planted.Drawing()
    rows = np.concatenate([boxes, np.full((len(boxes), 1), 0.5), scores], 1)
    drawing.output(drawing.value(rows[None]), "output")
    drawing.save(Path("two.onnx"))
    Path("text").write_text("a text about pigs\n")
    assert model("add", *words) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert told.err.startswith("herdlink: ") and says in told.err
    assert not Path("store").exists()


def test_bench_measures_each_layout_and_recommends_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert model("add", planted.yolov8(planted.Drawing()).save(Path("any.onnx"), NAMES)) == 0
    capsys.readouterr()
    assert model("bench", "any", "--seconds", "0.5") == 0
    told = capsys.readouterr().out
    rows = [line.split() for line in told.splitlines()]
    assert rows[2][0] == "1" and rows[2][-1] == "1.00"
    assert rows[-1][:4] == ["best:", "threads", "=", rows[-1][3]] and rows[-1][3] in [row[0] for row in rows[2:-1]]


def test_a_wrong_scale_shows_in_the_mirror(coco_model: tuple[Path, ModelSpec], darknet_files: Path) -> None:
    """What is fed wrongly may find much, but not the same in the picture and in its mirror image."""
    path, spec = coco_model
    image = cv2.imread(str(darknet_files / "bus.jpg"))
    right = tries(open_detector(path, spec), spec, image)
    assert right[0].agreement > 1 and right[0].agreement > 0.5 * max(one.agreement for one in right)
    wrong = tries(open_detector(path, spec), replace(spec, mean=(0.5, 0.5, 0.5)), image)
    assert wrong[0].agreement < 0.5 * right[0].agreement
    flooded = tries(open_detector(path, spec), replace(spec, scale=1.0), image)
    assert flooded[0].objects > 300 and flooded[0].agreement < 0.3 * right[0].agreement


def test_a_picture_settles_how_it_is_fed(
    coco_model: tuple[Path, ModelSpec], darknet_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real network with its last layers as they are: Darknet's, whose heads are told by hand."""
    path, spec = coco_model
    heads = sidecar_value(spec)
    Path("names").write_text("\n".join(spec.labels))
    words = ("add", path, "--name", "own", "--labels", "names", "--set", "format=darknet", "--set", f"heads={heads}")
    assert model(*words, "--image", darknet_files / "bus.jpg") == 0
    assert Store(Path("store")).find("own")[1].options["heads"] == spec.options["heads"]
    assert model(*words, "--set", "mean=200,200,200", "--image", darknet_files / "bus.jpg") == 1
    said = capsys.readouterr().err
    assert "agrees with itself far better" in said and "--set mean=0.0,0.0,0.0" in said


def sidecar_value(spec: ModelSpec) -> str:
    return "[" + ", ".join(
        f"{{anchors={head['anchors']}, scale_x_y={head['scale_x_y']}, new_coords={str(head['new_coords']).lower()}}}"
        for head in spec.options["heads"]
    ) + "]"  # fmt: skip
