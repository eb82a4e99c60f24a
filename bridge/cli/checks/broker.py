"""The broker: reachable, lets us in, carries messages there and back, and is quick about it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import statistics
import time
from collections.abc import Sequence

from bridge.cli.checks import node_topics
from bridge.cli.checks.finding import Finding, Findings, fail, ok, warn
from bridge.cli.checks.node_topics import access
from bridge.cli.checks.probe import NoBroker, Probe
from bridge.core import trouble
from bridge.core.publications import SNAPSHOT_BYTES
from bridge.core.topics import Topics
from bridge.settings import BadSettings, BridgeSettings, mqtt_password, mqtt_tls

CONNECT_S = 4.0
ECHO_S = 2.0
ECHOES = 5
BURSTS = 60
HELD_OFTEN = 3
HELD_MS = 30.0
"""Nagle's algorithm and the delayed acknowledgement make 40 ms of what takes 1."""
PACKET_BYTES = SNAPSHOT_BYTES + 1024
_VERSIONS = {5: "5", 311: "3.1.1"}
_MOSQUITTO = "(Debian: apt-get install mosquitto; systemctl start mosquitto)"


def look(settings: BridgeSettings, nodes: Sequence[str]) -> Findings:
    """With the bridge's own login, but another client id."""
    mqtt = settings.mqtt
    place = f"{mqtt.host}:{mqtt.port}"
    try:
        socket.create_connection((mqtt.host, mqtt.port), timeout=CONNECT_S).close()
        probe = Probe(mqtt, mqtt_password(settings), mqtt_tls(settings))
    except NoBroker as refused:
        yield _refused(settings, place, refused)
        return
    except BadSettings as error:
        yield fail("broker", str(error), "mend the file, or write mqtt.tls = false on a network that you trust")
        return
    except OSError as error:
        yield _unreachable(settings, place, error)
        return
    try:
        who = f"as {mqtt.username}" if mqtt.username else "without a login"
        how = f"MQTT {_VERSIONS[mqtt.version]}{' over TLS' if mqtt.tls else ''}"
        yield ok("broker", f"{place} lets us in {who}, {how}")
        yield from _limits(settings, probe)
        answers = f"{mqtt.base}/client/{probe.id}"
        echo = _echo(settings, probe, answers)
        yield echo
        for node in nodes:
            yield from node_topics.look(settings, probe, Topics(mqtt.base, node), answers if echo[0] == "OK" else "")
    finally:
        probe.close()


# -- getting in -------------------------------------------------------------------------------------------------------


def _unreachable(settings: BridgeSettings, place: str, error: OSError) -> Finding:
    if isinstance(error, ssl.SSLError) or (settings.mqtt.tls and isinstance(error, ConnectionResetError)):
        return _parted(trouble.not_reached(_place(settings), error))
    if isinstance(error, socket.gaierror):
        return fail(
            "broker", f"{place}: no such host", "mend mqtt.host in bridge.toml; an address such as 10.0.0.2 will do"
        )
    if isinstance(error, ConnectionRefusedError):
        return fail("broker", f"nothing listens on {place}", f"start the broker {_MOSQUITTO}, or mend mqtt.port")
    if isinstance(error, TimeoutError):
        return fail("broker", f"{place} does not answer", "check its address, the network and the broker's firewall")
    return fail("broker", f"{place}: {error.strerror or error}", "check mqtt.host and the network")


def _place(settings: BridgeSettings) -> trouble.Place:
    mqtt = settings.mqtt
    return trouble.Place(mqtt.host, mqtt.port, mqtt.tls, mqtt.username)


def _parted(sentence: str) -> Finding:
    """A sentence with its cure, as the bridge logs it."""
    for mark in ("; ", ": "):
        told, found, cure = sentence.rpartition(mark)
        if found:
            return fail("broker", told, cure)
    return fail("broker", sentence, "see the broker's log")


def _refused(settings: BridgeSettings, place: str, refused: NoBroker) -> Finding:
    reason = refused.reason
    if not reason and settings.mqtt.tls:
        return _parted(trouble.hung_up(_place(settings), refused.words))
    if not reason:
        cure = "does it want TLS? Then mqtt.tls = true (usually with port 8883); else mend mqtt.port in bridge.toml"
        return fail("broker", f"{place} hangs up without a word", cure)
    if "protocol" in reason.lower():
        return fail(
            "broker",
            f"{place} does not speak MQTT {_VERSIONS[settings.mqtt.version]}",
            "mqtt.version = 311 in bridge.toml",
        )
    user = settings.mqtt.username
    who = f"user {user}" if user else "anybody without a login"
    cure = (
        f"mend mqtt.username and the password in {settings.secrets_dir / 'mqtt-password'}"
        if user
        else "set mqtt.username in bridge.toml, and write the password into mqtt-password"
    )
    return fail("broker", f"{place} refuses {who}: {reason}", cure)


def _limits(settings: BridgeSettings, probe: Probe) -> Findings:
    told = vars(probe.properties) if probe.properties is not None else {}
    if told.get("MaximumQoS", 1) < 1:
        yield fail("broker", "it carries QoS 0 alone; herdlink needs QoS 1", "use another broker, e.g. mosquitto")
    if not told.get("RetainAvailable", 1):
        yield fail("broker", "it keeps no retained messages; herdlink needs them", "allow them in the broker")
    largest = told.get("MaximumPacketSize", 0)
    if 0 < largest < PACKET_BYTES:
        yield warn(
            "packet size",
            f"the broker takes at most {largest} bytes: larger pictures are not published",
            f"max_packet_size {PACKET_BYTES} or more in mosquitto.conf",
        )
    elif settings.mqtt.version == 5:
        yield ok("packet size", f"at most {largest} bytes" if largest else "the broker names no limit")
    if not settings.mqtt.username and not _own(settings.mqtt.host):
        yield warn(
            "broker",
            "it lets anybody in: whoever reaches it can command the node",
            "allow_anonymous false and a password_file in mosquitto.conf, then mqtt.username here",
        )


def _own(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# -- there and back ---------------------------------------------------------------------------------------------------


def _echo(settings: BridgeSettings, probe: Probe, topic: str) -> Finding:
    """Messages to ourselves, where answers to commands go."""
    cure = access(settings)
    refusal = probe.subscribe(topic)
    if refusal:
        return warn("round trip", f"this login may not read {topic} ({refusal}); the bridge can do without", cure)
    taken_ms = []
    for number in range(ECHOES):
        payload, begin = f"echo {number}".encode(), time.monotonic()
        refusal = probe.publish(topic, payload)
        if refusal:
            return fail("round trip", f"this login may not write {topic} ({refusal}), where answers go", cure)
        back = probe.find(lambda message, sent=payload: message.payload == sent, ECHO_S)  # type: ignore[misc]
        if back is None and settings.mqtt.version == 5:
            told = f"the broker takes {topic}, but this login may not read it; the bridge can do without"
            return warn("round trip", told, cure)
        if back is None:
            return fail("round trip", f"{topic} does not come back: this login may not write it, or not read it", cure)
        taken_ms.append((back.received - begin) * 1000)
    middle_ms = statistics.median(taken_ms)
    held_ms = _held_ms(probe, f"{topic}/burst", middle_ms)
    if held_ms:
        told = f"{middle_ms:.1f} ms through {topic}, but the broker holds answers back {held_ms:.0f} ms"
        return warn("round trip", told, "set_tcp_nodelay true in mosquitto.conf, then restart it")
    return ok("round trip", f"{middle_ms:.1f} ms through {topic}")


def _held_ms(probe: Probe, topic: str, usual_ms: float) -> float:
    """How long the broker holds acknowledgements back again and again; 0 where it does not.

    Nobody listens on the topic, so that nothing else comes back. Whether the kernel here acknowledges late, which it
    takes two for, changes from moment to moment: hence so many tries.
    """
    held: list[float] = []
    for _ in range(BURSTS):
        taken_ms = probe.burst_ms(topic)
        held += [taken_ms] if taken_ms - usual_ms > HELD_MS else []
        if len(held) >= HELD_OFTEN:
            return min(held)
    return 0.0
