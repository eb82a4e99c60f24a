"""The command line as a user types it: real processes, real files."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from agent_process import AgentProcess

HERD = "synthetic:herd?animals=5&fps=10&seconds=12&seed=3&width=320&height=240"


def herdlink(*words: str, status: int = 0, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent.cli.main", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_help_lists_every_command_and_each_shows_an_example() -> None:
    names = [entry.name for entry in entry_points(group="herdlink.commands")]
    listed = herdlink("--help").stdout
    wanted = {"analyze", "call", "demo", "detect", "doctor", "fetch", "init", "model", "topics", "track", "watch"}
    assert wanted <= set(names)
    for name in names:
        assert f"\n    {name} " in listed
        assert f"example:\n  herdlink {name}" in herdlink(name, "--help").stdout
    for action in ("import", "add", "list", "check", "bench"):
        assert f"example: herdlink model {action}" in herdlink("model", action, "--help").stdout


def test_no_command_and_an_unknown_one_are_wrong_use() -> None:
    assert "COMMAND" in herdlink(status=2).stderr
    assert "invalid choice: 'nonsense'" in herdlink("nonsense", status=2).stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name at least one INPUT"),
        (["{tmp}/none.mp4"], "none.mp4"),
        (["{tmp}/empty"], "write images:"),
        (["gopher://x"], "no input scheme 'gopher'"),
        ([HERD, "--tracker", "magic"], "no tracker 'magic'; known: "),
        ([HERD, "--threshold", "7"], "--threshold is a score from 0 to 1"),
        ([HERD, "--known-count", "-1"], "--known-count is 0 to 100,000"),
        ([HERD, "--labels", "unicorn"], "the model knows no 'unicorn'; its labels: pig"),
        ([HERD, "--labels", "pig,pgi"], "the model knows no 'pgi', but 'pig'"),
        ([HERD, "--model", "{tmp}/none.onnx"], "none.onnx"),
        (["{tmp}/text.mp4"], "text.mp4"),
        (["{tmp}/empty.mp4"], "0 bytes"),
    ],
)
def test_bad_input_is_one_plain_line(tmp_path: Path, words: list[str], told: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    words = [word.format(tmp=tmp_path) for word in words]
    wrong_use = not words or (words[1:] and words[1] in ("--tracker", "--threshold", "--known-count"))
    done = herdlink("analyze", *words, "--output", str(tmp_path / "out"), status=2 if wrong_use else 1)
    lines = [line for line in done.stderr.splitlines() if line.startswith("herdlink: ")]
    assert len(lines) == 1
    assert told in lines[0]
    if "--labels" in words:
        assert not (tmp_path / "out").exists(), "it is said before anything is begun"


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = herdlink("analyze", HERD, "--output", str(tmp_path / "file" / "x"), status=1)
    assert "cannot be written" in done.stderr


def test_call_reaches_any_method(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path).start()
    target = f"unix:{agent.socket}"
    try:
        assert json.loads(herdlink("call", "GetNode", "--target", target).stdout)["id"] == "n1"
        herdlink("call", "SetInput", json.dumps({"uri": HERD}), "--target", target)
        job = json.loads(herdlink("call", "Compute", '{"wait": true}', "--target", target).stdout)["job"]
        assert job["state"] == "JOB_STATE_DONE"
        told = herdlink("call", "GetJob", '{"jobId": "7"}', "--target", target, status=1).stderr
        assert told.startswith("herdlink: NOT_FOUND: no job '7'")
        assert "no method 'Nonsense'; there are: " in herdlink("call", "Nonsense", status=1).stderr
        assert "not JSON" in herdlink("call", "GetJob", "{", status=1).stderr
        assert "its fields: stream, uri, requestId" in herdlink("call", "SetInput", '{"url": "x"}', status=1).stderr
    finally:
        agent.stop()


def test_call_says_when_no_agent_answers(tmp_path: Path) -> None:
    told = herdlink("call", "GetNode", "--target", f"unix:{tmp_path}/none.sock", status=1).stderr
    assert "no agent answers" in told


def test_the_agent_checks_its_settings_without_opening_anything(tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path, more='[streams.pen3]\ninput = "rtsp://me:canary@10.0.0.1/"\n')
    command = [sys.executable, "-m", "agent", "--config", str(agent.config), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "node        n1" in done.stdout
    assert "pen3: rtsp://me:***@10.0.0.1/" in done.stdout
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "results").exists()
    agent.config.write_text("nodes = 1")
    wrong = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert wrong.returncode == 2
    assert "no such key: nodes" in wrong.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[streams.pen3]\ntracker = "magic"\n', "stream pen3: no tracker 'magic'; known: "),
        ('[streams.pen3]\ninput = "ftp://x"\n', "stream pen3: no input scheme 'ftp'"),
        ('[streams.pen3]\ninput = "/etc/passwd"\n', "stream pen3: /etc/passwd lies outside of media_roots"),
        ('[streams.pen3]\noutput = "/etc"\n', "stream pen3: /etc lies outside of output_root"),
    ],
)
def test_the_agents_check_tells_what_can_never_work(tmp_path: Path, more: str, told: str) -> None:
    command = [sys.executable, "-m", "agent", "--config", str(AgentProcess(tmp_path, more=more).config), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, told in done.stderr) == (1, True), done
    environment = {**os.environ, "HERDLINK_AGENT__RPC__LISTEN": "0.0.0.0:50051"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert "rpc.listen 0.0.0.0:50051 would let anyone" in done.stderr


def test_the_agents_check_tells_what_is_not_there_yet(tmp_path: Path) -> None:
    more = '[streams.pen3]\ninput = "rtsp://${cam3}@10.0.0.1/"\nmodel = "pigs"\n'
    command = [sys.executable, "-m", "agent", "--config", str(AgentProcess(tmp_path, more=more).config), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "not there yet: stream pen3: no secret cam3" in done.stdout
    assert "not there yet: stream pen3: no model 'pigs'" in done.stdout
    assert not (tmp_path / "state").exists()
