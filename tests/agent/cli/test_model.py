"""herdlink model, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.main import main
from agent.models.store import Store


def model(*words: object) -> int:
    return main(["model", *map(str, words)])


def test_import_list_and_check(
    darknet_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = darknet_files / "yolov4-tiny.cfg", darknet_files / "yolov4-tiny.weights"
    words = ("--labels", darknet_files / "coco.names", "--name", "barn", "--size", "320", "--store", "store")
    assert model("import", *files, *words) == 0
    told = capsys.readouterr().out
    sha8 = Store(Path("store")).find("barn")[1].sha256[:8]
    assert told == f"barn@{sha8}: 320x320, 80 labels, store/barn.onnx\n"

    assert model("list", "--store", "store") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["NAME", "FORMAT", "INPUT", "LABELS", "SHA256"]
    assert rows[1] == ["barn", "darknet", "320x320", "80", sha8]
    assert rows[2] == ["yolov4-tiny", "-", "-", "-", "fetched", "when", "first", "used"]
    assert rows[3][:4] == ["pig", "darknet", "512x320", "1"]

    assert model("check", "barn", "--image", darknet_files / "zidane.jpg", "--store", "store") == 0
    told = capsys.readouterr().out
    for part in (
        "1x3x320x320 RGB",
        "1x255x10x10, 1x255x20x20",
        "CPUExecutionProvider",
        "yolov4-tiny.weights (sha256 cf9f",
    ):
        assert part in told
    assert "person" in told and Path("zidane.checked.jpg").stat().st_size > 10_000


def test_a_network_may_take_several_pictures_at_once(
    darknet_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = darknet_files / "yolov4-tiny.cfg", darknet_files / "yolov4-tiny.weights"
    assert model("import", *files, "--name", "pair", "--size", "160", "--batch", "2", "--store", "store") == 0
    assert model("check", "pair", "--store", "store") == 0
    told = capsys.readouterr().out
    assert "2x3x160x160 RGB" in told and "2x255x5x5, 2x255x10x10" in told and "\n2 pictures   " in told
    assert model("bench", "pair", "--seconds", "0.5", "--store", "store") == 0
    told = capsys.readouterr().out
    assert "in batches of 2" in told and "best: threads = " in told and "--batch 1" in told


def test_the_name_comes_from_the_cfg(darknet_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = darknet_files / "yolov4-tiny.cfg", darknet_files / "yolov4-tiny.weights"
    assert model("import", *files, "--store", tmp_path) == 0
    assert Store(tmp_path).find("yolov4-tiny")[1].labels[:2] == ("person", "bicycle")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["import", "net.cfg", "text"], "text is no Darknet weights file: it begins with no version"),
        (["import", "text", "net.cfg"], "text is no Darknet cfg: line 1 is 'a text about pigs'"),
        (["import", "none.cfg", "text"], "none.cfg cannot be read: No such file or directory"),
        (["import", "net.cfg", "text", "--labels", "none"], "none cannot be read: No such file"),
        (["import", "net.cfg", "text", "--name", "../up"], "a model's name has 1 to 64 letters"),
        (["import", "net.cfg", "text", "--size", "-32"], "--size is a side or WIDTHxHEIGHT in pixels"),
        (["import", "net.cfg", "text", "--size", "100"], "must be multiples of 32"),
        (["import", "net.cfg", "text", "--batch", "100"], "a network takes 1 to 64 pictures at once, not 100"),
        (["import", "net.cfg", "text", "--batch", "-1"], "a network takes 1 to 64 pictures at once, not -1"),
        (["check", "unicorn"], "no model 'unicorn' in "),
        (["check", "text.onnx"], "text.toml cannot be read"),
    ],
)
def test_what_is_wrong_is_one_plain_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text("[net]\nwidth=64\nheight=64\n[yolo]\n")
    for name in ("text", "text.onnx"):
        Path(name).write_text("a text about pigs\nand nothing else\n")
    assert model(*words, "--store", "store") == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert told.err.startswith("herdlink: ") and says in told.err
    assert not Path("store").exists()


def test_no_action_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        model()
    assert caught.value.code == 2 and "ACTION" in capsys.readouterr().err
