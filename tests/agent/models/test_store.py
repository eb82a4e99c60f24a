"""The store of models: what goes in comes out, and every damage is told in a sentence."""

from __future__ import annotations

import hashlib
import os
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import FailedPrecondition, InvalidArgument, NotFound
from agent.core.model import ModelSpec
from agent.models import store as store_module
from agent.models.store import Store, default_folder, read_sidecar, sidecar_text

HEADS = {"heads": [{"anchors": [[10.0, 14.5]], "scale_x_y": 1.05, "new_coords": False}]}
SPEC = ModelSpec(name="pigs", format="darknet", labels=("pig", "piglet"), width=416, height=320, options=HEADS)


def test_what_is_added_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "not" / "yet")
    assert store.names() == []
    path, spec = store.add(b"bytes of a model", SPEC)
    assert spec.sha256 == hashlib.sha256(b"bytes of a model").hexdigest()
    assert store.names() == ["pigs"] and store.find("pigs") == (path, spec)
    assert store.find(str(path)) == (path, spec)
    assert spec.label == f"pigs@{spec.sha256[:8]}"
    assert {p.name for p in store.folder.iterdir()} == {"pigs.onnx", "pigs.toml"}
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_can_be_added_and_a_model_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    file = tmp_path / "elsewhere.bin"
    file.write_bytes(b"new")
    old = store.add(b"old", SPEC)[1]
    new = store.add(file, SPEC)[1]
    assert store.find("pigs")[1] == new != old
    assert store.find("pigs")[0].read_bytes() == b"new"


def test_names_with_dots_keep_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(b"x", ModelSpec(name="v4.tiny-3l_b", format="darknet", labels=("a",), width=32, height=32))
    assert store.names() == ["v4.tiny-3l_b"]
    assert store.find("v4.tiny-3l_b") == store.find(str(tmp_path / "v4.tiny-3l_b.onnx"))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-x", ".hidden", "a b", "a\n", "ä", "x" * 65])
def test_names_that_are_no_file_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="a model's name has"):
        Store(tmp_path).add(b"x", ModelSpec(name=name, format="darknet", labels=("a",), width=32, height=32))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_tells_what_there_is_and_the_cure(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(
        NotFound, match=r"no model 'cows' in .*\(there: none\); add one with `herdlink model import"
    ) as e:
        store.find("cows")
    assert e.value.reason == "MODEL_NOT_FOUND"
    store.add(b"x", SPEC)
    with pytest.raises(NotFound, match=r"there: pigs"):
        store.find("cows")
    with pytest.raises(NotFound, match=r"there is no file ./cows.onnx"):
        store.find("./cows.onnx")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FailedPrecondition, match=r"cannot be written: .*--store") as caught:
        Store(tmp_path / "file").add(b"x", SPEC)
    assert caught.value.reason == "STORE_NOT_WRITABLE"


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(text, min_size=1, max_size=5),
    st.floats(1e-6, 255),
    text,
    st.sampled_from(["stretch", "letterbox"]),
    st.integers(1, 8192),
)
def test_any_description_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], scale: float, source: str, fit: str, width: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    spec = ModelSpec(
        name="any",
        format="darknet",
        labels=tuple(labels),
        width=width,
        height=32,
        scale=scale,
        fit=fit,
        source=source,
        options=HEADS,
    )
    path.write_text(sidecar_text(spec), "utf-8")
    assert read_sidecar(path) == spec


def test_every_key_of_the_description_has_a_comment(tmp_path: Path) -> None:
    written = sidecar_text(SPEC)
    lines = written.splitlines()
    uncommented = [key for key in tomllib.loads(written) if not lines[index_of(lines, key) - 1].startswith("# ")]
    assert uncommented == []


def index_of(lines: list[str], key: str) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(f"{key} ="))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("width = 416", "", "lacks the key width"),
        ("width = 416", "width = 0", "width cannot be '0'"),
        ("width = 416", "width = true", "width cannot be 'True'"),
        ("width = 416", 'width = "416"', "width cannot be '416'"),
        ('fit = "stretch"', 'fit = "crop"', "fit cannot be 'crop'"),
        ("fill = 127", "fill = 300", "fill cannot be '300'"),
        ("mean = [0.0, 0.0, 0.0]", "mean = [0.0]", "mean cannot be '[0.0]'"),
        ("std = [1.0, 1.0, 1.0]", "std = [1.0, 0.0, 1.0]", "std cannot be"),
        ("scale = 0.00", "scale = nan # ", "scale cannot be 'nan'"),
        ("outputs = []", "outputs = [1]", "outputs cannot be '[1]'"),
        ("options = {", "optoins = {}\noptions = {", "a key 'optoins' that is not known"),
        ('labels = ["pig", "piglet"]', "labels = []", "labels cannot be '[]'"),
        ('labels = ["pig", "piglet"]', "labels = [1]", "labels cannot be '[1]'"),
        ('name = "pigs"', "name = pigs", "is not TOML"),
        ('name = "pigs"', "name = [", "is not TOML"),
    ],
)
def test_a_damaged_description_is_told(old: str, new: str, says: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(b"x", SPEC)
    sidecar = tmp_path / "pigs.toml"
    damaged = sidecar.read_text().replace(old, new)
    assert damaged != sidecar.read_text()
    sidecar.write_text(damaged)
    with pytest.raises(InvalidArgument) as caught:
        store.find("pigs")
    assert caught.value.reason == "MODEL_INVALID" and "\n" not in caught.value.message
    assert f"{sidecar}" in caught.value.message and says in caught.value.message


def test_descriptions_written_before_some_keys_were_known_are_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    _, spec = store.add(b"x", SPEC)
    younger = ("mean", "std", "place", "rounding", "outputs", "constants")
    lines = (tmp_path / "pigs.toml").read_text().splitlines()
    kept = [line for line in lines if line.partition(" ")[0] not in younger]
    assert len(kept) == len(lines) - len(younger)
    (tmp_path / "pigs.toml").write_text("\n".join(kept))
    assert store.find("pigs")[1] == spec


def test_the_reasons_stand_beside_the_keys() -> None:
    lines = sidecar_text(SPEC, {"colour": "likely: as\nusual"}).splitlines()
    assert lines[index_of(lines, "colour") - 1] == "# (likely: as usual)"


def test_a_model_without_description_is_told(tmp_path: Path) -> None:
    (tmp_path / "bare.onnx").write_bytes(b"x")
    with pytest.raises(InvalidArgument, match="every model needs its description beside it"):
        Store(tmp_path).find("bare")
    assert Store(tmp_path).names() == []


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    store, sizes = Store(tmp_path), (10, 200_000)
    store.add(b"a" * sizes[0], SPEC)
    done = threading.Event()

    def write() -> None:
        for turn in range(40):
            store.add(b"a" * sizes[turn % 2], SPEC)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        path, spec = store.find("pigs")
        assert len(path.read_bytes()) in sizes and len(spec.sha256) == 64
    writer.join()
    assert {p.name for p in tmp_path.iterdir()} == {"pigs.onnx", "pigs.toml"}


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERDLINK_STORE", str(tmp_path / "named"))
    assert default_folder() == tmp_path / "named"
    monkeypatch.delenv("HERDLINK_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    system = tmp_path / "system"
    monkeypatch.setattr(store_module, "SYSTEM_FOLDER", system)
    assert default_folder() == tmp_path / "data" / "herdlink" / "models"
    system.mkdir()
    assert default_folder() == system
    monkeypatch.delenv("XDG_DATA_HOME")
    system.rmdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local" / "share" / "herdlink" / "models"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_system_store_that_is_read_only_counts_once_it_holds_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HERDLINK_STORE", raising=False)
    monkeypatch.setattr(store_module, "SYSTEM_FOLDER", tmp_path / "system")
    Store(tmp_path / "system").add(b"x", SPEC)
    (tmp_path / "system").chmod(0o555)
    assert default_folder() == tmp_path / "system"
