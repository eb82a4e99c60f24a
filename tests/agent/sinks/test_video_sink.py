from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from film import result

from agent.core.errors import FailedPrecondition
from agent.core.picture import colour_of
from agent.sinks.video import open_sink


def frames_of(path: Path) -> list[np.ndarray]:
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (read := film.read())[0]:
        frames.append(read[1])
    film.release()
    return frames


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("width", "height"), [(320, 240), (321, 241), (5000, 40), (3, 3)])
def test_every_frame_is_in_the_film_with_its_tracks(tmp_path: Path, width: int, height: int) -> None:
    sink = open_sink(tmp_path, labels=("pig",), fps=10)
    for index in range(1, 31):
        sink.write(result(index, width=width, height=height))
    assert not (tmp_path / "result.mp4").exists(), "it appears when it is whole"
    sink.close()
    frames = frames_of(tmp_path / "result.mp4")
    assert len(frames) == 30
    if (width, height) == (320, 240):
        assert frames[29][200, 300] == pytest.approx(90, abs=6)
        assert frames[29][90, 60].astype(int) == pytest.approx(colour_of(1), abs=90)


@pytest.mark.parametrize(("fps", "expected"), [(10, 10), (29.97, 29.97), (0.2, 0.2), (0, 10), (float("nan"), 10)])
def test_the_film_has_the_rate_of_the_input(tmp_path: Path, fps: float, expected: float) -> None:
    sink = open_sink(tmp_path, labels=("pig",), fps=fps)
    for index in range(1, 4):
        sink.write(result(index))
    sink.close()
    film = cv2.VideoCapture(str(tmp_path / "result.mp4"), cv2.CAP_FFMPEG)
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(expected, rel=0.001)
    film.release()


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe on PATH (Debian: apt-get install ffmpeg)")
def test_another_player_plays_it(tmp_path: Path) -> None:
    sink = open_sink(tmp_path, labels=("pig",), fps=10)
    for index in range(1, 21):
        sink.write(result(index, noise=True))
    sink.close()
    entries = "stream=codec_name,width,height,avg_frame_rate,nb_read_frames"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of", "csv=p=0"]
    played = subprocess.run([*command, str(tmp_path / "result.mp4")], capture_output=True, text=True, check=True)
    assert played.stdout.strip() == "mpeg4,320,240,10/1,20"
    assert played.stderr == ""


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    sink = open_sink(tmp_path, labels=("pig",), fps=10)
    for index, width in enumerate((320, 160, 640), 1):
        sink.write(result(index, width=width, tracks=0))
    sink.close()
    frames = frames_of(tmp_path / "result.mp4")
    assert [frame.shape for frame in frames] == [(240, 320, 3)] * 3
    assert frames[2].mean() == pytest.approx(63, abs=3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 18 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=18m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and mount(8) for a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_fills_up_ends_a_film_that_still_plays(small_disk: Path) -> None:
    sink = open_sink(small_disk, labels=("pig",), fps=10)
    written = 0
    with pytest.raises(FailedPrecondition) as caught:
        for index in range(1, 400):
            sink.write(result(index, width=640, height=480, noise=True))
            written = index
    sink.close()
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert f"disk is full; free some space; it ends after {written} frames" in caught.value.message
    assert len(frames_of(small_disk / "result.mp4")) == written
    assert names(small_disk) == ["result.mp4"]


def test_a_disk_without_room_takes_no_film(small_disk: Path) -> None:
    (small_disk / "other").write_bytes(bytes(4 << 20))
    sink = open_sink(small_disk, labels=("pig",), fps=10)
    with pytest.raises(FailedPrecondition, match="disk is full"):
        sink.write(result(1))
    sink.close()
    assert names(small_disk) == ["other"]


WRITER = """
import resource, signal, sys
from pathlib import Path
from film import result
from agent.core.errors import FailedPrecondition
from agent.sinks.video import open_sink
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
sink = open_sink(Path(sys.argv[1]), labels=("pig",), fps=10)
try:
    for index in range(1, 60):
        sink.write(result(index, noise=True))
    sink.close()
except FailedPrecondition as error:
    print(error.reason, error)
"""


def test_writes_that_fail_in_silence_are_found_at_the_end(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert run.stdout.startswith("OUTPUT_NOT_WRITABLE")
    assert "what reached the disk" in run.stdout
    assert names(tmp_path) == [], "no film that does not play"
