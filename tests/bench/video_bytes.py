"""A camera's video, against all that a node publishes of it, also as the broker counts it.

The demo's film, again and again at its own 10 pictures a second, as a camera's MJPEG over HTTP. The video is counted as
the H.264 that the film is; the MJPEG, which is larger, stands beside it. A round takes a minute.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
from mqtt_calls import node
from pipeline import CLIP, FRAMES
from table import Figure, show

from herdlink.v1 import edge_pb2 as pb
from herdlink.v1 import types_pb2

FPS = 10.0
SECONDS = 60.0
SETTLE_S = 10.0
RECEIVED, SENT = "$SYS/broker/bytes/received", "$SYS/broker/bytes/sent"


def run(rounds: int) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        _camera() as camera,
        node(Path(name), broker="sys_interval 1\n", more='[model]\nname = "pig"\n') as (user, agent, _, _),
    ):
        counts: dict[str, int] = {RECEIVED: 0, SENT: 0}
        payloads = [0]

        def take(_client: object, _data: object, message: object) -> None:
            topic, payload = message.topic, message.payload  # type: ignore[attr-defined]
            if topic in counts:
                counts[topic] = int(payload)
            else:
                payloads[0] += len(payload)

        user.client.on_message = take
        agent.edge.SetInput(pb.SetInputRequest(uri=camera.uri))
        agent.edge.Compute(pb.ComputeRequest())
        agent.await_stream("", types_pb2.JOB_STATE_RUNNING)
        user.client.subscribe([(RECEIVED, 0), (SENT, 0), ("herdlink/n1/#", 0)])
        time.sleep(SETTLE_S)
        rows = [_round(counts, payloads, camera) for _ in range(rounds)]
    video = CLIP.stat().st_size / FRAMES * FPS
    show(
        f"bytes of one stream, {SECONDS:.0f} s a round, a snapshot each minute",
        [
            Figure("payloads published / video (H.264)", [row[0] / video for row in rows]),
            Figure("broker received / video (H.264)", [row[1] / video for row in rows]),
            Figure("video, H.264", [video * 8 / 1000], "kbit/s"),
            Figure("video, as the MJPEG sent", [row[3] * 8 / 1000 for row in rows], "kbit/s"),
            Figure("payloads published", [row[0] * 8 / 1000 for row in rows], "kbit/s"),
            Figure("broker received, with what subscribers acknowledge", [row[1] * 8 / 1000 for row in rows], "kbit/s"),
            Figure("broker sent, to one subscriber of all and of $SYS", [row[2] * 8 / 1000 for row in rows], "kbit/s"),
        ],
    )


def _round(counts: dict[str, int], payloads: list[int], camera: Camera) -> list[float]:
    """Bytes a second: payloads, received, sent, MJPEG."""
    before = [payloads[0], counts[RECEIVED], counts[SENT], camera.sent]
    time.sleep(SECONDS)
    after = [payloads[0], counts[RECEIVED], counts[SENT], camera.sent]
    return [(now - was) / SECONDS for now, was in zip(after, before, strict=True)]


class Camera:
    """The film as MJPEG in real time, without an end."""

    def __init__(self) -> None:
        film = cv2.VideoCapture(str(CLIP))
        self._pictures = []
        while (told := film.read())[0]:
            self._pictures.append(cv2.imencode(".jpg", told[1])[1].tobytes())
        self.sent = 0
        self.stopped = threading.Event()
        self.uri = ""

    def parts(self) -> Iterator[bytes]:
        begin, index = time.monotonic(), 0
        while not self.stopped.wait(max(0.0, begin + index / FPS - time.monotonic())):
            jpeg = self._pictures[index % len(self._pictures)]
            part = b"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg)
            self.sent += len(part)
            index += 1
            yield part


@contextmanager
def _camera() -> Iterator[Camera]:
    camera = Camera()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
            self.end_headers()
            try:
                for part in camera.parts():
                    self.wfile.write(part)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    camera.uri = f"http://127.0.0.1:{server.server_address[1]}/pen"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield camera
    finally:
        camera.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
