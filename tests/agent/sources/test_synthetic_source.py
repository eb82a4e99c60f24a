from __future__ import annotations

import threading
import time
from itertools import islice, pairwise

import pytest

from agent.core.errors import InvalidArgument
from agent.sources.synthetic import check, is_live, local_path, model, open_source


def test_a_finite_herd_is_a_file_as_fast_as_it_is_read() -> None:
    source = open_source("synthetic:herd?animals=5&fps=20&seconds=3&seed=7&width=320&height=240")
    assert (source.info.live, source.info.fps, source.info.total_frames) == (False, 20, 60)
    begin = time.monotonic()
    frames = list(source.frames())
    assert time.monotonic() - begin < 2.9
    assert [frame.index for frame in frames] == list(range(1, 61))
    assert [frame.time for frame in frames] == pytest.approx([k / 20 for k in range(60)])
    assert frames[0].image.shape == (240, 320, 3)
    assert any((one.image != other.image).any() for one, other in pairwise(frames))


def test_the_seed_decides_the_film() -> None:
    def last(seed: int) -> bytes:
        uri = f"synthetic:herd?animals=3&seconds=1&seed={seed}"
        return [frame.image.tobytes() for frame in open_source(uri).frames()][-1]

    assert last(1) == last(1)
    assert last(1) != last(2)


def test_an_endless_herd_is_a_camera_in_real_time() -> None:
    uri = "synthetic:herd?animals=3&fps=20&seconds=0"
    assert is_live(uri)
    source = open_source(uri)
    assert (source.info.live, source.info.total_frames) == (True, 0)
    begin = time.monotonic()
    frames = list(islice(source.frames(), 11))
    assert 0.4 < time.monotonic() - begin < 5
    assert begin - 0.1 < frames[0].time < frames[-1].time < time.monotonic() + 0.1


def test_a_reader_that_was_held_up_is_not_flooded() -> None:
    frames = open_source("synthetic:herd?animals=1&fps=20&seconds=0").frames()
    next(frames)
    time.sleep(0.6)
    begin = time.monotonic()
    for _ in range(5):
        next(frames)
    assert time.monotonic() - begin > 0.15


def test_close_ends_the_wait() -> None:
    source = open_source("synthetic:herd?animals=1&fps=0.1&seconds=0")
    reader = threading.Thread(target=lambda: list(source.frames()))
    reader.start()
    time.sleep(0.2)
    source.close()
    source.close()
    reader.join(2)
    assert not reader.is_alive()


@pytest.mark.parametrize("rest", ["", "cows", "herd?animals=0", "herd?animals=61", "herd?fps=0", "herd?colour=1"])
def test_what_cannot_be_simulated_is_refused(rest: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check(f"synthetic:{rest}")
    assert caught.value.reason == "BAD_URI"


def test_the_example_of_the_interface_is_the_default() -> None:
    uri = "synthetic:herd?animals=20&fps=10&seconds=60&seed=1&width=640&height=360"
    one, other = open_source(uri), open_source("synthetic:herd")
    assert one.info == other.info
    assert (next(one.frames()).image == next(other.frames()).image).all()
    assert local_path(uri) is None
    assert not is_live(uri)


def test_a_pen_of_pigs_is_a_scene_like_the_herd() -> None:
    uri = "synthetic:pigs?animals=4&fps=5&seconds=1&seed=2&width=320&height=192"
    frames = list(open_source(uri).frames())
    assert [frame.index for frame in frames] == [1, 2, 3, 4, 5] and frames[0].image.shape == (192, 320, 3)
    assert (list(open_source(uri).frames())[-1].image == frames[-1].image).all()
    assert (frames[0].image != frames[-1].image).any()
    assert (model(uri), model("synthetic:herd")) == ("pig", "scripted")
