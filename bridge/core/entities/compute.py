"""Starts a job."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="button",
    key="compute",
    name="Compute",
    korean="분석 시작",
    source=Source.NONE,
    options={"icon": "mdi:play"},
    method="Compute",
    payloads={"payload_press": ""},
    off="cameras",
)
