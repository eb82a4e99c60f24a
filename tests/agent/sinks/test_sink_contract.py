"""What every file of agent/sinks must do."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from film import result

from agent import plugins
from agent.core.errors import FailedPrecondition
from agent.core.ports import Sink

SINKS = plugins.names("agent.sinks")
VALUES = {"labels": ("pig", "cow"), "fps": 10.0, "to_json": str}
OF_RESULTS = sorted(set(SINKS) - {"jsonl"})


def open_sink(name: str, folder: Path) -> Sink:
    function = plugins.load("agent.sinks", name, "sink").open_sink
    first, *others = inspect.signature(function).parameters
    assert first == "folder"
    sink: Sink = function(folder, **{key: VALUES[key] for key in others})
    return sink


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", SINKS)
def test_a_sink_takes_results_and_leaves_only_whole_files(name: str, tmp_path: Path) -> None:
    sink = open_sink(name, tmp_path)
    for index in range(1, 6):
        sink.write(result(index))
    sink.close()
    assert visible(tmp_path)
    assert not [shown for shown in visible(tmp_path) if shown.startswith(".")]


@pytest.mark.parametrize("name", OF_RESULTS)
def test_a_job_without_frames_leaves_nothing_broken(name: str, tmp_path: Path) -> None:
    open_sink(name, tmp_path).close()
    assert visible(tmp_path) == (["classes.txt", "tracks.txt"] if name == "mot" else [])


@pytest.mark.parametrize("name", OF_RESULTS)
def test_a_folder_that_is_gone_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition) as caught:
        sink = open_sink(name, tmp_path / "gone")
        sink.write(result(1))
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert "folder is gone" in caught.value.message


@pytest.mark.parametrize("name", OF_RESULTS)
def test_a_picture_of_another_size_and_of_no_tracks_is_written(name: str, tmp_path: Path) -> None:
    sink = open_sink(name, tmp_path)
    for index, (width, height) in enumerate(((321, 241), (160, 120), (640, 100)), 1):
        sink.write(result(index, width=width, height=height, tracks=0))
    sink.close()
    written = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert written
    # Rows of no tracks are none.
    assert all(size or name == "tracks.txt" for name, size in written.items()), written
