"""Every summary of a stream, or every event, once and in order, whatever the broker loses.

`pip install paho-mqtt`, then e.g.

    python subscribe.py --node n1 --stream main
    python subscribe.py --node n1 --stream main --kind events --id reader-2 --place events.json

Prints one JSON object a line; {"gap": ...} stands for records that the node itself no longer keeps.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

LIVE = {"summaries": "summary", "events": "event"}


class Subscriber:
    """Takes messages; prints records in order."""

    def __init__(self, client: mqtt.Client, args: argparse.Namespace) -> None:
        self.client, self.args, self.file = client, args, Path(args.place)
        self.node = f"{args.base}/{args.node}"
        self.answers = f"{args.base}/client/{args.id}"
        place: Any = json.loads(self.file.read_text()) if self.file.exists() else {"journal": "", "sequence": 0}
        self.journal, self.last, self.asked = place["journal"], place["sequence"], 0.0

    def connected(self, client: mqtt.Client, *_: Any) -> None:
        self.asked = 0.0
        # summary is retained: it tells what the newest is, though everything before it was lost.
        stream = f"{self.node}/stream/{self.args.stream}"
        live = LIVE[self.args.kind]
        client.subscribe([(f"{stream}/{self.args.kind}", 1), (f"{stream}/{live}", 1), (self.answers, 1)])

    def take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        values = json.loads(message.payload or b"{}")
        if message.topic != self.answers:
            self.heard(values)
        elif values.get("ok") and values.get("id") == self.args.id:
            self.asked = 0.0
            self.listed(values["data"])

    def heard(self, record: dict[str, Any]) -> None:
        """A message of the stream: the next one, a repeat, or one that shows that some are missing."""
        if "gap" in record or not record:
            return  # the list tells it in its place
        other = record["journal"] != self.journal
        if not other and record["sequence"] == self.last + 1:
            self.keep(record)
        elif (other or record["sequence"] > self.last) and time.monotonic() > self.asked + 5:
            self.ask()

    def ask(self) -> None:
        self.asked = time.monotonic()
        kind = f"RECORD_KIND_{LIVE[self.args.kind].upper()}"
        request = {"stream": self.args.stream, "kind": kind, "afterSequence": self.last}
        request.update(replyTo=self.answers, id=self.args.id)
        self.client.publish(f"{self.node}/cmd/ListRecords", json.dumps(request), qos=1)

    def listed(self, answer: dict[str, Any]) -> None:
        if answer["journal"] != self.journal:
            self.journal, self.last = answer["journal"], 0
            self.ask()
            return
        for record in answer["records"]:
            body = record.get(LIVE[self.args.kind], record)
            sequence = record["gap"]["last"] if "gap" in record else body["sequence"]
            if sequence > self.last:
                self.keep(body, sequence)
        if answer["newest"] > self.last:
            self.ask()

    def keep(self, record: dict[str, Any], sequence: int = 0) -> None:
        """The work itself goes here; the place moves only when it is done."""
        print(json.dumps(record), flush=True)
        self.last = sequence or record["sequence"]
        self.file.write_text(json.dumps({"journal": self.journal, "sequence": self.last}))


def main() -> None:
    parser = argparse.ArgumentParser()
    texts = {"host": "127.0.0.1", "base": "herdlink", "stream": "main", "id": "reader-1", "place": "place.json"}
    for name, default in texts.items():
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--node", required=True)
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--kind", choices=LIVE, default="summaries")
    args = parser.parse_args()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=args.id, protocol=MQTTProtocolVersion.MQTTv5)
    subscriber = Subscriber(client, args)
    client.on_connect, client.on_message = subscriber.connected, subscriber.take
    client.reconnect_delay_set(1, 10)
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    session.SessionExpiryInterval = 86_400
    client.connect_async(args.host, args.port, clean_start=False, properties=session)
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main()
