"""herdlink init: files that both programs take, and passwords in none of them."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from herdlink_command import AS_USER, environment, herdlink
from mosquitto_process import Mosquitto

from agent.cli._init_secrets import part_secrets, read_broker
from agent.core.errors import InvalidArgument
from agent.runtime.secrets import expand
from agent.settings import load_settings

CAMERAS = {
    "pen1": "rtsp://admin:canary@10.0.0.21/s1",
    "pen2": "rtsp://admin:can%40ary%2F@10.0.0.22:5554/s1?profile=2",
    "pen3": "rtsp://10.0.0.23/user=admin_password=canary_channel=1_stream=0.sdp",
    "pen4": "http://10.0.0.24/video?user=a&password=canary&size=2",
    "pen5": "rtsp://10.0.0.25/open",
}


def everything_below(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*.toml"))


def test_passwords_go_into_files_of_their_own_and_nowhere_else(tmp_path: Path) -> None:
    words = [word for name, uri in CAMERAS.items() for word in ("--camera", f"{name}={uri}")]
    done = herdlink("init", "--node", "n1", "--broker", "mqtt://me:canary@10.0.0.2", "--output", str(tmp_path), *words)
    written = everything_below(tmp_path)
    for text in (written, done.stdout, done.stderr):
        assert "canary" not in text
        assert "can%40ary" not in text
    secrets = tmp_path / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in secrets.iterdir()} == {"mqtt-password", "pen1", "pen2", "pen3", "pen4"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in secrets.iterdir())
    assert (secrets / "mqtt-password").read_text() == "canary\n"
    assert (secrets / "pen2").read_text() == "admin:can@ary/\n"
    settings = load_settings(tmp_path / "agent.toml")
    for name, uri in CAMERAS.items():
        assert expand(settings.streams[name].input or "", settings.secrets_dir) == uri
    assert settings.node == "n1"
    assert f"herdlink doctor --config {tmp_path}" in done.stdout


def test_both_programs_take_what_is_written(tmp_path: Path) -> None:
    herdlink("init", "--node", "n1", "--broker", "farm.lan:1884", "--output", str(tmp_path))
    for program, told in (("agent", "node        n1"), ("bridge", "broker      farm.lan:1884")):
        command = [sys.executable, "-m", program, "--config", str(tmp_path / f"{program}.toml"), "--check"]
        assert told in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    herdlink("init", "--node", "first", "--output", str(tmp_path))
    told = herdlink("init", "--node", "second", "--output", str(tmp_path), status=1).stderr
    assert "agent.toml" in told
    assert "--force" in told
    assert 'node = "first"' in everything_below(tmp_path)
    herdlink("init", "--node", "second", "--output", str(tmp_path), "--force")
    assert 'node = "second"' in everything_below(tmp_path)


def test_a_secret_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pen1").write_text("old:one")
    camera = ("--camera", "pen1=rtsp://new:canary@10.0.0.1/")
    assert "secrets/pen1" in herdlink("init", *camera, "--output", str(tmp_path), status=1).stderr
    assert not (tmp_path / "agent.toml").exists()
    assert (tmp_path / "secrets" / "pen1").read_text() == "old:one"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--camera", "rtsp://a:canary@10.0.0.1/"], 2, "write NAME=URI"),
        (["--camera", "rtsp://a:canary@10.0.0.1/?x=1"], 2, "write NAME=URI"),
        (["--camera", "mqtt-password=rtsp://a:canary@10.0.0.1/"], 2, "none of mqtt-password"),
        (["--camera", "a=rtsp://a:canary@1.1.1.1/", "--camera", "a=rtsp://a:canary@1.1.1.2/"], 1, "twice"),
        (["--camera", "a=gopher://a:canary@10.0.0.1/"], 1, "no input scheme"),
        (["--camera", "a=rtsp://a:***@10.0.0.1/"], 1, "give the password itself"),
        (["--broker", "wss://a:canary@10.0.0.1"], 1, "with TLS mqtts://"),
        (["--broker", "mqtt://a:canary/b@10.0.0.1"], 1, "%2F"),
        (["--broker", "http://10.0.0.1"], 1, "--broker is mqtt://host"),
        (["--node", "all"], 1, "reserved"),
    ],
)
def test_what_is_wrong_is_said_without_the_password_and_nothing_is_written(
    tmp_path: Path, words: list[str], status: int, told: str
) -> None:
    done = herdlink("init", "--output", str(tmp_path / "new"), *words, status=status)
    assert told in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert not (tmp_path / "new").exists()


def test_a_broker_with_tls(tmp_path: Path) -> None:
    told = herdlink("init", "--broker", "mqtts://farm:canary@broker.farm", "--output", str(tmp_path)).stdout
    assert "mqtts://farm@broker.farm:8883" in told
    assert f"into {tmp_path / 'secrets' / 'mqtt-ca'}" in told
    settings = tomllib.loads((tmp_path / "bridge.toml").read_text())["mqtt"]
    assert (settings["host"], settings["port"], settings["tls"]) == ("broker.farm", 8883, True)
    herdlink("init", "--broker", "mqtts://broker.farm:1", "--output", str(tmp_path), "--force")
    assert tomllib.loads((tmp_path / "bridge.toml").read_text())["mqtt"]["port"] == 1


def test_a_folder_that_cannot_be_written_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = herdlink("init", "--output", str(tmp_path / "file" / "x"), status=1).stderr
    assert "cannot be written" in told
    assert len(told.splitlines()) == 1


def test_a_file_as_input_may_be_read_by_the_agent(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    herdlink("init", "--camera", f"film={tmp_path / 'film.mp4'}", "--output", str(tmp_path / "new"))
    assert tmp_path.resolve() in load_settings(tmp_path / "new" / "agent.toml").media_roots


def test_who_is_not_root_can_start_both_at_once(tmp_path: Path, mosquitto: Mosquitto) -> None:
    camera = ("--camera", "pen1=synthetic:herd?animals=3&fps=5&seconds=0&width=320&height=240")
    broker = f"mqtt://127.0.0.1:{mosquitto.port}"
    done = herdlink("init", "--node", "init-user", "--broker", broker, *camera, home=tmp_path)
    config = tmp_path / ".config" / "herdlink"
    assert str(config / "agent.toml") in done.stdout
    settings = load_settings(config / "agent.toml")
    for place in (settings.state_dir, settings.output_root, *settings.media_roots, settings.secrets_dir):
        assert place.is_relative_to(tmp_path)
    socket, port = settings.rpc.listen
    assert port == "127.0.0.1:50051"
    # The port may be another's on the machine that runs the tests.
    env = environment(tmp_path, {"HERDLINK_AGENT__RPC__LISTEN": socket})
    programs = [
        subprocess.Popen([sys.executable, "-m", name, "--config", str(config / f"{name}.toml")], env=env)
        for name in ("agent", "bridge")
    ]
    try:
        deadline = time.monotonic() + 40
        while "OK    bridge " not in (told := doctor(config, env)):
            assert time.monotonic() < deadline, told
        assert "OK    stream pen1    RUNNING" in told
    finally:
        for program in programs:
            program.send_signal(signal.SIGTERM)
        assert [program.wait(30) for program in programs] == [0, 0]


def doctor(config: Path, env: dict[str, str]) -> str:
    command = [sys.executable, "-c", AS_USER, "doctor", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env).stdout


def test_in_a_terminal_the_passwords_are_asked_for(tmp_path: Path) -> None:
    words = ["init", "--broker", "mqtt://me@10.0.0.2", "--camera", "pen1=rtsp://admin@10.0.0.1/s1"]
    command = [sys.executable, "-m", "agent.cli.main", *words, "--output", str(tmp_path)]
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    os.close(theirs)
    assert process.stderr is not None
    shown = b""
    for question, answer in (
        (b"me at the broker 10.0.0.2: ", b"canary 1\n"),
        (b"admin at the camera pen1: ", b"can@ary/2\n"),
    ):
        # What is typed before the question is thrown away.
        while not shown.endswith(question):
            more = os.read(process.stderr.fileno(), 100)
            assert more, shown
            shown += more
        os.write(ours, answer)
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, err
    assert b"ary" not in shown + out + err
    assert (tmp_path / "secrets" / "mqtt-password").read_text() == "canary 1\n"
    settings = load_settings(tmp_path / "agent.toml")
    assert settings.streams["pen1"].input == "rtsp://${pen1}@10.0.0.1/s1"
    full = expand("rtsp://${pen1}@10.0.0.1/s1", settings.secrets_dir)
    assert full == "rtsp://admin:can%40ary%2F2@10.0.0.1/s1"


def test_without_a_terminal_it_says_what_is_missing(tmp_path: Path) -> None:
    words = ["--broker", "mqtt://me@10.0.0.2", "--camera", "pen1=rtsp://admin@10.0.0.1/s1"]
    told = herdlink("init", *words, "--output", str(tmp_path)).stdout
    assert f"{tmp_path}/secrets/mqtt-password" in told
    assert "no password is known for admin at camera pen1" in told


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("10.0.0.2", ("10.0.0.2", 1883, "", "")),
        ("mqtt://me:a%40b@farm.lan:99/", ("farm.lan", 99, "me", "a@b")),
        ("mqtt://[fe80::1]:1884", ("fe80::1", 1884, "", "")),
    ],
)
def test_addresses_of_brokers(url: str, found: tuple[str, int, str, str]) -> None:
    broker = read_broker(url)
    assert (broker.host, broker.port, broker.username, broker.password) == found
    assert not broker.password or broker.password not in repr(broker) + broker.shown


def test_references_stay_as_they_are() -> None:
    for uri in ("rtsp://${cam}@10.0.0.1/", "rtsp://10.0.0.1/user=a_password=${cam}_channel=1", "images:/a?fps=5"):
        assert part_secrets("cam", uri) == (uri, {})


def test_a_password_in_a_path_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="letters and digits"):
        part_secrets("cam", "rtsp://10.0.0.1/user=a_password=a b_channel=1")
