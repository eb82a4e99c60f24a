from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.errors import HerdlinkError, InvalidArgument, NotFound, PermissionDenied
from agent.sources._ffmpeg import FileClock
from agent.sources.file import check, is_live, local_path, open_source

FRAMES = 60


def make_video(path: Path, frames: int = FRAMES, fps: float = 10) -> Path:
    """A real video of moving noise; frame k is brighter than frame k - 1."""
    codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (160, 120))
    noise = np.random.default_rng(0).integers(0, 120, (120, 160, 3), dtype=np.uint8)
    for k in range(frames):
        writer.write(np.roll(noise, k, axis=1) + np.uint8(2 * k))
    writer.release()
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def refusal(uri: str) -> HerdlinkError:
    with pytest.raises(HerdlinkError) as caught:
        list(open_source(uri).frames())
    return caught.value


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "pen 3: früh.mp4"])
def test_every_frame_comes_once_with_its_time(tmp_path: Path, name: str) -> None:
    source = open_source(str(make_video(tmp_path / name)))
    assert not source.info.live
    assert source.info.fps == 10
    assert source.info.total_frames == FRAMES
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(1, FRAMES + 1))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(FRAMES) / 10, abs=0.002)
    assert (np.diff([frame.image.mean() for frame in frames]) > 0).all()
    assert frames[0].image.shape == (120, 160, 3)
    source.close()
    source.close()


def test_a_file_uri_and_a_relative_path_name_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video(tmp_path / "pen 3.mp4", 3)
    monkeypatch.chdir(tmp_path)
    for uri in ("pen 3.mp4", f"file://{tmp_path}/pen%203.mp4", "FILE:pen%203.mp4"):
        check(uri)
        assert len(list(open_source(uri).frames())) == 3
        assert not is_live(uri)
    assert local_path(f"file://{tmp_path}/pen%203.mp4") == tmp_path / "pen 3.mp4"


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_a_cut_video_gives_what_it_has_and_then_says_so(tmp_path: Path, name: str) -> None:
    source = open_source(str(cut(make_video(tmp_path / name), 0.5)))
    seen = 0
    with pytest.raises(InvalidArgument) as caught:
        for frame in source.frames():
            seen = frame.index
    assert 20 < seen < 40
    assert caught.value.reason == "INPUT_TRUNCATED"
    assert f"ended after {seen} of {FRAMES} frames" in caught.value.message


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg on PATH (Debian: apt-get install ffmpeg)")
def test_a_cut_mp4_whose_index_stands_in_front_is_told_as_well(tmp_path: Path) -> None:
    whole, front = make_video(tmp_path / "a.mp4"), tmp_path / "front.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(whole), "-c", "copy", "-movflags", "faststart", str(front)]
    subprocess.run(command, check=True)
    assert len(list(open_source(str(front)).frames())) == FRAMES
    assert refusal(str(cut(front, 0.5))).reason == "INPUT_TRUNCATED"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg on PATH (Debian: apt-get install ffmpeg)")
def test_a_variable_rate_is_no_truncation_and_keeps_its_times(tmp_path: Path) -> None:
    whole, sparse = make_video(tmp_path / "a.mp4"), tmp_path / "sparse.mkv"
    picked = "select='not(mod(n,3))+gt(n,50)'"
    command = ["ffmpeg", "-v", "error", "-i", str(whole), "-vf", picked, "-fps_mode", "vfr", str(sparse)]
    subprocess.run(command, check=True)
    frames = list(open_source(str(sparse)).frames())
    assert len(frames) < FRAMES / 2
    assert [frame.time for frame in frames][:3] == pytest.approx([0, 0.3, 0.6], abs=0.002)


def test_a_cut_mp4_without_index_says_what_it_is(tmp_path: Path) -> None:
    error = refusal(str(cut(make_video(tmp_path / "a.mp4"), 0.5)))
    assert error.reason == "INPUT_UNREADABLE"
    assert "cut off" in error.message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "0 bytes"),
        (b"hello\nworld\n" * 200, "text"),
        ("돼지 우리\n".encode() * 200, "text"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n", "text"),
        (bytes(range(256)) * 20, "5120 bytes in which no video was found"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    check(str(path))
    error = refusal(str(path))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "INPUT_UNREADABLE")
    assert found in error.message


def test_the_letters_of_a_text_are_not_filmed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("돼지\n".encode("euc-kr") * 200)
    assert "text" in refusal(str(path)).message


def test_folders_missing_files_and_pipes_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check(str(tmp_path))
    assert caught.value.reason == "INPUT_IS_DIRECTORY"
    assert f"images:{tmp_path}" in caught.value.message
    for missing in (tmp_path / "no.mp4", tmp_path / ("n" * 300)):
        with pytest.raises(NotFound) as lost:
            check(str(missing))
        assert lost.value.reason == "INPUT_NOT_FOUND"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidArgument, match="no ordinary file"):
        check(str(tmp_path / "pipe"))


def test_a_camera_without_its_scheme_does_not_show_its_password() -> None:
    with pytest.raises(NotFound) as caught:
        check("admin:Canary7@10.0.0.9/s1")
    assert "Canary7" not in caught.value.message


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 3)
    path.chmod(0)
    tmp_path.chmod(0o755)
    with as_nobody(), pytest.raises(PermissionDenied) as caught:
        check(str(path))
    assert caught.value.reason == "INPUT_UNREADABLE"


@contextmanager
def as_nobody() -> Iterator[None]:
    """root may read everything: be somebody else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_close_from_another_thread_ends_the_frames(tmp_path: Path) -> None:
    for _ in range(5):
        source = open_source(str(make_video(tmp_path / "a.mp4")))
        seen = []
        reader = threading.Thread(target=lambda source=source, seen=seen: seen.extend(source.frames()))
        reader.start()
        source.close()
        reader.join(5)
        assert not reader.is_alive()
        assert len(seen) <= FRAMES


def test_a_closed_source_gives_nothing(tmp_path: Path) -> None:
    source = open_source(str(make_video(tmp_path / "a.mp4", 5)))
    source.close()
    assert list(source.frames()) == []


def test_the_clock_grows_whatever_the_decoder_says() -> None:
    clock = FileClock(10)
    positions = [5.0, 5.1, 5.1, 5.1, 5.2, 0.0, 0.1, float("nan"), 90000.0, 90000.1]
    times = [clock.time(position) for position in positions]
    assert times == pytest.approx(np.arange(10) / 10)


def test_the_clock_keeps_the_long_gaps_of_a_time_lapse() -> None:
    clock = FileClock(1 / 900)
    assert [clock.time(position) for position in (0.0, 900.0, 2700.0)] == [0, 900, 2700]
