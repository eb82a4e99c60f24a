"""herdlink detect, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.cli.main import main
from agent.models.store import Store


def detect(*words: object) -> int:
    return main(["detect", *map(str, words)])


def test_json_has_the_shape_of_the_interface(
    coco_store: Store, darknet_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert detect(darknet_files / "zidane.jpg", "--store", coco_store.folder, "--json") == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert told.err == "" and told.out.count("\n") == 1
    assert list(found) == ["width", "height", "detections"]
    assert (found["width"], found["height"]) == (1280, 720)
    assert [one["label"] for one in found["detections"]][:1] == ["person"]
    for one in found["detections"]:
        assert list(one) == ["label", "score", "box"] and 0.3 <= one["score"] <= 1
        left, top, width, height = one["box"]
        assert left >= 0 and top >= 0 and left + width <= 1280.01 and top + height <= 720.01


def test_a_table_for_people(coco_store: Store, darknet_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert detect(darknet_files / "bus.jpg", "--store", coco_store.folder, "--threshold", "0.5") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["LABEL", "SCORE", "LEFT", "TOP", "WIDTH", "HEIGHT"]
    assert sorted(row.split()[0] for row in rows) == ["bus", "person", "person", "person"]


def test_the_picture_is_drawn(coco_store: Store, darknet_files: Path, tmp_path: Path) -> None:
    photo, output = darknet_files / "bus.jpg", tmp_path / "found.png"
    assert detect(photo, "--store", coco_store.folder, "--output", output) == 0
    before, after = cv2.imread(str(photo)), cv2.imread(str(output))
    assert before.shape == after.shape and 0.001 < np.mean(before != after) < 0.3


def test_a_scene_drops_what_lies_outside_of_its_area_and_is_drawn(
    coco_store: Store, darknet_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corners = [{"x": 0, "y": 0}, {"x": 0.5, "y": 0}, {"x": 0.5, "y": 1}, {"x": 0, "y": 1}]
    scene, output = tmp_path / "scene.json", tmp_path / "found.png"
    ground = {"points": corners, "width_m": 2, "length_m": 3}
    scene.write_text(json.dumps({"area": corners, "zones": [{"name": "left", "polygon": corners}], "ground": ground}))
    words = [darknet_files / "bus.jpg", "--store", coco_store.folder, "--json"]
    assert detect(*words, "--scene", scene, "--output", output) == 0
    kept = json.loads(capsys.readouterr().out)["detections"]
    assert detect(*words) == 0
    found = json.loads(capsys.readouterr().out)
    middles = [one["box"][0] + one["box"][2] / 2 for one in found["detections"]]
    assert 0 < len(kept) == sum(middle <= found["width"] / 2 for middle in middles) < len(middles)
    before, after = cv2.imread(str(darknet_files / "bus.jpg")), cv2.imread(str(output))
    right = found["width"] * 3 // 4
    assert after[:, right:].mean() == pytest.approx(0.55 * before[:, right:].mean(), rel=0.1)


def test_nothing_found_says_so(coco_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((50, 70, 3), 128, np.uint8))
    assert detect(tmp_path / "grey.png", "--store", coco_store.folder) == 0
    assert "nothing found" in capsys.readouterr().out
    assert detect(tmp_path / "grey.png", "--store", coco_store.folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"width": 70, "height": 50, "detections": []}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.jpg"], "there is no picture none.jpg"),
        (["text.jpg"], "text.jpg is no picture that can be read"),
        (["empty.jpg"], "empty.jpg is no picture that can be read"),
        (["folder"], "folder cannot be read: Is a directory"),
        (["small.png", "--threshold", "1.5"], "--threshold is a score from 0 to 1"),
        (["small.png", "--threshold", "nan"], "--threshold is a score from 0 to 1"),
        (["small.png", "--model", "unicorn"], "no model 'unicorn'"),
        (["small.png", "--scene", "none.json"], "none.json cannot be read: No such file"),
        (["small.png", "--scene", "text.jpg"], "text.jpg is no request of SetScene"),
        (["small.png", "--scene", "bad.json"], "the area is a polygon of 3 to 64 points; it has 1"),
        (["small.png", "--output", "out.docx"], "out.docx must end in .jpg or .png"),
        (["small.png", "--output", "out"], "out must end in .jpg or .png"),
        (["small.png", "--output", "nowhere/out.png"], "nowhere/out.png: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_plain_line(
    words: list[str],
    says: str,
    coco_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.jpg").write_text("a text")
    Path("empty.jpg").touch()
    Path("bad.json").write_text('{"area": [{"x": 0.5, "y": 0.5}]}')
    Path("folder").mkdir()
    cv2.imwrite("small.png", np.zeros((40, 60, 3), np.uint8))
    assert detect(*words, "--store", coco_store.folder) == (2 if "--threshold" in words else 1)
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert told.err.startswith("herdlink: ") and says in told.err
