"""The MQTT connection: the only file that imports paho.

A message is acknowledged by hand, after its answer is out; what came by an earlier connection is never acknowledged:
packet ids begin anew, and that would swallow another message.

A broker that is away is looked for every two seconds; one that does not want us, half as often each time.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
import paho.mqtt.properties
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.core import trouble
from bridge.core.arrival import Arrival, Route
from bridge.settings import MqttSettings
from bridge.wire import Wire

log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 86_400
FIRST_PAUSE_S = 1.0
AWAY_PAUSE_S = 2.0
"""Between two tries to reach a broker that is away: once it is back, records flow again within seconds."""
LONGEST_PAUSE_S = 30.0
"""Between two tries of one that refuses us, or throws us out again and again."""
STOP_S = 3.0
SESSION_TAKEN_OVER = 0x8E
SHORT_LIFE_S = 3.0
SHORT_LIVES = 3
"""So many connections that end so soon one after the other: most likely two bridges throw each other out."""
REFUSALS_TOLD = 100
"""Topics that the broker refuses are named up to here."""
PACKET_SPARE_BYTES = 1024
"""Topic, properties and header of a packet beside its payload."""


def _read_text(buffer: bytes, most: int) -> tuple[str, int]:
    """A text of a packet's properties and the bytes that it takes, at most `most`; of any that a broker lets through.

    paho takes U+FEFF for a broken packet, which MQTT 5 (1.5.4) allows. The broker would deliver that message again
    after each reconnect, and so one message could keep a bridge away for ever.
    """
    end = 2 + int.from_bytes(buffer[:2], "big")
    if end > most:
        raise ValueError("a text is longer than its packet")
    return bytes(buffer[2:end]).decode("utf-8", "replace"), end


paho.mqtt.properties.readUTF = _read_text


class TakenOver(Exception):
    """Another client with this id has taken the session; two of them would throw each other out for ever."""


class TooLarge(Exception):
    """The broker would drop the connection for a packet of this size."""


class LastWords(logging.Handler):
    """Keeps what paho says of a connection that breaks; it tells the reason nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.words = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.words = record.getMessage()


class Broker:
    """One connection with its will. `connected` is set while it stands; `generation` counts connections."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        password: str | None,
        tls: ssl.SSLContext | None,
        status_topic: str,
        routes: Sequence[Route],
    ) -> None:
        self.connected = asyncio.Event()
        self.generation = 0
        self._connection = asyncio.Event()
        """Set, and replaced by a new one, at each connection."""
        self.taken_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._status_topic = status_topic
        self._routes = routes
        self._loop = asyncio.get_running_loop()
        self._acknowledged: dict[int, tuple[asyncio.Future[int], str]] = {}
        self._subscribing: dict[int, str] = {}
        self._place = trouble.Place(settings.host, settings.port, settings.tls, settings.username)
        self._told = ""
        """The trouble that was told last: once, not at each try."""
        self._refused_topics: set[str] = set()
        self._last_words = LastWords()
        self._packet_limit = 0
        self._connected_at = 0.0
        self._short_lives = 0
        self._pause_s = 0.0
        """The last pause between two tries."""
        self._unwanted = False
        """The last try ended with a refusal, which only a person can mend."""
        self._client = self._make_client(client_id, password, tls)
        self._wire = Wire(self._client)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return self._place.address

    def start(self) -> None:
        """Connects, and again whenever the connection is lost; returns at once."""
        host, port, keepalive = self._settings.host, self._settings.port, self._settings.keepalive_s
        if self._settings.version == 5:
            # Both on every connect, or paho has the broker forget the session.
            properties = _properties(PacketTypes.CONNECT, SessionExpiryInterval=SESSION_EXPIRY_S)
            self._client.connect_async(host, port, keepalive, clean_start=False, properties=properties)
        else:
            self._client.connect_async(host, port, keepalive)
        self._keeping = asyncio.create_task(self._keep_connected(), name="connection")

    async def stop(self, last_status: str) -> None:
        """Publishes a last status and disconnects, so that the broker does not publish the will."""
        try:
            async with asyncio.timeout(STOP_S):
                if self.connected.is_set():
                    await (await self.publish(self._status_topic, last_status.encode(), retain=True))
                    self._client.disconnect()
                    await self._wire.serve()
        except TimeoutError:
            log.warning("the broker does not take the last status")
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes = b"",
        user: Sequence[tuple[str, str]] = (),
    ) -> asyncio.Future[int]:
        """Hands a message to the broker once the connection stands. The future is done when the broker has it (QoS 1):
        0, or MQTT 5's reason code, 0x80 and above, where it has refused it. MQTT 3.1.1 knows no refusal.

        It survives a reconnect: paho sends an unacknowledged message again. Raises TooLarge.
        """
        await self.connected.wait()
        size = len(payload) + len(topic.encode()) + len(correlation) + PACKET_SPARE_BYTES
        if self._packet_limit and size > self._packet_limit:
            raise TooLarge(f"{len(payload)} bytes; the broker takes packets of at most {self._packet_limit} bytes")
        properties = None
        if self._settings.version == 5:
            given = {"CorrelationData": correlation, "UserProperty": list(user)}
            properties = _properties(PacketTypes.PUBLISH, **{name: value for name, value in given.items() if value})
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        done: asyncio.Future[int] = self._loop.create_future()
        if qos:
            self._acknowledged[info.mid] = (done, topic)
        else:
            done.set_result(0)
        return done

    async def reconnected(self, generation: int) -> None:
        """Waits for a connection after the one of this number."""
        while self.generation == generation:
            await self._connection.wait()

    def acknowledge(self, arrival: Arrival) -> None:
        """Tells the broker that a message is done with; dropped where the connection is another by now."""
        if arrival.packet_id and arrival.generation == self.generation and self.connected.is_set():
            self._client.ack(arrival.packet_id, 1)

    # -- the connection ---------------------------------------------------------------------------------------------

    def _make_client(self, client_id: str, password: str | None, tls: ssl.SSLContext | None) -> mqtt.Client:
        modern = self._settings.version == 5
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            # MQTT 5 says it with each connect instead.
            clean_session=None if modern else False,
            protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.will_set(self._status_topic, b"offline", qos=1, retain=True)
        if self._settings.username:
            client.username_pw_set(self._settings.username, password)
        if tls is not None:
            client.tls_set_context(tls)
        words = logging.Logger("paho", logging.ERROR)
        words.addHandler(self._last_words)
        client.enable_logger(words)
        self._listen(client)
        return client

    def _listen(self, client: mqtt.Client) -> None:
        client.on_connect = lambda _c, _u, flags, reason, properties: self._connected(
            flags.session_present, reason, properties
        )
        client.on_disconnect = lambda _c, _u, _flags, reason, _p: self._disconnected(reason)
        client.on_publish = lambda _c, _u, mid, reason, _p: self._published(mid, reason)
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._subscribed(mid, reasons)
        client.on_message = lambda _c, _u, message: self._arrived(message)

    async def _keep_connected(self) -> None:
        while not self.taken_over.done():
            self._unwanted = False
            try:
                await self._wire.connect()
            except (OSError, ValueError) as error:
                self._unwanted = isinstance(error, ssl.SSLError)
                # It was away, so nobody has thrown us out.
                self._short_lives = 0
                self._tell(trouble.not_reached(self._place, error))
            else:
                await self._wire.serve()
            longest_s = LONGEST_PAUSE_S if self._unwanted else AWAY_PAUSE_S
            self._pause_s = min(self._pause_s * 2 or FIRST_PAUSE_S, longest_s)
            await asyncio.sleep(LONGEST_PAUSE_S if self._short_lives >= SHORT_LIVES else self._pause_s)

    def _connected(self, session_present: bool, reason: ReasonCode, properties: Properties | None) -> None:
        if reason.is_failure:
            self._unwanted = True
            self._tell(trouble.refused_login(self._place, str(reason)))
            return
        self._told, self._unwanted, self._pause_s = "", False, 0.0
        self.generation += 1
        self._connected_at = time.monotonic()
        self._packet_limit = getattr(properties, "MaximumPacketSize", 0) if properties else 0
        log.info("connected to %s%s", self.address, ", session resumed" if session_present else "")
        for route in self._routes:
            self._subscribe(route)
        self.connected.set()
        self._connection.set()
        self._connection = asyncio.Event()

    def _subscribe(self, route: Route) -> None:
        if self._settings.version == 5:
            # The broker then leaves the retained flag on, so that a retained command is known for one.
            options = SubscribeOptions(qos=route.qos, retainAsPublished=True)
            _, mid = self._client.subscribe(route.filter, options=options)
        else:
            _, mid = self._client.subscribe(route.filter, qos=route.qos)
        self._subscribing[mid or 0] = route.filter

    def _tell(self, text: str) -> None:
        """Once, not at each try."""
        if text != self._told:
            log.error("%s", text)
        self._told = text

    def _disconnected(self, reason: ReasonCode) -> None:
        stood, words = self.connected.is_set(), self._last_words.words
        self.connected.clear()
        self._last_words.words = ""
        if reason.value == SESSION_TAKEN_OVER:
            if not self.taken_over.done():
                self.taken_over.set_exception(
                    TakenOver(
                        "another bridge with the same node and base has connected to the broker; stop one of them"
                    )
                )
        elif reason.is_failure and stood:
            self._count_short_life()
            log.warning("the connection to the broker %s is lost: %s", self.address, reason)
        elif reason.is_failure and not self._unwanted:
            # With TLS most likely for want of a certificate; without, a broker that is just starting does so, too.
            self._unwanted = self._place.tls
            if not self._told:
                self._tell(trouble.hung_up(self._place, words))

    def _count_short_life(self) -> None:
        """Not every broker says that a session was taken over; who is thrown out again and again says so and slows."""
        lived_s = time.monotonic() - self._connected_at
        self._short_lives = self._short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        if self._short_lives >= SHORT_LIVES:
            log.error(
                "the broker %s ends every connection at once; does another bridge run for the same node and base? "
                "Stop one of them. Trying again in %.0f s",
                self.address,
                LONGEST_PAUSE_S,
            )

    def _published(self, mid: int, reason: ReasonCode) -> None:
        done, topic = self._acknowledged.pop(mid, (None, ""))
        if reason.is_failure:
            self._tell_refused(topic, reason, reading=False)
        if done is not None and not done.done():
            done.set_result(reason.value if reason.is_failure else 0)

    def _subscribed(self, mid: int, reasons: Sequence[ReasonCode]) -> None:
        topic = self._subscribing.pop(mid, "")
        refusal = next((reason for reason in reasons if reason.is_failure), None)
        if refusal is not None:
            self._tell_refused(topic, refusal, reading=True)

    def _tell_refused(self, topic: str, reason: ReasonCode, *, reading: bool) -> None:
        if topic not in self._refused_topics and len(self._refused_topics) < REFUSALS_TOLD:
            self._refused_topics.add(topic)
            log.error("%s", trouble.refused_topic(topic, str(reason), reading=reading))

    def _arrived(self, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        arrival = Arrival(
            generation=self.generation,
            packet_id=message.mid if message.qos else 0,
            topic=message.topic,
            payload=bytes(message.payload),
            retained=bool(message.retain),
            redelivered=bool(message.dup),
            response_topic=getattr(properties, "ResponseTopic", "") if properties else "",
            correlation=getattr(properties, "CorrelationData", b"") if properties else b"",
            expiry_s=getattr(properties, "MessageExpiryInterval", None) if properties else None,
            received=time.monotonic(),
        )
        for route in self._routes:
            if mqtt.topic_matches_sub(route.filter, arrival.topic):
                route.take(arrival)
                return
        # Of a subscription that an earlier bridge has left in the session.
        self.acknowledge(arrival)


def _properties(packet: int, **values: Any) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
