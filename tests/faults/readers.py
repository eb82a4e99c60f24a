"""The example subscriber, which counts by which way each record came to it."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscribe.py"
KEEPALIVE_S = 5


def _example() -> Any:
    spec = importlib.util.spec_from_file_location("subscribe_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Reader(_example().Subscriber):  # type: ignore[misc]
    """`kept` holds what the example would print; a persistent session, a connection that comes back by itself."""

    def __init__(self, port: int, folder: Path, kind: str) -> None:
        self.kept: list[dict[str, Any]] = []
        self.ways: Counter[str] = Counter()
        self.broken = ""
        self._way = ""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"farm-{kind}", protocol=MQTTProtocolVersion.MQTTv5)
        place = str(folder / f"{kind}.json")
        super().__init__(
            client,
            argparse.Namespace(base="herdlink", node="n1", stream="main", id=f"farm-{kind}", kind=kind, place=place),
        )
        client.on_connect, client.on_message = self.connected, self._hear
        client.reconnect_delay_set(1, 2)
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 86_400
        client.connect_async("127.0.0.1", port, KEEPALIVE_S, clean_start=False, properties=session)
        client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def heard(self, record: dict[str, Any]) -> None:
        if record and "gap" not in record and record["journal"] == self.journal and record["sequence"] <= self.last:
            self.ways[f"dropped, {self._way}"] += 1
        super().heard(record)

    def keep(self, record: dict[str, Any], sequence: int = 0) -> None:
        self.ways["told as lost" if "gap" in record else self._way] += 1
        self.kept.append(record)
        self.last = sequence or record["sequence"]

    def _hear(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        said = dict(getattr(message.properties, "UserProperty", ()))
        if message.topic == self.answers:
            self._way = "by repair"
        else:
            self._way = "as repeats" if said.get("repeat") == "true" else "directly"
        try:
            self.take(client, data, message)
        except Exception:  # noqa: BLE001
            # paho's thread would end in silence.
            self.broken = traceback.format_exc()
