"""Ends the job."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="button",
    key="cancel",
    name="Cancel",
    korean="분석 중지",
    source=Source.NONE,
    options={"icon": "mdi:stop"},
    method="CancelJob",
    payloads={"payload_press": ""},
    off="cameras",
)
