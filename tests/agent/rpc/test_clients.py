"""Clients that know the agent from outside: by reflection, by health, by the .proto files alone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from agent_process import AgentProcess
from grpc_health.v1 import health_pb2, health_pb2_grpc

from herdlink.v1 import edge_pb2

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "proto" / "examples"
HERD = "synthetic:herd?animals=3&fps=10&seconds=2&seed=3&width=320&height=240"
BUF = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"


@pytest.fixture(scope="module")
def tcp_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AgentProcess, str]]:
    """An agent that also listens on a TCP port of this machine, and that address."""
    agent = AgentProcess(tmp_path_factory.mktemp("agent"))
    text = agent.config.read_text().replace(f'["unix:{agent.socket}"]', f'["unix:{agent.socket}", "127.0.0.1:0"]')
    agent.config.write_text(text)
    agent.start()
    address = next(line.rsplit(" ", 1)[1] for line in agent.log().splitlines() if "listens on 127.0.0.1" in line)
    yield agent, address
    agent.stop()


def buf_curl(address: str, method: str, request: dict[str, object], *more: str) -> dict[str, object]:
    url = f"http://{address}/herdlink.v1.EdgeService/{method}"
    command = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *more, "-d", json.dumps(request), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_buf_curl_drives_the_five_calls_by_reflection(tcp_agent: tuple[AgentProcess, str]) -> None:
    agent, address = tcp_agent
    assert buf_curl(address, "SetInput", {"uri": HERD}) == {"uri": HERD}
    assert buf_curl(address, "GetInput", {}) == {"uri": HERD}
    output = str(agent.output_root / "buf")
    assert buf_curl(address, "SetOutput", {"uri": "buf"}) == {"uri": output}
    assert buf_curl(address, "GetOutput", {}) == {"uri": output}
    job = buf_curl(address, "Compute", {"wait": True})["job"]
    assert isinstance(job, dict)
    assert (job["state"], job["frames"]) == ("JOB_STATE_DONE", 20)


def test_the_descriptor_set_serves_tools_where_reflection_does_not(tcp_agent: tuple[AgentProcess, str]) -> None:
    schema = str(ROOT / "proto" / "herdlink" / "v1" / "herdlink.binpb")
    assert buf_curl(tcp_agent[1], "GetNode", {}, "--schema", schema)["id"] == "n1"


@pytest.fixture(params=["python", "javascript"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The command of the shipped example client in that language."""
    if request.param == "python":
        return [sys.executable, str(EXAMPLES / "python" / "analyze.py")]
    if not shutil.which("npm"):
        pytest.skip("npm is missing: apt-get install nodejs npm, then the JavaScript client is tested too")
    for name in ("package.json", "analyze.js", ".npmrc"):
        shutil.copy(EXAMPLES / "javascript" / name, tmp_path)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=tmp_path, check=True, timeout=150)
    return ["node", str(tmp_path / "analyze.js")]


def test_the_example_clients_analyse_and_bring_the_results(
    tcp_agent: tuple[AgentProcess, str], example: list[str], tmp_path: Path
) -> None:
    agent, address = tcp_agent

    def run(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HERDLINK_PROTO": str(ROOT / "proto"), "PYTHONPATH": str(ROOT / "proto")}
        command = [*example, address, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert done.returncode == status, done.stderr
        return done

    here = tmp_path / "here"
    told = run(HERD, str(here))
    job = agent.edge.ListJobs(edge_pb2.ListJobsRequest(limit=1)).jobs[0]
    assert job.output == str(agent.output_root / "peer" / job.job_id)
    assert "DONE: 20 of 20 frames" in told.stderr
    contents = {path.name: path.read_bytes() for path in here.iterdir()}
    assert told.stdout.splitlines() == [str(here / file.name) for file in job.results]
    assert contents == {file.name: (Path(job.output) / file.name).read_bytes() for file in job.results}
    # A transfer that broke goes on where it stopped: what is asked for is the rest alone.
    part = here / "result.mp4.part"
    part.write_bytes(contents["result.mp4"][:1000])
    (here / "result.mp4").unlink()
    run("--job", job.job_id, str(here))
    assert {path.name: path.read_bytes() for path in here.iterdir()} == contents
    # A part that is no part of this file is found out by its sha256.
    part.write_bytes(b"x" * 1000)
    assert "result.mp4 is not what the job left; run it again" in run("--job", job.job_id, str(here), status=1).stderr
    assert not part.exists()
    told = run("--job", "7", str(here), status=1)
    assert told.stderr.startswith("NOT_FOUND: no job '7'")


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_the_example_clients_are_short(language: str) -> None:
    (source,) = (EXAMPLES / language).glob("analyze.*")
    assert len(source.read_text().splitlines()) < 100


def test_health_answers_for_every_service(tcp_agent: tuple[AgentProcess, str]) -> None:
    with grpc.insecure_channel(tcp_agent[1]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "herdlink.v1.EdgeService", "herdlink.v1.TrackService", "herdlink.v1.RecordService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_second_agent_is_refused_on_the_state_the_port_and_the_socket(tcp_agent: tuple[AgentProcess, str]) -> None:
    agent, address = tcp_agent

    def second(**changes: str) -> str:
        text = agent.config.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        config = agent.folder / "second.toml"
        config.write_text(text)
        command = [sys.executable, "-m", "agent", "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]

    assert "another agent uses state_dir" in second()
    elsewhere = {str(agent.folder / "state"): str(agent.folder / "state2")}
    assert f"unix:{agent.socket} is taken" in second(**elsewhere)
    listen = f'listen = ["unix:{agent.socket}", "127.0.0.1:0"]'
    assert f"{address} is taken" in second(**elsewhere, **{listen: f'listen = ["{address}"]'})
    assert "would let anyone on the network" in second(**elsewhere, **{listen: 'listen = ["0.0.0.0:50999"]'})
    file = agent.folder / "notes.txt"
    file.write_text("keep me")
    assert "is there and no socket" in second(**elsewhere, **{listen: f'listen = ["unix:{file}"]'})
    assert file.read_text() == "keep me"
    with grpc.insecure_channel(address) as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
