"""What the broker brings, and who takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message from the broker."""

    generation: int
    """Number of the connection that it came by."""
    packet_id: int
    """0 for a message of QoS 0, which nobody acknowledges or delivers again."""
    topic: str
    payload: bytes
    retained: bool
    redelivered: bool
    response_topic: str
    correlation: bytes
    expiry_s: float | None
    received: float
    """By the steady clock."""


@dataclass(frozen=True, slots=True)
class Route:
    """A subscription, and who takes what comes by it."""

    filter: str
    take: Callable[[Arrival], None]
    """Never waits and never fails."""
    qos: int = 1
