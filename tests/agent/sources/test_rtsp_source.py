"""Against a real RTSP server (GStreamer's), frozen with SIGSTOP and lost with SIGKILL."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from agent.core.errors import InvalidArgument, Unavailable
from agent.sources.rtsp import check, is_live, local_path, open_source

PYTHON = "/usr/bin/python3"
PACKAGES = "python3-gi gir1.2-gst-rtsp-server-1.0 " + " ".join(
    f"gstreamer1.0-plugins-{kind}" for kind in ("base", "good", "bad", "ugly")
)
LOGIN = ("viewer", "Canary7/@1")
ENCODED = "viewer:Canary7%2F%401"


@contextmanager
def camera() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A camera's process and its address; it asks for a login."""
    script = Path(__file__).with_name("rtsp_camera.py")
    if not Path(PYTHON).exists():
        pytest.skip(f"no RTSP server here: it needs {PYTHON} and Debian's {PACKAGES}")
    process = subprocess.Popen([PYTHON, str(script), *LOGIN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                pytest.skip(f"no RTSP server here: apt-get install {PACKAGES}")
            yield process, f"127.0.0.1:{port}/pen"
        finally:
            process.kill()


def test_a_camera_gives_pictures_of_now() -> None:
    with camera() as (_, place):
        source = open_source(f"RTSP://{ENCODED}@{place}")
        assert (source.info.live, source.info.fps, source.info.total_frames) == (True, 10, 0)
        frames = list(islice(source.frames(), 10))
        assert frames[0].image.shape == (240, 320, 3)
        assert frames[-1].time - frames[0].time == pytest.approx(0.9, abs=0.6)
        assert abs(frames[-1].time - time.monotonic()) < 3
        source.close()
        for login in ("viewer:Canary7wrong@", ""):
            with pytest.raises(Unavailable) as caught:
                open_source(f"rtsp://{login}{place}")
            assert caught.value.reason == "CAMERA_UNREACHABLE"
            assert "Canary7" not in caught.value.message


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL])
def test_a_camera_that_freezes_or_dies_is_lost_in_time(blow: signal.Signals) -> None:
    with camera() as (process, place):
        source = open_source(f"rtsp://{ENCODED}@{place}")
        begin = float("inf")
        with pytest.raises(Unavailable) as caught:
            for frame in source.frames():
                if frame.index == 5:
                    process.send_signal(blow)
                    begin = time.monotonic()
        assert time.monotonic() - begin < 15
        assert caught.value.reason == "CAMERA_LOST"
        assert "Canary7" not in caught.value.message
        source.close()


def test_closing_a_frozen_camera_returns_at_once_and_harms_nothing() -> None:
    with camera() as (process, place):
        source = open_source(f"rtsp://{ENCODED}@{place}")
        started = threading.Event()
        reader = threading.Thread(target=lambda: [started.set() for _ in source.frames()])
        reader.start()
        assert started.wait(20)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        begin = time.monotonic()
        source.close()
        assert time.monotonic() - begin < 3
        reader.join(15)
        assert not reader.is_alive()


def test_nobody_there_is_out_of_reach() -> None:
    begin = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        open_source("rtsp://u:Canary7@127.0.0.1:1/s")
    assert time.monotonic() - begin < 10
    assert caught.value.reason == "CAMERA_UNREACHABLE"
    assert "rtsp://u:***@127.0.0.1:1/s" in caught.value.message


def test_an_address_is_checked_without_opening() -> None:
    check("rtsp://${cam3}@10.0.0.21/s1")
    assert is_live("rtsp://h/s")
    assert local_path("rtsp://h/s") is None
    for bad in ("rtsp:", "rtsp:///s", "rtsp://h:99999/s", "rtsp://u:Canary7/x@h/s"):
        with pytest.raises(InvalidArgument) as caught:
            check(bad)
        assert caught.value.reason == "BAD_URI"
        assert "Canary7" not in caught.value.message
