from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from film import result

from agent.core.errors import FailedPrecondition
from agent.core.picture import colour_of
from agent.sinks.snapshot import open_sink


def test_the_first_picture_is_there_at_once_and_the_last_at_the_end(tmp_path: Path) -> None:
    sink = open_sink(tmp_path, labels=("pig",), fps=10)
    path = tmp_path / "snapshot.jpg"
    sink.write(result(1))
    first = path.stat()
    assert cv2.imread(str(path))[200, 300] == pytest.approx(61, abs=3)
    for index in range(2, 40):
        sink.write(result(index))
    assert path.stat().st_mtime_ns == first.st_mtime_ns, "not again within 10 s"
    sink.close()
    image = cv2.imread(str(path))
    assert image[200, 300] == pytest.approx(99, abs=3)
    assert image[40:49, 51:53].mean((0, 1)) == pytest.approx(colour_of(1), abs=60), "the track is drawn"
    assert path.stat().st_ino != first.st_ino, "a reader never sees half a picture"


def test_a_folder_that_vanishes_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    sink = open_sink(folder, labels=("pig",), fps=10)
    sink.write(result(1))
    sink.write(result(2))
    (folder / "snapshot.jpg").unlink()
    folder.rmdir()
    with pytest.raises(FailedPrecondition, match="folder is gone"):
        sink.close()
