from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.errors import InvalidArgument, NotFound
from agent.sources.images import check, is_live, local_path, open_source


def picture(path: Path, value: int, width: int = 80, height: int = 60) -> None:
    assert cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))


def test_pictures_come_in_natural_order_at_the_asked_rate(tmp_path: Path) -> None:
    for number, suffix in ((1, "png"), (2, "PNG"), (10, "bmp"), (9, "jpg"), (11, "webp")):
        picture(tmp_path / f"pen{number}.{suffix}", 10 * number)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(b"")
    uri = f"images:{tmp_path}?fps=4"
    check(uri)
    source = open_source(uri)
    assert (source.info.live, source.info.fps, source.info.total_frames) == (False, 4, 5)
    frames = list(source.frames())
    assert [round(frame.image.mean() / 10) for frame in frames] == [1, 2, 9, 10, 11]
    assert [frame.index for frame in frames] == [1, 2, 3, 4, 5]
    assert [frame.time for frame in frames] == [0, 0.25, 0.5, 0.75, 1]
    assert local_path(uri) == tmp_path
    assert not is_live(uri)


def test_other_sizes_are_fitted_into_the_first_ones(tmp_path: Path) -> None:
    picture(tmp_path / "1.png", 200, 80, 60)
    picture(tmp_path / "2.png", 200, 30, 60)
    picture(tmp_path / "3.png", 200, 160, 120)
    first, tall, large = (frame.image for frame in open_source(f"images:{tmp_path}").frames())
    assert first.shape == tall.shape == large.shape == (60, 80, 3)
    assert (large == 200).all()
    assert (tall[:, 25:55] == 200).all()
    assert (tall[:, :25] == 114).all()
    assert (tall[:, 55:] == 114).all()


def test_damaged_pictures_are_passed_over_and_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 6):
        picture(tmp_path / f"{number}.png", 50)
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "4.png").write_text("hello")
    seen = []
    with pytest.raises(InvalidArgument) as caught:
        for frame in open_source(f"images:{tmp_path}").frames():
            seen.append(frame.index)
    assert seen == [1, 3, 5]
    assert caught.value.reason == "INPUT_DAMAGED"
    assert "2 of 5 pictures" in caught.value.message
    assert "2.png" in caught.value.message
    assert capfd.readouterr().err == ""


def test_a_folder_of_nothing_but_damage_gives_no_frames(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InvalidArgument, match="1 of 1 pictures"):
        list(open_source(f"images:{tmp_path}").frames())


def test_what_is_no_folder_of_pictures_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    picture(tmp_path / "1.png", 50)
    (tmp_path / "empty").mkdir()
    for uri, reason, kind in (
        (f"images:{tmp_path}/empty", "INPUT_EMPTY", InvalidArgument),
        (f"images:{tmp_path}/1.png", "INPUT_IS_FILE", InvalidArgument),
        (f"images:{tmp_path}/none", "INPUT_NOT_FOUND", NotFound),
        (f"images:{tmp_path}?fps=0", "BAD_URI", InvalidArgument),
        (f"images:{tmp_path}?rate=1", "BAD_URI", InvalidArgument),
    ):
        with pytest.raises(kind) as caught:
            check(uri)
        assert caught.value.reason == reason


def test_close_ends_the_frames(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / f"{number}.png", 50)
    source = open_source(f"images:{tmp_path}")
    frames = source.frames()
    next(frames)
    source.close()
    assert list(frames) == []
