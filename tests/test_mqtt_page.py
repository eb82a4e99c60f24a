"""docs/mqtt.md stays true: its lines are run as they stand, with the port and the video's folder put in."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from mosquitto_process import Mosquitto

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "mqtt.md").read_text()
LINES = re.findall(r"^mosquitto_.*$", PAGE.split("<!-- lines -->")[1].split("<!-- end of lines -->")[0], re.MULTILINE)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto) -> Iterator[tuple[int, Path]]:
    """A broker, an agent and a bridge; yields the broker's port and the agent's folder."""
    folder = tmp_path_factory.mktemp("page")
    clip = ROOT / "bridge" / "demo" / "pedestrians.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-frames:v", "40", str(folder / "pen.mp4")]
    if shutil.which("ffmpeg"):
        subprocess.run(command, check=True)
    else:
        shutil.copy(clip, folder / "pen.mp4")
    agent = AgentProcess(folder).start()
    config = folder / "bridge.toml"
    config.write_text(
        f'[[agents]]\nnode = "n1"\ntarget = "unix:{agent.socket}"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\n'
    )
    with (folder / "bridge.log").open("wb") as log:
        bridge = subprocess.Popen([sys.executable, "-m", "bridge", "--config", str(config)], stdout=log, stderr=log)
    yield mosquitto.port, folder
    bridge.terminate()
    bridge.wait(20)
    agent.stop()


def run(line: str, port: int, folder: Path) -> str:
    words = shlex.split(line.replace("/srv/video", str(folder)))
    words[1:1] = ["-p", str(port)]
    if words[0] == "mosquitto_sub":
        words[1:1] = ["-W", "30"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=320, check=False)
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


def test_the_ten_lines_do_what_they_say(port: tuple[int, Path]) -> None:
    assert len(LINES) == 10
    deadline = time.monotonic() + 30
    while run(LINES[0], *port).strip() != "online":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert json.loads(run(LINES[1], *port))["id"] == "n1"
    answers = [json.loads(run(line, *port)) for line in LINES[2:6]]
    assert [answer["ok"] for answer in answers] == [True] * 4, answers
    assert answers[0]["data"]["uri"].endswith("/pen.mp4")
    assert answers[1]["data"]["uri"].endswith("/results/pen")
    assert answers[2]["data"]["stream"]["knownCount"] == 5
    job = answers[3]["data"]["job"]
    assert (answers[3]["id"], job["state"]) == (6, "JOB_STATE_DONE")
    deadline = time.monotonic() + 10
    while (newest := json.loads(run(LINES[6], *port)))["state"] != "JOB_STATE_DONE":
        assert time.monotonic() < deadline
    assert newest["jobId"] == job["jobId"]
    records = json.loads(run(LINES[8], *port))["data"]["records"]
    deadline = time.monotonic() + 30
    while (summary := json.loads(run(LINES[7], *port)))["sequence"] != records[-1]["summary"]["sequence"]:
        assert time.monotonic() < deadline, summary
    assert summary["jobId"] == job["jobId"]
    words = ["mosquitto_sub", "-p", str(port[0]), "-t", "herdlink/n1/reply/GetInput", "-C", "1", "-W", "30"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as reader:
        while reader.poll() is None:
            # It may not listen yet.
            time.sleep(0.5)
            run(LINES[9], *port)
        answer = json.loads(reader.communicate(timeout=40)[0])
    assert answer["data"]["uri"].endswith("/pen.mp4")
