"""One bridge for two agents: each has a connection, a will and a client id of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent_process import AgentProcess
from bridge_process import BridgeProcess, User
from mosquitto_process import Mosquitto


def status(user: User, node: str, word: bytes) -> None:
    user.find(lambda m: m.topic == f"herdlink/{node}/status" and m.payload == word)


def ask(user: User, node: str, id_: str) -> dict[str, Any]:
    body = json.dumps({"replyTo": "herdlink/client/t", "id": id_})
    user.client.publish(f"herdlink/{node}/cmd/GetNode", body, qos=1)
    message = user.find(lambda m: m.topic == "herdlink/client/t" and json.loads(m.payload)["id"] == id_)
    answer: dict[str, Any] = json.loads(message.payload)
    return answer


def test_one_of_two_agents_dies_and_comes_back(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    agents = {}
    for name in ("n1", "n2"):
        (tmp_path / name).mkdir()
        agents[name] = AgentProcess(tmp_path / name).start()
    targets = {name: f"unix:{agent.socket}" for name, agent in agents.items()}
    bridge = BridgeProcess(tmp_path, port=own_mosquitto.port, target=targets["n1"], n2=targets["n2"]).start()
    user = User(own_mosquitto.port, topics="#")
    try:
        for name in agents:
            status(user, name, b"online")
            user.find(lambda m, name=name: m.topic == f"homeassistant/device/herdlink_{name}/config")
        agents["n2"].kill()
        status(user, "n2", b"unreachable")
        assert ask(user, "n2", "dead")["error"]["reason"] == "AGENT_UNREACHABLE"
        assert ask(user, "n1", "alive")["ok"]
        assert not [m for m in user.kept if m.topic == "herdlink/n1/status" and m.payload != b"online"]
        user.forget()
        agents["n2"].start()
        status(user, "n2", b"online")
        user.forget()
        bridge.kill()
        for name in agents:
            status(user, name, b"offline")
        user.forget()
        bridge.start()
        for name in agents:
            status(user, name, b"online")
        assert bridge.end() == 0
        for name in agents:
            status(user, name, b"stopped")
    finally:
        user.close()
        bridge.end()
        for agent in agents.values():
            agent.stop()
