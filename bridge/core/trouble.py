"""Why the broker cannot be reached or lets nobody in, as one sentence with its cure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

NOT_AUTHORIZED = "Not authorized"
"""MQTT's name for that reason."""
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
"""OpenSSL's X509_V_ERR numbers for a certificate that nobody known has signed."""
_EXPIRED = 10
_OTHER_NAME = (62, 64)
_ALERTS = {
    "certificate required": "wants a certificate of its clients: put it into the secrets mqtt-cert and mqtt-key",
    "certificate expired": "says that the certificate in the secret mqtt-cert has expired: put a new one there",
    "unknown ca": "does not know the authority that signed the secret mqtt-cert: get one from its own",
    "certificate unknown": "does not accept the certificate in the secret mqtt-cert",
    "bad certificate": "does not accept the certificate in the secret mqtt-cert",
    "certificate revoked": "says that the certificate in the secret mqtt-cert is revoked: put a new one there",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the broker is, and how it is spoken to."""

    host: str
    port: int
    tls: bool = False
    username: str = ""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def not_reached(place: Place, error: BaseException | None) -> str:
    """The connection did not come about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker {place.address} is not trusted: {_untrusted(place, error)}"
    if isinstance(error, ssl.SSLError) or (place.tls and isinstance(error, ConnectionResetError)):
        # In the middle of the handshake: not the end of a TLS server's patience.
        return _by_alert(place, str(error)) or _no_tls(place)
    return f"the broker {place.address} cannot be reached: {_words(error)}; trying again"


def hung_up(place: Place, words: str) -> str:
    """It ended the connection before it let us in; `words` are those of the network or of OpenSSL."""
    if alert := _by_alert(place, words):
        return alert
    if place.tls:
        return (
            f"the broker {place.address} hangs up before the login ({words or 'without a word'}); does it want a "
            "certificate of its clients (the secrets mqtt-cert and mqtt-key)?"
        )
    return (
        f"the broker {place.address} hangs up before the login ({words or 'without a word'}); "
        "does it want TLS (mqtt.tls)?"
    )


def refused_login(place: Place, reason: str) -> str:
    """It does not take the login."""
    who = f"user {place.username}" if place.username else "a client without a login"
    return f"the broker {place.address} refuses {who}: {reason}; check mqtt.username and the secret mqtt-password"


def refused_topic(topic: str, reason: str, *, reading: bool) -> str:
    """It lets us in, but not near a topic."""
    verb = "read" if reading else "write"
    forbidden = reading or reason == NOT_AUTHORIZED
    cure = "mend its access list (herdlink topics --acl)" if forbidden else "see its log and its limits"
    return f"the broker does not let this bridge {verb} {topic}: {reason}; {cure}"


def _by_alert(place: Place, words: str) -> str:
    """What a TLS alert in the words means; empty where there is none."""
    low = words.lower().replace("_", " ")
    meaning = next((meaning for alert, meaning in _ALERTS.items() if f"alert {alert}" in low), "")
    return f"the broker {place.address} {meaning}" if meaning else ""


def _no_tls(place: Place) -> str:
    return (
        f"the broker {place.address} does not speak TLS there; mend mqtt.port (usually 8883), or mqtt.tls = false on a "
        "network that you trust"
    )


def _untrusted(place: Place, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "its certificate has expired; renew it on the broker, and see that this machine's clock is right"
    if error.verify_code in _OTHER_NAME:
        return f"its certificate is for another name than {place.host}; mend mqtt.host, or the certificate"
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return "no known authority has signed its certificate; put the certificate of the one that has into mqtt-ca"
    return error.verify_message


def _words(error: BaseException | None) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error or "") or "no reason given"
