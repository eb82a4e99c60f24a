from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.core.errors import InvalidArgument, Unavailable
from agent.sources.http import is_live, local_path, open_source

FRAMES = 40


class Web(BaseHTTPRequestHandler):
    """/a.mp4 and /cut.avi are files, /camera.mjpg a camera of 20 pictures a second, /frozen.mjpg one that stops."""

    def __init__(self, folder: Path, *args: object) -> None:
        self.folder = folder
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        if name.endswith(".mjpg"):
            self.film(frozen=name == "frozen.mjpg")
        elif (self.folder / name).is_file():
            self.serve((self.folder / name).read_bytes())
        else:
            self.send_error(404)

    def serve(self, data: bytes) -> None:
        """Ranges as every real web server has them."""
        begin = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        self.wfile.write(data[begin:])

    def film(self, *, frozen: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for k in range(60):
            jpeg = cv2.imencode(".jpg", np.full((120, 160, 3), 3 * k, np.uint8))[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(0.05)
        if frozen:
            time.sleep(12)

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("web")
    for name, codec in (("a.mp4", "mp4v"), ("cut.avi", "MJPG")):
        writer = cv2.VideoWriter(str(folder / name), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 10, (160, 120))
        noise = np.random.default_rng(0).integers(0, 200, (120, 160, 3), dtype=np.uint8)
        for k in range(FRAMES):
            writer.write(np.roll(noise, k, axis=1))
        writer.release()
    data = (folder / "cut.avi").read_bytes()
    (folder / "cut.avi").write_bytes(data[: len(data) // 2])
    (folder / "text.mp4").write_text("hello " * 100)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Web, folder))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_on_a_web_server_is_read_whole(web: str) -> None:
    uri = f"HTTP://u:Canary7@{web}/a.mp4?token=1"
    assert not is_live(uri)
    assert local_path(uri) is None
    source = open_source(uri)
    assert (source.info.live, source.info.total_frames) == (False, FRAMES)
    frames = list(source.frames())
    assert len(frames) == FRAMES
    assert frames[-1].time == pytest.approx((FRAMES - 1) / 10, abs=0.002)
    source.close()


def test_a_cut_file_on_a_web_server_is_told(web: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        list(open_source(f"http://u:Canary7@{web}/cut.avi").frames())
    assert caught.value.reason == "INPUT_TRUNCATED"
    assert "Canary7" not in caught.value.message


def test_a_camera_gives_pictures_of_now_and_is_lost_when_it_ends(web: str) -> None:
    uri = f"http://{web}/camera.mjpg?user=u&password=Canary7"
    assert is_live(uri)
    source = open_source(uri)
    times = []
    with pytest.raises(Unavailable) as caught:
        for frame in source.frames():
            assert abs(frame.time - time.monotonic()) < 3
            times.append(frame.time)
    source.close()
    assert len(times) > 5
    assert np.median(np.diff(times)) == pytest.approx(0.05, abs=0.03)
    assert caught.value.reason == "CAMERA_LOST"
    assert "Canary7" not in caught.value.message


def test_a_frozen_camera_is_lost_in_time(web: str) -> None:
    source = open_source(f"http://{web}/frozen.mjpg")
    newest = 0.0
    with pytest.raises(Unavailable) as caught:
        for frame in source.frames():
            newest = frame.time
    assert caught.value.reason == "CAMERA_LOST"
    assert time.monotonic() - newest < 12
    source.close()


@pytest.mark.parametrize("path", ["no.mp4", "no", "text.mp4"])
def test_what_gives_no_video_is_out_of_reach(web: str, path: str) -> None:
    begin = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        open_source(f"http://u:Canary7@{web}/{path}")
    assert caught.value.reason == "CAMERA_UNREACHABLE"
    assert "Canary7" not in caught.value.message
    assert time.monotonic() - begin < 10


def test_the_path_tells_files_from_cameras() -> None:
    assert not is_live("https://h/a/B.MP4?x=1#y")
    assert is_live("http://h/video.mjpg")
    assert is_live("http://h:8080/?action=stream&file=a.mp4")
    assert is_live("http://h/live.m3u8")
