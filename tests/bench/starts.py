"""What a program takes until it is there, against the bare imports of what it cannot do without.

A round takes some 10 seconds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from agent_process import AgentProcess
from mosquitto_process import Mosquitto
from mqtt_calls import User, open_bridge
from pipeline import first_picture
from process import peak_mb
from table import Figure, interleaved, show

from agent.models.shipped import INCLUDED

BRIDGE_IMPORTS = "import grpc, grpc.aio, paho.mqtt.client"
AGENT_IMPORTS = "import cv2, grpc, grpc.aio, onnxruntime, sqlite3"
SESSION = """
import cv2, grpc, grpc.aio, sqlite3, sys
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
put = session.get_inputs()[0]
session.run(None, {put.name: np.zeros(put.shape, np.float32)})
"""


def run(rounds: int) -> None:
    model = str(INCLUDED.find("pig")[0])
    rows = interleaved(
        rounds,
        lambda: _program(BRIDGE_IMPORTS),
        _bridge,
        lambda: _program(AGENT_IMPORTS),
        _agent,
        lambda: _program(SESSION, model),
        _first_tracks,
    )
    bridge, memory = [row[1][0] for row in rows], [row[1][1] for row in rows]
    show(
        "start-up",
        [
            Figure("bridge: start to online / bare imports of grpc and paho", [row[1][0] / row[0] for row in rows]),
            Figure("bridge: start to online", bridge, "s"),
            Figure("bridge: peak memory once online", memory, "MB"),
            Figure(
                "agent: start to its first answer / bare imports of cv2, onnxruntime, grpc",
                [row[3] / row[2] for row in rows],
            ),
            Figure("agent: start to its first answer", [row[3] for row in rows], "s"),
            Figure(
                "agent: start to the first picture analysed with pig / the imports, a session and an inference",
                [row[5] / row[4] for row in rows],
            ),
            Figure("agent: start to the first picture analysed", [row[5] for row in rows], "s"),
        ],
    )


def _program(words: str, *arguments: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", words, *arguments], check=True)
    return time.perf_counter() - begin


def _agent() -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        agent = AgentProcess(Path(folder)).start()
        took = time.perf_counter() - begin
        agent.stop()
    return took


def _first_tracks() -> float:
    """Until the end of a job over a folder of one picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one").mkdir()
        cv2.imwrite(str(folder / "one" / "1.png"), first_picture())
        agent = AgentProcess(folder, more='[model]\nname = "pig"\n[output]\nvideo = "off"\n')
        begin = time.perf_counter()
        job = agent.start().compute(f"images:{folder}/one")
        took = time.perf_counter() - begin
        agent.stop()
    assert job.frames == 1, job
    return took


def _bridge() -> tuple[float, float]:
    """Seconds, and MB at the most."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker, agent = Mosquitto(folder).start(), AgentProcess(folder).start()
        user = User(broker.port, "user")
        user.client.subscribe("herdlink/n1/status", 1)
        begin = time.perf_counter()
        bridge = open_bridge(folder, agent, broker.port)
        assert user.online.wait(30)
        took, memory = time.perf_counter() - begin, peak_mb(bridge.pid)
        user.client.disconnect()
        user.client.loop_stop()
        bridge.terminate()
        bridge.wait(10)
        agent.stop()
        broker.stop()
    return took, memory
