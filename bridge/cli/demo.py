"""herdlink demo: a broker, an agent and a bridge on this machine, commanded over MQTT as a user would."""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELP = "See it work: analyses a pen and a clip on this machine, commanded over MQTT; ends by itself."
EXAMPLE = "herdlink demo --output demo"
PEN = "synthetic:pigs?animals=12&fps=5&seconds=10&seed=4"
"""A generated pen, and the model that comes with herdlink."""
CLIP = Path(__file__).parent.parent / "demo" / "pedestrians.mp4"
BASE = "herdlink/demo"
CLIENT = "herdlink/client/demo"
START_S = 60.0
ANSWER_S = 30.0
SILENCE_S = 300.0
STOP_S = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("demo"), help="folder for everything (default: demo)"
    )
    parser.add_argument(
        "--input", metavar="FILE", type=Path, help="this video instead of a generated pen of pigs and the shipped clip"
    )
    parser.add_argument("--labels", metavar="L", default="person", help="what to look for in it (default: person)")


def run(args: argparse.Namespace) -> int:
    try:
        clip = (args.input or CLIP).resolve()
        films = [] if args.input else [Film(PEN, "pig", ["pig"])]
        return _demo(args.output.resolve(), clip, [*films, Film(str(clip), "yolov4-tiny", args.labels.split(","))])
    except (DemoError, OSError, RuntimeError) as error:
        print(f"herdlink: {error}", file=sys.stderr)
        return 1


@dataclass(frozen=True, slots=True)
class Film:
    """What is analysed, and what is looked for in it."""

    uri: str
    model: str
    labels: list[str]


class DemoError(Exception):
    """One sentence that says what to do."""


def _demo(folder: Path, clip: Path, films: list[Film]) -> int:
    from bridge.demo.broker import free_port, start_broker

    if not clip.is_file():
        raise DemoError(f"no video {clip}")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        broker = start_broker(folder)
        stack.callback(_stop, broker.process)
        _say(f"broker   {broker.name} on 127.0.0.1:{broker.port}")
        target = f"127.0.0.1:{free_port()}"
        _write_settings(folder, clip, target, broker.port, broker.mqtt_version)
        for program in ("agent", "bridge"):
            stack.callback(_stop, _start(program, folder))
            _say(f"{program:8} started, log in {folder / program}.log")
        client = stack.enter_context(_connect(broker.port))
        _await_online(client)
        jobs = [_command(client, folder, film) for film in films]
    for job in jobs:
        _tell(job)
    print(f"settings and logs: {folder}")
    print('next: README.md, "Your own video", and docs/mqtt.md')
    return 0


def _write_settings(folder: Path, clip: Path, target: str, port: int, version: str) -> None:
    text = json.dumps  # a TOML basic string is written as JSON writes one
    (folder / "agent.toml").write_text(
        f'node = "demo"\nstate_dir = {text(str(folder / "state"))}\nmedia_roots = [{text(str(clip.parent))}]\n'
        f"output_root = {text(str(folder / 'results'))}\n[rpc]\nlisten = [{text(target)}]\n"
    )
    (folder / "bridge.toml").write_text(
        f'[[agents]]\nnode = "demo"\ntarget = {text(target)}\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\nversion = {version}\n[snapshot]\nperiod_s = 5.0\n'
    )


def _start(program: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", program, "--config", str(folder / f"{program}.toml")]
    with (folder / f"{program}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=_clean_environment())


def _clean_environment() -> dict[str, str]:
    """The demo's own settings hold: what a node on this machine is set to by environment stays out."""
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("HERDLINK_AGENT_", "HERDLINK_BRIDGE_"))
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


class _Client:
    """A plain MQTT 3.1.1 client, as mosquitto_pub and mosquitto_sub are."""

    def __init__(self, client: Any, messages: queue.Queue[tuple[str, bytes]]) -> None:
        self._client = client
        self.messages = messages

    def publish(self, method: str, request: dict[str, Any]) -> None:
        payload = json.dumps({**request, "id": method, "replyTo": CLIENT})
        shown = json.dumps(request)
        _say(f"mosquitto_pub -t {BASE}/cmd/{method} -m '{shown}'")
        self._client.publish(f"{BASE}/cmd/{method}", payload, qos=1)

    def arrivals(self, silence_s: float) -> Iterator[tuple[str, Any]]:
        """(topic, payload) as they come: JSON where it is, text for status, bytes for pictures."""
        while True:
            try:
                topic, payload = self.messages.get(timeout=silence_s)
            except queue.Empty:
                raise DemoError(f"nothing came for {silence_s:.0f} s; the logs beside the results say why") from None
            if topic.endswith("/snapshot"):
                yield topic, payload
            elif topic.endswith("/status"):
                yield topic, payload.decode()
            else:
                yield topic, json.loads(payload)


@contextmanager
def _connect(port: int) -> Iterator[_Client]:
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="herdlink-demo-user")
    client.on_message = lambda _client, _data, message: messages.put((message.topic, bytes(message.payload)))
    client.on_connect = lambda client, *_rest: client.subscribe([(f"{BASE}/#", 1), (CLIENT, 1)])
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield _Client(client, messages)
    finally:
        client.disconnect()
        client.loop_stop()


def _command(client: _Client, folder: Path, film: Film) -> dict[str, Any]:
    """The four calls as a user makes them; returns the ended job."""
    _ask(client, "SetInput", {"uri": film.uri})
    _ask(client, "SetOutput", {"uri": str(folder / "results")})
    _ask(client, "SetStream", {"model": film.model, "labels": film.labels})
    started = _ask(client, "Compute", {})
    _say(f"subscribed to {BASE}/#")
    return _watch(client, started["job"]["jobId"])


def _await_online(client: _Client) -> None:
    deadline = time.monotonic() + START_S
    for topic, payload in client.arrivals(START_S):
        if topic.endswith("/status") and payload == "online":
            _say(f"{topic}  online")
            return
        if time.monotonic() > deadline:
            raise DemoError("the agent or the bridge did not start; their logs say why")


def _ask(client: _Client, method: str, request: dict[str, Any]) -> dict[str, Any]:
    client.publish(method, request)
    for topic, answer in client.arrivals(ANSWER_S):
        if topic == CLIENT and answer.get("id") == method:
            if not answer["ok"]:
                raise DemoError(f"{method}: {answer['error']['message']}")
            data: dict[str, Any] = answer["data"]
            return data
    raise AssertionError("arrivals has no end")


def _watch(client: _Client, job_id: str) -> dict[str, Any]:
    """Shows progress and summaries until the job has ended and its last summary is here."""
    from tqdm import tqdm

    ended: dict[str, Any] = {}
    seen = 0
    with tqdm(unit="frame", dynamic_ncols=True, disable=None) as bar:
        for topic, payload in client.arrivals(SILENCE_S):
            if topic.endswith("/job") and payload["jobId"] == job_id:
                bar.total = payload.get("totalFrames")
                bar.update(payload["frames"] - bar.n)
                bar.set_postfix_str(payload["state"].removeprefix("JOB_STATE_"))
                if "endTime" in payload:
                    ended = payload
            elif topic.endswith("/summaries") and payload.get("jobId") == job_id:
                seen += payload["frames"]
                bar.write(_line(payload), file=sys.stderr)
            if ended and (seen >= ended["frames"] or ended["state"] != "JOB_STATE_DONE"):
                return ended
    raise AssertionError("arrivals has no end")


def _line(summary: dict[str, Any]) -> str:
    activity = summary.get("activity")
    moving = summary.get("movingRatio")
    return (
        f"summary {summary['sequence']}: {summary['count']} seen"
        f", activity {'-' if activity is None else f'{activity:.0f}'} BL/min"
        f", {'-' if moving is None else f'{moving:.0%}'} moving, {len(summary['tracks'])} tracks"
    )


def _tell(job: dict[str, Any]) -> None:
    results = Path(job["output"])
    if job["state"] != "JOB_STATE_DONE":
        raise DemoError(f"the job ended as {job['state']}: {job.get('error', {}).get('message', 'see the logs')}")
    print(f"done: {job['frames']} frames at {job['fps']:.1f} frames/s with {job['model']}")
    for file in job["results"]:
        print(f"  {results / file['name']}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
