"""herdlink track, as typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent import plugins
from agent.cli.main import main

Lines = list[list[float]]


def track(*words: object) -> int:
    return main(["track", *map(str, words)])


def walk(frames: int = 30, objects: int = 3) -> list[str]:
    """Rows of objects that walk to the right, ten pixels a frame."""
    return [f"{k},-1,{10 * k},{200 * n},80,60,0.9,-1,-1,-1" for k in range(1, frames + 1) for n in range(objects)]


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def read(path: Path) -> Lines:
    return [[float(cell) for cell in line.split(",")] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", plugins.names("agent.core.trackers"))
def test_rows_in_rows_out(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    det, out = write(tmp_path / "det.txt", walk()), tmp_path / "tracks.txt"
    assert track(det, "--output", out, "--tracker", name, "--count", 3) == 0
    told = capsys.readouterr()
    assert told.err == "" and told.out.startswith(f"{out}: 30 frames, 3 tracks, ") and told.out.count("\n") == 1
    rows = read(out)
    assert len(rows) == 90 and out.read_text().startswith("1,1,10.00,0.00,80.00,60.00,0.90,0,1\n")
    assert {(row[1], row[3]) for row in rows} == {(1, 0), (2, 200), (3, 400)}


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = walk()
    np.random.default_rng(0).shuffle(rows)
    assert track(write(tmp_path / "a.txt", walk()), "--output", tmp_path / "a-out.txt") == 0
    assert track(write(tmp_path / "b.txt", rows), "--output", tmp_path / "b-out.txt") == 0
    assert (tmp_path / "a-out.txt").read_text() == (tmp_path / "b-out.txt").read_text()


def test_frames_without_rows_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten seconds without a row: the object that stands in the same place afterwards is a new one."""
    still = [f"{k},-1,100,100,80,60,0.9" for k in (*range(1, 21), *range(121, 141))]
    out = tmp_path / "out.txt"
    assert track(write(tmp_path / "det.txt", still), "--output", out, "--fps", 10, "--tracker", "sort") == 0
    assert "140 frames, 2 tracks" in capsys.readouterr().out
    assert {row[1] for row in read(out) if row[0] < 21} == {1} and {row[1] for row in read(out) if row[0] > 121} == {2}


def test_the_rate_is_what_makes_seconds_of_frames(tmp_path: Path) -> None:
    still = [f"{k},-1,100,100,80,60,0.9" for k in (*range(1, 21), *range(36, 60))]
    det = write(tmp_path / "det.txt", still)
    ids = {}
    for fps in (10, 30):
        assert track(det, "--output", tmp_path / "out.txt", "--fps", fps, "--tracker", "sort") == 0
        ids[fps] = {row[1] for row in read(tmp_path / "out.txt")}
    assert ids == {10: {1, 2}, 30: {1}}


def test_boxes_are_cut_to_the_picture(tmp_path: Path) -> None:
    rows = [f"{k},-1,-20,90,50,40,0.9\n{k},-1,200,10,50,40,0.9" for k in range(1, 10)]
    assert track(write(tmp_path / "det.txt", rows), "--output", tmp_path / "out.txt", "--size", "120x100") == 0
    assert {tuple(row[2:6]) for row in read(tmp_path / "out.txt")} == {(0, 90, 30, 10)}


def test_low_scores_start_nothing(tmp_path: Path) -> None:
    rows = [f"{k},-1,0,0,50,40,0.4" for k in range(1, 30)]
    det = write(tmp_path / "det.txt", rows)
    for threshold, count in ((0.5, 0), (0.2, 29)):
        assert track(det, "--output", tmp_path / "out.txt", "--threshold", threshold) == 0
        assert len(read(tmp_path / "out.txt")) == count


def test_features_belong_to_rows_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Two side by side swap places at frame 20; rows stand in any order, looks of any length tell who is who."""
    rows, looks = [], []
    for k in range(1, 41):
        for who in (0, 1):
            left = 100 if (who == 0) == (k < 20) else 115
            rows.append(f"{k},-1,{left},100,60,100,0.9")
            looks.append(np.eye(2)[who] * (3 + k))
    order = np.random.default_rng(0).permutation(len(rows))
    det = write(tmp_path / "det.txt", [rows[k] for k in order])
    np.save(tmp_path / "looks.npy", np.array(looks)[order].astype(np.float16))
    words = (det, "--output", tmp_path / "out.txt", "--tracker", "deepsort")
    assert track(*words, "--features", tmp_path / "looks.npy") == 0
    last = {row[1]: row[2] for row in read(tmp_path / "out.txt") if row[0] == 40}
    assert last == {1: 115, 2: 100}


def test_no_rows_give_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert track(write(tmp_path / "det.txt", []), "--output", tmp_path / "out.txt") == 0
    assert (tmp_path / "out.txt").read_text() == "" and "0 frames, 0 tracks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.txt"], "there is no file none.txt"),
        (["folder"], "folder cannot be read: Is a directory"),
        (["binary.txt"], "binary.txt is no text"),
        (["bad.txt"], "bad.txt, line 2: has 3 columns; a row is frame,-1,left,top,width,height,score"),
        (["det.txt", "--tracker", "unicorn"], "no tracker 'unicorn'; known: deepsort"),
        (["det.txt", "--fps", "0"], "--fps is frames a second"),
        (["det.txt", "--fps", "nan"], "--fps is frames a second"),
        (["det.txt", "--size", "120"], "--size is the width and height of the picture, e.g. 1280x720"),
        (["det.txt", "--size", "0x9"], "--size is the width and height"),
        (["det.txt", "--count", "-3"], "--count is a number of animals"),
        (["det.txt", "--threshold", "nan"], "--threshold is a score"),
        (["det.txt", "--features", "none.npy"], "there is no file none.npy"),
        (["det.txt", "--features", "det.txt"], "det.txt is no .npy file"),
        (["det.txt", "--features", "short.npy"], "short.npy must hold numbers of shape (90, D)"),
        (["det.txt", "--features", "hole.npy"], "row 5 of the features"),
        (["det.txt", "--output", "det.txt"], "--output would overwrite the detections"),
        (["det.txt", "--output", "nowhere/out.txt"], "nowhere/out.txt: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_plain_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    write(Path("det.txt"), walk())
    write(Path("bad.txt"), [walk()[0], "1,2,3"])
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    np.save("short.npy", np.zeros((7, 4), np.float32))
    hole = np.ones((90, 4), np.float32)
    hole[4, 2] = np.nan
    np.save("hole.npy", hole)
    wrong_use = words[1:] and (words[1] in ("--tracker", "--fps", "--size", "--count", "--threshold"))
    wrong_use = wrong_use or words[1:] == ["--output", "det.txt"]
    status = track(*(["--output", "out.txt"] if "--output" not in words else []), *words)
    assert status == (2 if wrong_use else 1)
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("herdlink: ") and says in told.err and told.err.count("\n") == 1
