"""A reader of one log as a farm would write it: order by number, repeats dropped, gaps mended by ListRecords."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

import grpc
import paho.mqtt.client as mqtt
from google.protobuf.json_format import MessageToDict
from paho.mqtt.enums import CallbackAPIVersion

from herdlink.v1 import record_pb2, record_pb2_grpc

FRESH_S = 2.0


class Subscriber:
    """`kept` holds each record once, in order; `ways` counts how they came."""

    def __init__(self, port: int, target: str, topic: str, kind: record_pb2.RecordKind) -> None:
        self.kept: list[dict[str, Any]] = []
        self.ways: Counter[str] = Counter()
        self._kind = kind
        self._arrived: queue.Queue[bytes | None] = queue.Queue()
        self._channel = grpc.insecure_channel(target, options=[("grpc.max_reconnect_backoff_ms", 1000)])
        self._records = record_pb2_grpc.RecordServiceStub(self._channel)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"farm-{kind}", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_message = lambda _c, _u, message: self._arrived.put(message.payload)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    @property
    def last(self) -> int:
        return int(self.kept[-1]["sequence"]) if self.kept else 0

    def close(self) -> None:
        """Takes what has arrived."""
        self._client.disconnect()
        self._client.loop_stop()
        self._arrived.put(None)
        self._thread.join()
        self._channel.close()

    def _work(self) -> None:
        while (payload := self._arrived.get()) is not None:
            record = json.loads(payload)
            if "gap" in record:
                self.ways["told as lost"] += record["gap"]["last"] - record["gap"]["first"] + 1
            elif record["sequence"] <= self.last:
                self.ways["repeats dropped"] += 1
            else:
                if record["sequence"] > self.last + 1:
                    self._repair(record["sequence"])
                self.kept.append(record)
                ended = datetime.fromisoformat(record.get("endTime") or record["time"]).timestamp()
                self.ways["directly" if time.time() - ended < FRESH_S else "after a while"] += 1

    def _repair(self, before: int) -> None:
        """Reads what is missing from the node itself, as often as it takes."""
        while self.last + 1 < before:
            request = record_pb2.ListRecordsRequest(kind=self._kind, after_sequence=self.last, limit=100)
            try:
                page = self._records.ListRecords(request, timeout=2)
            except grpc.RpcError:
                time.sleep(0.2)
                continue
            for record in page.records:
                body = getattr(record, record.WhichOneof("body"))
                if body.sequence < before:
                    self.kept.append(MessageToDict(body, always_print_fields_with_no_presence=True))
                    self.ways["by repair"] += 1
