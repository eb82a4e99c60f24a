"""Clients that know the agent from outside: by reflection, by health, by the .proto files alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from agent_process import AgentProcess
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parents[3]
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


def buf_curl(address: str, method: str, request: dict[str, object]) -> dict[str, object]:
    url = f"http://{address}/herdlink.v1.EdgeService/{method}"
    command = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(request), url]
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


def test_a_javascript_client_made_of_the_proto_files_drives_the_five_calls(
    tcp_agent: tuple[AgentProcess, str], tmp_path: Path
) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is missing: apt-get install nodejs npm, then the JavaScript client is tested too")
    for name in ("package.json", "client.js", ".npmrc"):
        shutil.copy(ROOT / "tests" / "javascript" / name, tmp_path)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=tmp_path, check=True, timeout=150)
    command = ["node", "client.js", tcp_agent[1], str(ROOT / "proto"), HERD]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers["input"] == HERD
    assert answers["output"].endswith("/javascript")
    assert (answers["job"]["state"], answers["job"]["frames"]) == ("JOB_STATE_DONE", 20)
    assert answers["error"]["code"] == "NOT_FOUND"
    assert "no job '7'" in answers["error"]["message"]


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
    with grpc.insecure_channel(address) as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
