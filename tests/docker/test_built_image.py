"""The image built by buildah, and compose.yaml run as it is by podman in a network of its own.

No image registry is asked: the base is made of Debian's packages and imported under the name that the Dockerfile asks
for, and the broker's image is made of it too. The tests share one node and stand in the order of its life.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from booted_machine import REPOSITORY, apt_mirror, need, only_when_wanted

only_when_wanted()
pytestmark = pytest.mark.timeout(1200)

CACHE = REPOSITORY / ".cache" / "containers"
BASE = "localhost/debian:bookworm-slim"
BROKER = "docker.io/library/eclipse-mosquitto:2"
BROKER_FILE = f"""\
FROM {BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends mosquitto mosquitto-clients \\
    && mkdir -p /mosquitto/config /mosquitto/data && chown -R mosquitto /mosquitto
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
"""
# runc with cgroupfs: neither needs a systemd on this machine.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
HERD = "synthetic:herd?animals=5&fps=10&seconds=5&seed=3"


class Node:
    """compose.yaml, up in a network namespace of its own."""

    def __init__(self, environment: dict[str, str], network: str, node: str) -> None:
        self._environment = environment
        self._network = network
        self.node = node

    def run(self, *command: str, check: bool = True, timeout_s: float = 120) -> str:
        # `ip netns exec` would hide the control groups, which the containers need.
        inside = ["nsenter", f"--net=/run/netns/{self._network}", *command]
        return _run(*inside, environment=self._environment, check=check, timeout_s=timeout_s)

    def compose(self, *words: str) -> str:
        tool = REPOSITORY / ".cache/tools/bin/podman-compose"
        return self.run(str(tool), "--file", str(REPOSITORY / "docker/compose.yaml"), *words)

    def inspect(self, service: str, what: str) -> str:
        return self.run("podman", "inspect", "--format", what, f"herdlink_{service}_1")

    def command(self, method: str, request: object = None, *, wait_s: int = 20) -> dict[str, object]:
        answer = self.run(
            *("mosquitto_rr", "-V", "5", "-W", str(wait_s), "-t", f"herdlink/{self.node}/cmd/{method}"),
            *("-e", "herdlink/client/test", "-m", json.dumps(request or {})),
        )
        answered: dict[str, object] = json.loads(answer)
        return answered

    def status(self) -> str:
        """The node's retained status."""
        topic = f"herdlink/{self.node}/status"
        return self.run("mosquitto_sub", "-W", "3", "-C", "1", "-t", topic, check=False)

    def await_status(self, status: str) -> None:
        await_that(lambda: self.status() == status)


def await_that(holds: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Storage and settings of containers that are the tests' own."""
    need("buildah", "podman", "runc", "mmdebstrap", "ip", "nsenter")
    if not (REPOSITORY / ".cache/tools/bin/podman-compose").exists():
        pytest.fail("podman-compose is missing; as root: tests/install-boot-tools")
    CACHE.mkdir(parents=True, exist_ok=True)
    storage = f'[storage]\ndriver = "overlay"\ngraphroot = "{CACHE}/graph"\nrunroot = "{CACHE}/run"\n'
    for name, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", storage)):
        (CACHE / name).write_text(text)
    video = CACHE / "video"
    video.mkdir(exist_ok=True)
    return {
        **os.environ,
        "CONTAINERS_CONF": str(CACHE / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(CACHE / "storage.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "HERDLINK_VIDEO": str(video),
    }


@pytest.fixture(scope="module")
def image(environment: dict[str, str]) -> str:
    """The image, built as docker/Dockerfile says."""
    if BASE not in _run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}", environment=environment):
        tar = CACHE / "base.tar"
        _, mirror = apt_mirror()
        _run("mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(tar), mirror, environment=environment)
        _run("podman", "import", "--quiet", str(tar), BASE, environment=environment)
    build = ["buildah", "build", "--layers", "--quiet", "--format", "docker"]
    _run(
        *(*build, *_pip_mounts(), "--file", "docker/Dockerfile", "--tag", "herdlink:latest", str(REPOSITORY)),
        environment=environment,
    )
    (CACHE / "Broker").write_text(BROKER_FILE)
    _run(*build, "--file", str(CACHE / "Broker"), "--tag", BROKER, str(CACHE / "video"), environment=environment)
    return "herdlink:latest"


@pytest.fixture(scope="module")
def node(environment: dict[str, str], image: str) -> Iterator[Node]:
    network = f"herdlink-{os.getpid()}"
    _run("ip", "netns", "add", network, environment=environment)
    running = Node(environment, network, os.uname().nodename)
    try:
        running.run("ip", "link", "set", "lo", "up")
        running.compose("up", "--detach", "--no-build")
        yield running
    finally:
        running.run("podman", "rm", "--force", "--all", check=False)
        running.run("podman", "volume", "rm", "--all", "--force", check=False)
        _run("ip", "netns", "delete", network, environment=environment)


def test_the_image_runs_as_nobody_special_and_knows_its_health(image: str, environment: dict[str, str]) -> None:
    (told,) = json.loads(_run("podman", "inspect", "--type", "image", image, environment=environment))
    config = told["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Cmd"] == ["herdlink-agent"]
    assert config["Labels"]["org.opencontainers.image.title"] == "herdlink"
    assert told["Healthcheck"]["Test"] == ["CMD", "herdlink", "call", "GetNode", "--timeout", "5"]


def test_nothing_of_this_machine_is_left_in_the_image(image: str, environment: dict[str, str]) -> None:
    look = "find / -xdev -name host-ca.crt -size +0 -o -path /etc/pip.conf -size +0; ls -d /source 2>/dev/null; true"
    said = _run("podman", "run", "--rm", "--network=none", image, "sh", "-c", look, environment=environment)
    assert [line for line in said.splitlines() if line.startswith("/")] == []


def test_a_node_is_up(node: Node) -> None:
    node.await_status("online")
    for service in ("broker", "agent", "bridge"):
        assert node.inspect(service, "{{.State.Status}}") == "running"
    assert node.inspect("agent", "{{.HostConfig.ReadonlyRootfs}}") == "true"


def test_broker_and_agent_listen_on_this_machine_alone(node: Node) -> None:
    listening = node.run("ss", "--listening", "--tcp", "--numeric", "--no-header").split()
    addresses = {word for word in listening if word.endswith((":1883", ":50051"))}
    assert addresses == {"127.0.0.1:1883", "[::ffff:127.0.0.1]:50051"}


def test_the_health_check_asks_the_agent(node: Node) -> None:
    node.run("podman", "healthcheck", "run", "herdlink_agent_1")
    done = node.run("podman", "exec", "herdlink_agent_1", "herdlink", "call", "GetNode")
    assert json.loads(done[done.index("{") :])["id"] == node.node
    refused = ["herdlink", "call", "GetNode", "--timeout", "2", "--target", "127.0.0.1:9"]
    assert "no agent answers" in node.run("podman", "exec", "herdlink_agent_1", *refused, check=False)


def test_a_job_is_commanded_over_mqtt(node: Node) -> None:
    assert node.command("SetInput", {"uri": HERD})["ok"] is True
    answer = node.command("Compute", {"wait": True}, wait_s=60)
    job = answer["data"]["job"]  # type: ignore[index]
    assert (job["state"], job["frames"]) == ("JOB_STATE_DONE", 50)
    node.run("podman", "exec", "herdlink_agent_1", "test", "-s", f"{job['output']}/result.mp4")


def test_a_killed_agent_comes_back_and_remembers(node: Node) -> None:
    """At once: `unreachable` may be too short to be seen."""
    killed = int(node.inspect("agent", "{{.State.Pid}}"))
    os.kill(killed, signal.SIGKILL)
    await_that(lambda: int(node.inspect("agent", "{{.State.Pid}}")) not in (0, killed))
    await_that(lambda: node.run("podman", "healthcheck", "run", "herdlink_agent_1", check=False) == "")
    await_that(lambda: node.command("GetInput").get("data") == {"uri": HERD})
    node.await_status("online")


def test_all_is_kept_when_the_containers_are_made_anew(node: Node) -> None:
    for service, status in (("bridge", "stopped"), ("agent", "stopped")):
        node.run("podman", "stop", f"herdlink_{service}_1")
        assert node.inspect(service, "{{.State.ExitCode}}") == "0"
        node.await_status(status)
    node.compose("down")
    node.compose("up", "--detach", "--no-build")
    node.await_status("online")
    assert node.command("GetInput")["data"] == {"uri": HERD}


def _pip_mounts() -> list[str]:
    """This machine's certificates and pip settings for the build, mounted and so not kept.

    The certificates lie beside the image's own, which Debian's ca-certificates writes anew.
    """
    certificates = os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
    settings = CACHE / "pip.conf"
    lines = ["[global]", "cert = /host-ca.crt"]
    if index := os.environ.get("PIP_INDEX_URL"):
        lines.append(f"index-url = {index}")
    settings.write_text("\n".join(lines))
    mounts = {certificates: "/host-ca.crt", str(settings): "/etc/pip.conf"}
    return [f"--volume={source}:{inside}:ro" for source, inside in mounts.items()]


def _run(*command: str, environment: dict[str, str], check: bool = True, timeout_s: float = 900) -> str:
    """What a command says on its standard output."""
    assert shutil.which(command[0], path=environment["PATH"]) or Path(command[0]).exists(), command[0]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=REPOSITORY, timeout=timeout_s, check=False
    )
    if check:
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()
    return (done.stdout + done.stderr).strip()
