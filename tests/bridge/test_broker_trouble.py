"""The way into the broker: TLS and logins, and what is said, once, where it does not let the bridge in."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from certificates import Authority, listener
from herdlink_command import herdlink
from mosquitto_process import Mosquitto

CANARY = "canary-7"
PLUGIN = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that the broker, or the bridge, does not know."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path_factory.mktemp("agent")).start()
    yield process
    process.stop()


class House:
    """Starts brokers and bridges for one test, and ends them."""

    def __init__(self, folder: Path, agent: AgentProcess) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        self._agent = agent
        self._ends: list[Callable[[], object]] = []

    def broker(self, more: str) -> Mosquitto:
        broker = Mosquitto(self.folder, more=more)
        self._ends.append(broker.stop)
        return broker.start()

    def bridge(self, port: int, mqtt: str = 'tls = true\nhost = "localhost"', version: int = 5) -> BridgeProcess:
        target = f"unix:{self._agent.socket}"
        bridge = BridgeProcess(self.folder, port=port, target=target, mqtt=mqtt, version=version).start()
        self._ends.insert(0, bridge.end)
        return bridge

    def secret(self, name: str, file: Path) -> None:
        shutil.copy(file, self.secrets / name)

    def close(self) -> None:
        for end in self._ends:
            end()

    def doctor(self) -> tuple[str, str]:
        """What it says of the broker: level, and message -> cure."""
        words = ("doctor", "--json", "--config", str(self._agent.folder), "--bridge-config")
        done = herdlink(*words, str(self.folder / "bridge.toml"), status=1)
        found = next(one for one in json.loads(done.stdout)["findings"] if one["check"] == "broker")
        return found["level"], f"{found['message']} -> {found['cure']}"


@pytest.fixture
def house(tmp_path: Path, agent: AgentProcess) -> Iterator[House]:
    whole = House(tmp_path, agent)
    yield whole
    whole.close()


def assert_told_once(bridge: BridgeProcess, text: str) -> None:
    """The log has the line once though it goes on trying, slowly; the process goes on."""
    bridge.await_log(text)
    tries_s = 4.5
    end = time.monotonic() + tries_s
    assert bridge.process is not None
    while time.monotonic() < end:
        assert bridge.process.poll() is None
        time.sleep(0.1)
    log = bridge.log()
    assert log.count("ERROR bridge.broker") == 1, log
    assert log.count(text) == 1
    assert CANARY not in log
    assert "Traceback" not in log
    assert cpu_s(bridge) < 5


def cpu_s(bridge: BridgeProcess) -> float:
    """Seconds of processor that it has used, its start included."""
    assert bridge.process is not None
    fields = Path(f"/proc/{bridge.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.parametrize("version", [5, 311])
def test_tls_with_a_login(house: House, authority: Authority, version: int) -> None:
    logins = house.folder / "logins"
    logins.write_text(f"farm:{CANARY}\n")
    subprocess.run(["mosquitto_passwd", "-U", str(logins)], check=True)
    plain = Mosquitto(house.folder)
    more = f"{listener(authority, *authority.sign('good'))}\nallow_anonymous false\npassword_file {logins}"
    broker = house.broker(f"{more}\nlistener {plain.port} 127.0.0.1")
    house.secret("mqtt-ca", authority.certificate)
    (house.secrets / "mqtt-password").write_text(CANARY)
    bridge = house.bridge(broker.port, 'tls = true\nhost = "localhost"\nusername = "farm"', version)
    user = User(plain.port, login=f"farm:{CANARY}")
    try:
        user.find_on("status", "online")
        assert user.ask("GetNode", {})["ok"]
    finally:
        user.close()
    assert bridge.end() == 0
    assert CANARY not in bridge.log()


def test_a_certificate_of_the_bridges_own(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("good"), clients=True))
    house.secret("mqtt-ca", authority.certificate)
    certificate, key = authority.sign("bridge")
    house.secret("mqtt-cert", certificate)
    house.secret("mqtt-key", key)
    bridge = house.bridge(broker.port)
    bridge.await_log("connected to localhost")
    assert "ERROR" not in bridge.log()


def test_an_expired_certificate(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("old", days=-1)))
    house.secret("mqtt-ca", authority.certificate)
    assert_told_once(house.bridge(broker.port), "its certificate has expired")
    level, told = house.doctor()
    assert level == "FAIL"
    assert "its certificate has expired" in told


def test_an_unknown_authority(house: House, authority: Authority, stranger: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("good")))
    house.secret("mqtt-ca", stranger.certificate)
    assert_told_once(house.bridge(broker.port), "no known authority has signed its certificate")
    level, told = house.doctor()
    assert level == "FAIL"
    assert "into mqtt-ca" in told


def test_without_an_authority_it_is_this_machines(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("good")))
    assert_told_once(house.bridge(broker.port), "no known authority has signed its certificate")


def test_another_name(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("other", names="DNS:broker.farm")))
    house.secret("mqtt-ca", authority.certificate)
    assert_told_once(house.bridge(broker.port), "its certificate is for another name than localhost")


def test_the_brokers_wish_for_a_certificate(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("good"), clients=True))
    house.secret("mqtt-ca", authority.certificate)
    assert_told_once(house.bridge(broker.port), "wants a certificate of its clients")
    assert "mqtt-cert" in house.doctor()[1]


@pytest.mark.parametrize(("days", "told"), [(-1, "mqtt-cert has expired"), (2, "does not know the authority")])
def test_a_certificate_that_the_broker_does_not_accept(
    house: House, authority: Authority, stranger: Authority, days: int, told: str
) -> None:
    broker = house.broker(listener(authority, *authority.sign("good"), clients=True))
    house.secret("mqtt-ca", authority.certificate)
    certificate, key = (authority if days < 0 else stranger).sign("bridge", days=days)
    house.secret("mqtt-cert", certificate)
    house.secret("mqtt-key", key)
    assert_told_once(house.bridge(broker.port), told)


def test_tls_where_there_is_none(house: House, authority: Authority) -> None:
    broker = house.broker("")
    house.secret("mqtt-ca", authority.certificate)
    assert_told_once(house.bridge(broker.port), "mqtt.tls = false")


def test_no_tls_where_there_is(house: House, authority: Authority) -> None:
    broker = house.broker(listener(authority, *authority.sign("good")))
    assert_told_once(house.bridge(broker.port, ""), "does it want TLS (mqtt.tls)?")
    assert "does it want TLS?" in house.doctor()[1]


@pytest.mark.parametrize("version", [5, 311])
def test_a_wrong_password_and_then_the_right_one(house: House, version: int) -> None:
    logins = house.folder / "logins"
    logins.write_text(f"farm:{CANARY}\n")
    subprocess.run(["mosquitto_passwd", "-U", str(logins)], check=True)
    broker = house.broker(f"allow_anonymous false\npassword_file {logins}\nuser root")
    (house.secrets / "mqtt-password").write_text(f"not {CANARY}")
    bridge = house.bridge(broker.port, 'username = "farm"', version)
    assert_told_once(bridge, "refuses user farm")
    # Mended on the broker's side: it gets in by itself.
    subprocess.run(["mosquitto_passwd", "-b", str(logins), "farm", f"not {CANARY}"], check=True)
    broker.kill()
    broker.start()
    bridge.await_log("connected to", timeout_s=60)


@pytest.mark.skipif(not PLUGIN.exists(), reason="this mosquitto comes without its dynamic security plugin")
def test_topics_that_are_refused_are_named_once(house: House) -> None:
    """mosquitto's access file answers no subscription with a refusal; its dynamic security does."""
    refused = {"subscribeLiteral": "herdlink/n1/cmd/+", "publishClientSend": "herdlink/n1/info"}
    rules = [{"acltype": kind, "topic": topic, "priority": 1, "allow": False} for kind, topic in refused.items()]
    kinds = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
    config = {
        "defaultACLAccess": dict.fromkeys(kinds, True),
        "clients": [],
        "groups": [{"groupname": "anybody", "roles": [{"rolename": "some"}], "clients": []}],
        "roles": [{"rolename": "some", "acls": rules}],
        "anonymousGroup": "anybody",
    }
    file = house.folder / "security.json"
    file.write_text(json.dumps(config))
    broker = house.broker(f"plugin {PLUGIN}\nplugin_opt_config_file {file}\nuser root")
    bridge = house.bridge(broker.port, "")
    bridge.await_log("does not let this bridge read herdlink/n1/cmd/+")
    bridge.await_log("does not let this bridge write herdlink/n1/info")
    for _ in range(2):
        before = bridge.log().count("connected to")
        broker.kill()
        broker.start()
        deadline = time.monotonic() + 30
        while bridge.log().count("connected to") == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    user = User(broker.port)
    try:
        user.find_on("status", "online")
    finally:
        user.close()
    assert bridge.log().count("does not let this bridge") == 2


def test_a_broker_that_says_nothing_and_one_that_is_not_there(house: House) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        ended = threading.Event()

        def hang_up() -> None:
            server.settimeout(0.2)
            while not ended.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            bridge = house.bridge(server.getsockname()[1], "")
            assert_told_once(bridge, "hangs up before the login")
        finally:
            ended.set()
            thread.join()
    bridge.await_log("cannot be reached")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"mqtt-ca": "nonsense"}, "mqtt-ca is no certificate in PEM form"),
        ({"mqtt-cert": "x"}, "mqtt-cert is there without mqtt-key"),
        ({"mqtt-key": "x"}, "mqtt-key is there without mqtt-cert"),
        ({"mqtt-cert": "x", "mqtt-key": "y"}, "are no pair in PEM form"),
    ],
)
def test_secrets_that_cannot_be_used_are_one_line(house: House, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (house.secrets / name).write_text(text)
    bridge = house.bridge(1)
    assert bridge.process is not None
    assert bridge.process.wait(20) == 2
    assert told in bridge.log()
    assert len(bridge.log().splitlines()) == 1
