"""The store of models: a folder with NAME.onnx and, beside each, NAME.toml that describes it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agent.core.errors import FailedPrecondition, InvalidArgument, NotFound
from agent.core.model import ModelSpec

SYSTEM_FOLDER = Path("/var/lib/herdlink/models")
MAX_SIDE = 8192
_PIECE_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_HOW_TO_ADD = (
    "add one with `herdlink model import CFG WEIGHTS --labels NAMES --name NAME` or `herdlink model add FILE.onnx`"
)
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "width": int,
    "height": int,
    "fill": int,
    "scale": (int, float),
    "mean": list,
    "std": list,
    "labels": list,
    "outputs": list,
    "constants": dict,
    "options": dict,
}
_BOUNDS = {"width": (1, MAX_SIDE), "height": (1, MAX_SIDE), "fill": (0, 255), "scale": (1e-9, 1e6)}
CHOICES: Mapping[str, Sequence[str]] = {
    "layout": ("NCHW", "NHWC"),
    "colour": ("RGB", "BGR"),
    "fit": ("stretch", "letterbox"),
    "place": ("centre", "corner"),
    "rounding": ("down", "nearest"),
}
# Descriptions written before these were known lack them.
_YOUNGER = ("mean", "std", "place", "rounding", "outputs", "constants")
_COMMENTS = {
    "name": "what the model is called",
    "sha256": "of the .onnx file beside this one; another file is refused",
    "format": "how the outputs are read: a module of agent/core/formats",
    "width": "of the network's input, in pixels",
    "height": "of the network's input, in pixels",
    "layout": "order of the input's dimensions: NCHW or NHWC",
    "colour": "order of the planes: RGB or BGR",
    "scale": "what a byte of the picture is multiplied by, before the next two",
    "mean": "what is then taken off, one number a plane in the planes' order",
    "std": "what the rest is divided by, one number a plane in the planes' order",
    "fit": "stretch: the picture takes the input's shape; letterbox: it keeps its own, between bars",
    "place": "where it lies between the bars: centre, or corner (top left)",
    "rounding": "of its size between the bars: down or nearest",
    "fill": "brightness of the bars, 0..255",
    "source": "where network and weights come from",
    "licence": "what may be done with them",
    "labels": "name of each class, in order",
    "outputs": "names of the outputs that are read, in the format's order; empty: all",
    "constants": "further inputs that are fed the same with every picture",
    "options": "what else the format needs",
}


class Store:
    """The models in one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """What there is, in order."""
        return sorted(p.stem for p in self.folder.glob("*.toml") if self._model(p.stem).is_file())

    def find(self, name_or_path: str) -> tuple[Path, ModelSpec]:
        """A model by its name here, or an .onnx file anywhere with its sidecar: (the .onnx, its description).

        Raises NotFound (MODEL_NOT_FOUND), InvalidArgument (MODEL_INVALID) where the sidecar is missing or damaged.
        """
        by_path = "/" in name_or_path or name_or_path.endswith(".onnx")
        path = Path(name_or_path).expanduser() if by_path else self._model(name_or_path)
        if not path.is_file():
            raise NotFound("MODEL_NOT_FOUND", self._missing(name_or_path, by_path))
        return path, read_sidecar(path.with_name(path.name.removesuffix(".onnx") + ".toml"))

    def add(
        self, onnx: bytes | Path, spec: ModelSpec, reasons: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[Path, ModelSpec]:
        """Puts a model in, in place of one of the same name; its sha256 is recorded. Readers see whole files only.

        `reasons`: why a key of the description is what it is; a comment beside the key.
        """
        check_name(spec.name)
        path, digest = self._model(spec.name), hashlib.sha256()
        try:
            write_whole(path, _counted(onnx, digest))
            spec = replace(spec, sha256=digest.hexdigest())
            write_whole(
                self.folder / f"{spec.name}.toml", sidecar_text(spec, reasons).encode("utf-8", "backslashreplace")
            )
        except OSError as error:
            why = (
                f"{self.folder} cannot be written: {error.strerror}; name another folder with --store or HERDLINK_STORE"
            )
            raise FailedPrecondition("STORE_NOT_WRITABLE", why) from error
        return path, spec

    def _model(self, name: str) -> Path:
        return self.folder / f"{name}.onnx"

    def _missing(self, name: str, by_path: bool) -> str:
        if by_path:
            return f"there is no file {name}; a model is an .onnx with its .toml beside it, or a name in the store"
        there = ", ".join(self.names()) or "none"
        return f"no model {name!r} in {self.folder} (there: {there}); {_HOW_TO_ADD}"


def default_folder() -> Path:
    """$HERDLINK_STORE, else the system's store where it can be used, else the user's own."""
    named = os.environ.get("HERDLINK_STORE")
    if named:
        return Path(named).expanduser()
    if _usable(SYSTEM_FOLDER):
        return SYSTEM_FOLDER
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "herdlink" / "models"


def check_name(name: str) -> str:
    """A name that a model may have. Raises InvalidArgument (BAD_MODEL_NAME)."""
    if not _NAME.fullmatch(name):
        why = "a model's name has 1 to 64 letters, digits, ., _ and -, and does not begin with . or -"
        raise InvalidArgument("BAD_MODEL_NAME", f"{why}; {name[:80]!r} does not")
    return name


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Writes a file so that others see the old one or the new one, never a part. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _counted(data: bytes | Path, digest: hashlib._Hash) -> Iterator[bytes]:
    """The bytes piece by piece; the digest knows them afterwards. Raises OSError."""
    if isinstance(data, bytes):
        digest.update(data)
        yield data
        return
    with data.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            yield piece


def sidecar_text(spec: ModelSpec, reasons: Mapping[str, str] = MappingProxyType({})) -> str:
    """The description of a model as commented TOML."""
    lines = [f"# {spec.name}.onnx as herdlink reads it. Written by `herdlink model`."]
    for one in fields(spec):
        if one.name in _COMMENTS:
            lines.append(f"# {_COMMENTS[one.name]}")
        if one.name in reasons:
            lines.append(f"# ({_one_line(reasons[one.name])})")
        lines.append(f"{one.name} = {_toml(getattr(spec, one.name))}")
    return "\n".join(lines) + "\n"


def read_sidecar(path: Path) -> ModelSpec:
    """The description in a sidecar. Raises InvalidArgument (MODEL_INVALID) naming the file and the key."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        cure = "every model needs its description beside it: herdlink model add makes it"
        why = f"{path} cannot be read: {error.strerror}; {cure}"
        raise InvalidArgument("MODEL_INVALID", why) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument("MODEL_INVALID", f"{path} is not TOML: {error}") from error
    known = [one.name for one in fields(ModelSpec)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        why = f"{path} has a key {unknown[0][:40]!r} that is not known; known: {', '.join(known)}"
        raise InvalidArgument("MODEL_INVALID", why)
    return ModelSpec(**{key: _checked(path, key, values) for key in known if key in values or key not in _YOUNGER})


def _checked(path: Path, key: str, values: Mapping[str, Any]) -> Any:
    """The value of one key. All keys are written, so all are expected."""
    if key not in values:
        raise InvalidArgument("MODEL_INVALID", f"{path} lacks the key {key}")
    value = values[key]
    if not is_good(key, value):
        raise InvalidArgument("MODEL_INVALID", f"{path}: {key} cannot be {str(value)[:80]!r}")
    return tuple(value) if isinstance(value, list) else value


def is_good(key: str, value: object) -> bool:
    """Whether a description may have this value, as TOML knows it, for this key."""
    if not isinstance(value, _KINDS.get(key, str)) or isinstance(value, bool):
        return False
    if isinstance(value, list):
        return _is_good_list(key, value)
    if isinstance(value, int | float):
        least, most = _BOUNDS[key]
        return math.isfinite(value) and least <= value <= most
    return key not in CHOICES or value in CHOICES[key]


def _is_good_list(key: str, values: Sequence[object]) -> bool:
    if key in ("labels", "outputs"):
        return (key == "outputs" or bool(values)) and all(isinstance(one, str) for one in values)
    return len(values) == 3 and all(_is_finite(one) and (key == "mean" or one != 0) for one in values)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _toml(value: object) -> str:
    """A value in TOML; tables and texts on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def _usable(folder: Path) -> bool:
    try:
        return folder.is_dir() and (os.access(folder, os.W_OK) or any(folder.iterdir()))
    except OSError:
        return False
