"""`herdlink analyze` as a user types it: here, on another node, and once more."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess

HERD = "synthetic:herd?animals=5&fps=10&seconds=12&seed=3&width=320&height=240"
FILES = {"result.mp4", "tracks.txt", "classes.txt", "summaries.jsonl", "events.jsonl", "snapshot.jpg", "run.json"}


def analyze(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent.cli.main", "analyze", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def run_json(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return content


def runs(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "runs.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run."""
    folder = tmp_path_factory.mktemp("first")
    analyze(HERD, "--output", folder / "out", "--threshold", "0.4", "--known-count", "5")
    return folder / "out"


def test_it_leaves_what_it_says(tmp_path: Path) -> None:
    done = analyze(HERD, "--output", tmp_path)
    assert "DONE, 120 frames" in done.stdout
    assert names(tmp_path) == FILES
    summaries = [json.loads(line) for line in (tmp_path / "summaries.jsonl").read_text().splitlines()]
    assert [summary["count"] for summary in summaries] == [5, 5]
    assert [summary["periodS"] for summary in summaries] == [10.0, 2.0]


def test_without_video_and_for_one_label(tmp_path: Path) -> None:
    analyze(HERD, "--output", tmp_path, "--no-video", "--labels", "pig", "--tracker", "sort")
    assert names(tmp_path) == FILES - {"result.mp4"}
    assert (tmp_path / "tracks.txt").read_text()


def test_several_inputs_get_a_folder_each_and_a_table(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video")
    done = analyze(HERD, bad, HERD.replace("seed=3", "seed=4"), "--output", tmp_path / "out", status=1)
    folders = ["001-synthetic_herd", "002-bad", "003-synthetic_herd"]
    assert names(tmp_path / "out") == {*folders, "runs.csv"}
    assert str(tmp_path / "out" / "runs.csv") in done.stdout
    rows = runs(tmp_path / "out")
    assert [row["state"] for row in rows] == ["DONE", "FAILED", "DONE"]
    assert [row["folder"] for row in rows] == folders
    assert "no video that can be read" in rows[1]["error"]
    for row in (rows[0], rows[2]):
        assert (row["frames"], row["tracks"], row["count_mean"]) == ("120", "5", "5.0")
        assert float(row["detect_ms"]) > 0
        assert len(row["model_sha256"]) == 64


def test_a_folder_stands_for_its_videos(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.mp4", "a.mp4"):
        (tmp_path / "in" / name).write_text("not a video")
    (tmp_path / "in" / "notes.txt").write_text("not for analysis")
    analyze(tmp_path / "in", "--output", tmp_path / "out", status=1)
    rows = runs(tmp_path / "out")
    assert [Path(row["input"]).name for row in rows] == ["a.mp4", "b.mp4"]
    # A folder of one is a folder.
    (tmp_path / "in" / "b.mp4").unlink()
    analyze(tmp_path / "in", "--output", tmp_path / "out1", status=1)
    assert [row["folder"] for row in runs(tmp_path / "out1")] == ["001-a"]


def test_run_json_tells_what_is_needed_to_run_it_again(first: Path) -> None:
    told = run_json(first)
    assert told["input"] == {"uri": HERD, "live": False}
    assert (told["settings"]["threshold"], told["settings"]["known_count"]) == (0.4, 5)
    assert (told["state"], told["frames"], told["tracks"], told["first_track"]) == ("DONE", 120, 5, 1)
    assert {"herdlink", "numpy", "onnxruntime", "opencv-python-headless", "python"} <= set(told["versions"])
    assert set(told["results"]) == FILES - {"run.json"}
    assert set(told["stage_ms"]) == {"decode", "detect", "track", "numbers", "write"}


def test_again_gives_the_same_tracks(first: Path, tmp_path: Path) -> None:
    done = analyze("--again", first / "run.json", "--output", tmp_path, "--no-video")
    assert done.stderr.splitlines()[-1] == "the same tracks"
    assert (tmp_path / "tracks.txt").read_bytes() == (first / "tracks.txt").read_bytes()


def test_again_says_what_differs(first: Path, tmp_path: Path) -> None:
    told = run_json(first)
    told["input"]["uri"] = told["input"]["uri"].replace("seed=3", "seed=4")
    told["versions"]["numpy"] = "1.0"
    (tmp_path / "run.json").write_text(json.dumps(told))
    # The input is not what the tracks were made of: that of the original is put in its place.
    told["input"]["sha256"] = "0" * 64
    (tmp_path / "other.json").write_text(json.dumps(told))
    done = analyze("--again", tmp_path / "other.json", "--output", tmp_path / "out", "--no-video", status=1)
    assert "other tracks" in done.stderr
    assert "  input: it was 000000000000, it is synthetic:herd" in done.stderr
    assert "  numpy: it was 1.0, it is " in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no file"),
        ("{", "is not JSON"),
        ("{}", "is no run.json of a job: input is missing"),
        ("[]", "is no run.json of a job"),
        (
            '{"input": {"uri": "rtsp://x/", "live": true}, "model": {}, "settings": {}, "results": {}, '
            '"versions": {}, "first_track": 1}',
            "a camera, which never shows the same again",
        ),
    ],
)
def test_what_cannot_be_run_again_says_why(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    done = analyze("--again", tmp_path / "run.json", "--output", tmp_path / "out", status=1)
    assert told in done.stderr


def test_again_takes_no_settings_beside_it(first: Path, tmp_path: Path) -> None:
    done = analyze("--again", first / "run.json", "--output", tmp_path, "--threshold", "0.9", status=2)
    assert "takes input and settings from the run.json" in done.stderr


@pytest.fixture
def node(tmp_path: Path) -> Iterator[AgentProcess]:
    folder = tmp_path / "node"
    folder.mkdir()
    agent = AgentProcess(folder)
    yield agent.start()
    agent.stop()


def test_another_node_does_it_and_the_results_come_back(node: AgentProcess, tmp_path: Path) -> None:
    target = f"unix:{node.socket}"
    done = analyze(HERD, "--output", tmp_path / "out", "--target", target, "--tracker", "sort", "--threshold", "0.4")
    assert "DONE, 120 frames" in done.stdout
    assert names(tmp_path / "out") == FILES
    told = run_json(tmp_path / "out")
    assert (told["settings"]["tracker"], told["settings"]["threshold"]) == ("sort", 0.4)
    streams = json.loads(_call("ListStreams", target))["streams"]
    assert [stream["stream"] for stream in streams] == ["main"], "the passing stream is gone"
    # What came back can be run again here: the same tracks on another machine, or it says why not.
    analyze("--again", tmp_path / "out" / "run.json", "--output", tmp_path / "again")


def test_several_inputs_on_another_node_without_their_videos(node: AgentProcess, tmp_path: Path) -> None:
    words = (HERD, "/etc/passwd", "--output", tmp_path / "out", "--target", f"unix:{node.socket}", "--no-video")
    analyze(*words, status=1)
    rows = runs(tmp_path / "out")
    assert [row["state"] for row in rows] == ["DONE", "FAILED"]
    assert "outside of media_roots" in rows[1]["error"]
    assert not list((tmp_path / "out").glob("*/result.mp4"))


def test_results_that_are_there_are_not_mixed_with_others(node: AgentProcess, first: Path) -> None:
    done = analyze(HERD, "--output", first, "--target", f"unix:{node.socket}", status=1)
    assert "choose another folder" in done.stderr


def test_a_node_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = analyze(HERD, "--output", tmp_path / "out", "--target", f"unix:{tmp_path}/none.sock", status=1)
    assert "no agent answers" in done.stderr


def _call(method: str, target: str) -> str:
    command = [sys.executable, "-m", "agent.cli.main", "call", method, "--target", target]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
