"""What this OpenCV can read and write. The clips were made for this: 3 pictures of 64 x 64, H.264 and H.265."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agent.cli.checks.finding import Finding, Findings, fail, ok, warn

CLIPS = Path(__file__).parent / "clips"
_CURE = "python -m pip install --force-reinstall 'opencv-python-headless<5' in place of the OpenCV that is there"


def look() -> Findings:
    """Reading of cameras' codecs, and a film written and read back."""
    try:
        import cv2
    except ImportError:
        return
    if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        yield fail("video", f"OpenCV {cv2.__version__} was built without FFmpeg: no video can be read", _CURE)
        return
    yield _reading()
    yield _writing()


def _reading() -> Finding:
    unread = [name for name, file in (("H.264", "h264.mp4"), ("H.265", "hevc.mp4")) if not _frames(CLIPS / file)]
    if "H.264" in unread:
        return fail("video", f"cannot read {' and '.join(unread)}, which cameras send", _CURE)
    if unread:
        return warn("video", "reads H.264, but not H.265", "set the cameras to H.264, or " + _CURE)
    return ok("video", "reads H.264 and H.265")


def _writing() -> Finding:
    import cv2
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        file = Path(folder) / "film.mp4"
        writer = cv2.VideoWriter(str(file), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), 5.0, (64, 64))
        for number in range(3):
            writer.write(np.full((64, 64, 3), 80 * number, np.uint8))
        writer.release()
        if _frames(file) != 3:
            return fail("film", "result.mp4 (mp4v) cannot be written", f'{_CURE}; or set output.video = "off"')
    return ok("film", "result.mp4 (mp4v) is written and read back")


def _frames(file: Path) -> int:
    """How many pictures can be read."""
    import cv2

    capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    count = 0
    while capture.isOpened() and capture.read()[0]:
        count += 1
    capture.release()
    return count
