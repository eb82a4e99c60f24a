"""What every file of agent/sources must do."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from agent import plugins
from agent.core.errors import HerdlinkError

SOURCES = plugins.names("agent.sources")
CANARY = "Canary7"
PROGRAM = """
import sys
from agent.core.errors import HerdlinkError
from agent.sources import file, http, rtsp
for source, uri in zip((file, rtsp, http), sys.argv[1:]):
    try:
        source.open_source(uri)
    except HerdlinkError as error:
        assert "Canary7" not in str(error)
        print(error.reason)
"""


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_module_has_its_functions(name: str) -> None:
    module = plugins.load("agent.sources", name, "input scheme")
    assert module.__doc__
    for function in ("local_path", "is_live", "check", "open_source"):
        assert list(inspect.signature(getattr(module, function)).parameters) == ["uri"], function
        assert getattr(module, function).__doc__


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "rest", ["", "//", "//[", "//:x", "//u:Canary7@127.0.0.1:1/s?password=Canary7", "/nowhere?a=1"]
)
def test_nonsense_is_refused_in_words_and_without_passwords(name: str, rest: str) -> None:
    module = plugins.load("agent.sources", name, "input scheme")
    with pytest.raises(HerdlinkError) as caught:
        module.open_source(f"{name}:{rest}")
    assert caught.value.reason.isupper()
    assert "\n" not in caught.value.message
    assert CANARY not in caught.value.message or name in ("images", "file", "synthetic")


def test_a_program_keeps_silent_over_what_ffmpeg_finds_wrong(tmp_path: Path) -> None:
    """In a process of its own: OpenCV sets its silence when it uses FFmpeg for the first time."""
    broken = tmp_path / "a.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom" + bytes(range(256)) * 40)
    wanted = [str(broken), f"rtsp://u:{CANARY}@127.0.0.1:1/s", f"http://u:{CANARY}@127.0.0.1:1/a?token={CANARY}"]
    told = subprocess.run([sys.executable, "-c", PROGRAM, *wanted], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["INPUT_UNREADABLE", "CAMERA_UNREACHABLE", "CAMERA_UNREACHABLE"]
    assert told.stderr == ""


def test_the_schemes_of_the_interface_are_there() -> None:
    assert {"file", "rtsp", "http", "images", "synthetic"} <= set(SOURCES)
