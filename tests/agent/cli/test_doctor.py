"""herdlink doctor, the agent's part: what is wrong is found, said with its cure, and no secret is told."""

import argparse
import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from agent_process import AgentProcess
from herdlink_command import herdlink

from agent.cli import doctor
from agent.cli.checks import machine, speed, video
from agent.models.store import Store
from herdlink.v1 import types_pb2

HERD = "synthetic:herd?animals=4&fps=10&seconds=3&width=320&height=240"


def findings(*words: str, status: int = 0, **more: str) -> dict[str, tuple[str, str]]:
    """Check -> (level, message -> cure); the last one of a name stands."""
    done = herdlink("doctor", "--json", *words, status=status, **more)
    told = json.loads(done.stdout)
    assert told["ok"] is (status == 0)
    return {one["check"]: (one["level"], f"{one['message']} -> {one['cure']}") for one in told["findings"]}


def settings(folder: Path, more: str = "") -> Path:
    """An agent.toml whose agent does not run."""
    return AgentProcess(folder, more=more).config


def test_a_machine_that_can_run_it(tmp_path: Path) -> None:
    done = herdlink("doctor", "--config", str(settings(tmp_path)))
    lines = done.stdout.splitlines()
    assert all(line.startswith(("OK ", "WARN ", "FAIL ")) for line in lines[:-1])
    assert lines[-1].endswith(" 0 FAIL")
    for told in ("OK    python ", "OK    video          reads H.264 and H.265", "OK    film ", "OK    agent.toml "):
        assert told in done.stdout
    assert "WARN  agent          it does not run" in done.stdout
    assert "WARN  bridge.toml    there is none" in done.stdout
    assert all(" -> " in line for line in lines if line.startswith(("WARN", "FAIL")))
    assert "VIDEOIO" not in done.stderr


def test_the_model_is_run_and_never_fetched(tmp_path: Path, coco_store: Store) -> None:
    config = str(settings(tmp_path, '[streams.a]\nlabels = ["unicorn"]'))
    level, told = findings("--config", config)["model"]
    assert level == "WARN"
    assert "herdlink model check yolov4-tiny --store" in told
    assert not (tmp_path / "state").exists()
    found = findings("--config", config, HERDLINK_STORE=str(coco_store.folder))
    assert found["model"][0] == "OK"
    assert " on CPUExecutionProvider: " in found["model"][1]
    assert "knows no unicorn" in found["stream a"][1]


def test_a_profile_is_picked_by_measuring(tmp_path: Path) -> None:
    found = findings("--bench", "--config", str(settings(tmp_path)))
    assert found["profile gpu"][1].startswith("not for this node: ")
    assert " at once: " in found["profile cpu"][1]
    assert found["profile"][0] == "OK" and found["profile"][1].startswith("cpu (it alone runs")
    other = settings(tmp_path, "[model]\nthreads = 77")
    level, told = findings("--bench", "--config", str(other))["profile"]
    assert level == "WARN"
    assert told.endswith('[model] of agent.toml: provider = "cpu", threads = 0 (config/profiles/cpu.toml)')
    assert "profile cpu" not in findings("--config", str(other))


def test_the_fastest_profile_is_picked_and_of_two_alike_the_cheaper() -> None:
    slow, quick = speed.Speed(speed.CPU, 10.0, 50.0, 2), speed.Speed(speed.GPU, 40.0, 60.0, 2)
    alike = speed.Speed(speed.CPU, 39.0, 20.0, 2)
    assert speed.choose([quick, slow]) is quick
    assert speed.choose([quick, alike]) is alike


@pytest.mark.parametrize("profile", [speed.CPU, speed.GPU, speed.XAVIER], ids=lambda profile: profile.name)
def test_profiles_are_what_their_files_say(profile: speed.Profile) -> None:
    file = Path(__file__).parents[3] / "config" / "profiles" / f"{profile.name}.toml"
    assert tomllib.loads(file.read_text())["model"] == {"provider": profile.provider, "threads": profile.threads}


def test_settings_that_do_not_load(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("nodes = 1")
    level, told = findings("--config", str(file), status=1)["agent.toml"]
    assert level == "FAIL"
    assert "no such key: nodes" in told


def test_secrets_are_looked_at_and_never_told(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, content, mode in (("good", "me:canary", 0o600), ("open", "me:canary", 0o644), ("half", "canary", 0o600)):
        (secrets / name).write_text(content)
        (secrets / name).chmod(mode)
    streams = "".join(
        f'[streams.{name}]\ninput = "rtsp://${{{name}}}@127.0.0.1:9/"\n' for name in ("good", "open", "half", "none")
    )
    config = settings(tmp_path, streams + '[streams.told]\ninput = "rtsp://me:canary@127.0.0.1:9/"\n')
    config.write_text(f'secrets_dir = "{secrets}"\n' + config.read_text())
    done = herdlink("doctor", "--config", str(config), status=1)
    assert "canary" not in done.stdout + done.stderr
    for told in (
        "OK    secret good",
        "WARN  secret open",
        "FAIL  secret half",
        "FAIL  secret none",
        "WARN  stream told    a password stands in the settings (rtsp://me:***@127.0.0.1:9/)",
        "WARN  camera good    127.0.0.1:9: Connection refused",
    ):
        assert told in done.stdout
    assert f"chmod 600 {secrets}/open" in done.stdout


def test_a_running_agent_and_its_streams(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, more='[streams.lost]\ninput = "rtsp://127.0.0.1:9/"\n').start()
    try:
        agent.await_stream("lost", types_pb2.JOB_STATE_RECONNECTING)
        found = findings("--config", str(tmp_path))
        assert found["agent"] == ("OK", f"node n1, herdlink 0.1.0, on unix:{agent.socket} -> ")
        assert found["stream lost"][0] == "WARN"
        assert "gives no video" in found["stream lost"][1]
        agent.config.write_text(agent.config.read_text().replace('"n1"', '"n2"'))
        assert "the settings say node n2" in findings("--config", str(tmp_path))["agent"][1]
    finally:
        agent.stop()


def test_an_input_is_watched_and_drawn(tmp_path: Path) -> None:
    config = settings(tmp_path, f'[streams.pen1]\ninput = "{HERD}"\n')
    picture = tmp_path / "seen.jpg"
    done = herdlink("doctor", "--config", str(config), "--input", "pen1", "--output", str(picture))
    assert f"OK    input          {HERD}: 320x240, 10 frames/s" in done.stdout
    assert "OK    detections     4 pig" in done.stdout
    assert picture.read_bytes()[:2] == b"\xff\xd8"


def test_a_picture_without_a_model_is_written_all_the_same(tmp_path: Path) -> None:
    clip = video.CLIPS / "h264.mp4"
    picture = tmp_path / "seen.png"
    words = ("--config", str(settings(tmp_path)), "--input", str(clip), "--output", str(picture))
    done = herdlink("doctor", *words)
    assert f"OK    input          {clip}: 64x64, h264, 5 frames/s" in done.stdout
    assert picture.exists()


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("rtsp://me:canary@127.0.0.1:9/s1", "rtsp://me:***@127.0.0.1:9/s1 gives no video"),
        ("/none/film.mp4", "no file /none/film.mp4"),
        ("gopher://me:canary@10.0.0.1", "no input scheme 'gopher'"),
        ("rtsp://${none}@10.0.0.1/", "no secret none"),
    ],
)
def test_an_input_that_gives_nothing(tmp_path: Path, uri: str, told: str) -> None:
    done = herdlink("doctor", "--config", str(settings(tmp_path)), "--input", uri, status=1)
    assert told in done.stdout
    assert "FAIL  input" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_output_wants_an_input() -> None:
    assert "--output needs --input" in herdlink("doctor", "--output", "x.jpg", status=2).stderr


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = settings(tmp_path)
    config.write_text(config.read_text().replace(str(tmp_path / "results"), str(tmp_path / "file" / "x")))
    level, told = findings("--config", str(config), status=1)["output_root"]
    assert level == "FAIL"
    assert "cannot be written" in told


@pytest.mark.parametrize(("free", "level"), [(1 << 40, "OK"), (1 << 30, "WARN"), (1 << 20, "FAIL")])
def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: argparse.Namespace(free=free))
    assert machine._folder("state_dir", tmp_path).level == level


@pytest.mark.parametrize(("free", "level"), [(1 << 32, "OK"), (1 << 28, "WARN"), (1 << 20, "FAIL")])
def test_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(machine, "_memory_bytes", lambda: (free, 1 << 33))
    assert machine._memory().level == level


def test_a_check_that_breaks_is_a_finding_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def checks(args: argparse.Namespace) -> None:
        raise RuntimeError("cannot open rtsp://me:canary@10.0.0.1/")

    monkeypatch.setattr(EntryPoint, "load", lambda entry: argparse.Namespace(checks=checks))
    broken = EntryPoint("x", "y", doctor.GROUP)
    (found,) = doctor._guarded(broken, argparse.Namespace())
    assert found.level == "FAIL"
    assert found.message == "a check broke: RuntimeError: cannot open rtsp://***@10.0.0.1/"
