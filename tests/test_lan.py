"""Two machines on a network: a node with the agent, and a PC that has only the client. Network namespaces, as root."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

NODE, PC = "10.87.0.1", "10.87.0.2"
HERD = "synthetic:herd?animals=5&fps=10&seconds=12&seed=3&width=320&height=240"


def run(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=check)


@pytest.fixture
def lan() -> Iterator[tuple[str, str]]:
    """Names of two namespaces joined by a cable; the second cannot see the first's sockets or files of /run."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip (Debian: iproute2) to make two machines of one")
    tag = f"hl{os.getpid() % 100_000}"
    node, pc = f"{tag}n", f"{tag}p"
    if run("ip", "netns", "add", node, check=False).returncode:
        pytest.skip("network namespaces cannot be made here")
    try:
        run("ip", "netns", "add", pc)
        run("ip", "link", "add", node, "netns", node, "type", "veth", "peer", "name", pc, "netns", pc)
        for name, address in ((node, NODE), (pc, PC)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", name)
            run("ip", "-n", name, "link", "set", name, "up")
            run("ip", "-n", name, "link", "set", "lo", "up")
        yield node, pc
    finally:
        for name in (node, pc):
            run("ip", "netns", "delete", name, check=False)


@pytest.fixture
def agent(lan: tuple[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An agent on the node, open to its network because its settings say so."""
    settings = tmp_path / "agent.toml"
    places = {"state_dir": "state", "output_root": "results"}
    head = {"node": "barn", **{key: str(tmp_path / name) for key, name in places.items()}}
    lines = [f"{key} = {json.dumps(value)}" for key, value in head.items()]
    settings.write_text("\n".join([*lines, "[rpc]", f'listen = ["{NODE}:50051"]', "insecure = true"]))
    command = ["ip", "netns", "exec", lan[0], sys.executable, "-m", "agent", "--config", str(settings)]
    with (tmp_path / "agent.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield process
    process.terminate()
    process.wait(30)


def herdlink(lan: tuple[str, str], *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """The command on the PC."""
    done = run("ip", "netns", "exec", lan[1], sys.executable, "-m", "agent.cli.main", *words, check=False)
    assert done.returncode == status, done.stderr
    return done


def await_agent(lan: tuple[str, str], target: str) -> None:
    deadline = time.monotonic() + 60
    words = ("call", "GetNode", "--target", target, "--timeout", "5")
    while run("ip", "netns", "exec", lan[1], sys.executable, "-m", "agent.cli.main", *words, check=False).returncode:
        assert time.monotonic() < deadline, "the agent does not answer over the network"


def test_a_pc_asks_a_node_and_gets_the_results(
    lan: tuple[str, str], agent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    target = f"{NODE}:50051"
    await_agent(lan, target)
    done = herdlink(lan, "analyze", HERD, "--output", str(tmp_path / "pc"), "--target", target)
    assert "DONE, 120 frames" in done.stdout
    names = {path.name for path in (tmp_path / "pc").iterdir()}
    assert names == {
        "result.mp4",
        "tracks.txt",
        "classes.txt",
        "summaries.jsonl",
        "events.jsonl",
        "snapshot.jpg",
        "run.json",
    }


def test_a_cable_that_is_pulled_for_a_moment_loses_nothing(
    lan: tuple[str, str], agent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    target = f"{NODE}:50051"
    await_agent(lan, target)
    long = HERD.replace("seconds=12", "seconds=300")
    words = ["analyze", long, "--output", str(tmp_path / "pc"), "--target", target, "--no-video"]
    client = subprocess.Popen(
        ["ip", "netns", "exec", lan[1], sys.executable, "-m", "agent.cli.main", *words], stdout=subprocess.DEVNULL
    )
    try:
        jobs = ("call", "ListJobs", "--target", target)
        while '"jobId"' not in herdlink(lan, *jobs).stdout:
            time.sleep(0.1)
        run("ip", "-n", lan[1], "link", "set", lan[1], "down")
        time.sleep(3)
        run("ip", "-n", lan[1], "link", "set", lan[1], "up")
        assert client.wait(120) == 0
    finally:
        with suppress(ProcessLookupError):
            client.send_signal(signal.SIGKILL)
    told = json.loads((tmp_path / "pc" / "run.json").read_text())
    assert (told["state"], told["frames"]) == ("DONE", 3000)
