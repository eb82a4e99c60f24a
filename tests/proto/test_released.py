"""What was released is kept: `make lint` compares the contract with proto/released, and here is proof that it bites."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROTO = ROOT / "proto"
RELEASED = sorted((PROTO / "released").iterdir())
BUF = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(PROTO / "buf.yaml", tmp_path)
    (tmp_path / "herdlink" / "v1").mkdir(parents=True)
    for file in (PROTO / "herdlink" / "v1").glob("*.proto"):
        shutil.copy(file, tmp_path / "herdlink" / "v1")
    return tmp_path


def broken(folder: Path) -> list[str]:
    """What `make lint` would say of the contract in this folder."""
    command = [BUF, "breaking", "--against", str(RELEASED[0])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert (done.returncode == 0) == (done.stdout == "")
    return done.stdout.splitlines()


def change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / "herdlink" / "v1" / f"{name}.proto"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_one_contract_is_kept_that_of_the_last_release() -> None:
    (image,) = RELEASED
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    kept = image.name.removeprefix("herdlink-").removesuffix(".binpb")
    assert tuple(map(int, kept.split("."))) <= tuple(map(int, project["version"].split(".")))
    assert "buf breaking --against released/*.binpb" in (ROOT / "Makefile").read_text()


def test_the_contract_keeps_what_was_released(copy: Path) -> None:
    assert broken(copy) == []


def test_adding_stays_free(copy: Path) -> None:
    change(
        copy, "edge", "message GetInputRequest {", "message NewThing {}\n\nmessage GetInputRequest {\n  bool more = 9;"
    )
    change(copy, "edge", "  // One job.\n", "  // New.\n  rpc GetNew(NewThing) returns (NewThing);\n  // One job.\n")
    change(copy, "types", "  JOB_STATE_CANCELLED = 7;", "  JOB_STATE_CANCELLED = 7;\n  JOB_STATE_PAUSED = 8;")
    (copy / "herdlink" / "v1" / "more.proto").write_text('syntax = "proto3";\n\npackage herdlink.v1;\n')
    assert broken(copy) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("edge", "  string uri = 2;", "  string url = 2;"),
        ("edge", "  bool wait = 2;", "  bool wait = 4;"),
        ("edge", "  bool wait = 2;", "  int32 wait = 2;"),
        ("edge", "  bool wait = 2;", "  reserved 2;"),
        ("edge", "  rpc GetJob(", "  rpc FindJob("),
        ("edge", "returns (stream ReadResultResponse)", "returns (ReadResultResponse)"),
        ("edge", "  optional double max_fps = 9;", "  double max_fps = 9;"),
        ("types", "JOB_STATE_DONE = 5;", "JOB_STATE_READY = 5;"),
        ("record", ' [json_name = "event_type"]', ""),
        ("track", "package herdlink.v1;", "package herdlink.v2;"),
    ],
    ids=["name", "number", "type", "gone", "method", "stream", "presence", "enum", "json", "package"],
)
def test_what_would_break_a_peer_is_refused(copy: Path, name: str, old: str, new: str) -> None:
    change(copy, name, old, new)
    assert broken(copy)


def test_a_message_that_moves_to_another_file_is_refused(copy: Path) -> None:
    """On the wire it would be the same, but `from herdlink.v1.record_pb2 import Gap` would fail."""
    gap = "message Gap {\n  int32 first = 1;\n  int32 last = 2;\n}\n"
    change(copy, "record", gap, "")
    change(copy, "record", "import", 'import "herdlink/v1/types.proto";\nimport')
    with (copy / "herdlink" / "v1" / "types.proto").open("a") as file:
        file.write(gap)
    assert any("Gap" in line for line in broken(copy))
