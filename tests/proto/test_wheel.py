"""herdlink-proto, the wheel that peers install: built, unpacked away from everything else, and used."""

import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import grpc
import pytest
from agent_process import AgentProcess
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).parents[2]
HERDLINK, PEERS = (tomllib.loads((ROOT / at / "pyproject.toml").read_text())["project"] for at in (".", "proto"))
RUNTIMES = ("google", "grpc", "typing_extensions.py", "google-stubs", "grpc-stubs")
"""What herdlink-proto[types] would bring, borrowed from this environment."""
USE = """
import grpc
from herdlink.v1 import edge_pb2, edge_pb2_grpc, record_pb2_grpc, track_pb2_grpc

with grpc.insecure_channel(TARGET) as channel:
    node = edge_pb2_grpc.EdgeServiceStub(channel).GetNode(edge_pb2.GetNodeRequest(), timeout=10)
reveal_type(node)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT / "proto", check=True, capture_output=True, timeout=120)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def peer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, what it asks for, and nothing of herdlink."""
    folder = tmp_path_factory.mktemp("peer")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python3*/site-packages")
    for name in RUNTIMES:
        (site / name).symlink_to(Path(grpc.__file__).parents[1] / name)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, timeout=120)
    return python


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path).start()
    yield process
    process.stop()


def test_both_wheels_have_one_version_and_ask_for_the_same_runtimes() -> None:
    assert PEERS["name"] == "herdlink-proto"
    assert PEERS["version"] == HERDLINK["version"]
    assert PEERS["requires-python"] == HERDLINK["requires-python"]
    assert set(PEERS["dependencies"]) <= set(HERDLINK["dependencies"])


def test_the_stubs_accept_the_oldest_runtimes_that_are_asked_for() -> None:
    needed = dict(requirement.split(",")[0].split(">=") for requirement in PEERS["dependencies"])
    stubs = ROOT / "proto" / "herdlink" / "v1"
    assert f"# Protobuf Python Version: {needed['protobuf']}\n" in (stubs / "edge_pb2.py").read_text()
    assert f"GRPC_GENERATED_VERSION = '{needed['grpcio']}.0'" in (stubs / "edge_pb2_grpc.py").read_text()


def test_everything_a_peer_needs_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"herdlink_proto-{PEERS['version']}-py3-none-any.whl"
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = ROOT / "proto" / "herdlink"
    committed = {f"herdlink/{path.relative_to(source)}" for path in source.rglob("*") if path.is_file()}
    assert names == {name for name in committed if not name.endswith(".pyc")}
    for each in ("edge", "record", "track"):
        ends = (".proto", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")
        assert {f"herdlink/v1/{each}{end}" for end in ends} <= names
    assert {"herdlink/py.typed", "herdlink/v1/types.proto", "herdlink/v1/herdlink.binpb"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in ZipFile(wheel).namelist())


def test_the_descriptor_set_needs_nothing_beside_it(wheel: Path) -> None:
    image = FileDescriptorSet.FromString(ZipFile(wheel).read("herdlink/v1/herdlink.binpb"))
    names = [file.name for file in image.file]
    assert all(imported in names[:at] for at, file in enumerate(image.file) for imported in file.dependency)


def test_the_installed_stubs_call_a_real_agent(peer: Path, agent: AgentProcess, tmp_path: Path) -> None:
    text = USE.replace("TARGET", repr(f"unix:{agent.socket}")).replace("reveal_type(node)", "print(node.id)")
    (tmp_path / "use.py").write_text(f"{text}print(edge_pb2.__file__)")
    command = [str(peer), "-I", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    (installed,) = peer.parents[1].glob("lib/python3*/site-packages/herdlink/v1/edge_pb2.py")
    assert done.stdout.split() == ["n1", str(installed)]


def test_mypy_sees_the_types_of_the_installed_stubs(peer: Path, tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(USE.replace("TARGET", '"localhost:1"') + "edge_pb2.SetInputRequest(url='x')\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(peer), "--config-file=", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False)
    lines = done.stdout.splitlines()
    assert lines[0] == 'use.py:7: note: Revealed type is "herdlink.v1.edge_pb2.GetNodeResponse"'
    assert 'Unexpected keyword argument "url" for "SetInputRequest"' in lines[1]
    assert lines[-1].startswith("Found 1 error in 1 file")
