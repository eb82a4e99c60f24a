"""Takes a picture now."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="button",
    key="snapshot",
    name="Snapshot",
    korean="사진 찍기",
    source=Source.NONE,
    options={"icon": "mdi:camera"},
    method="GetSnapshot",
    payloads={"payload_press": '"annotated": true, "fresh": true'},
)
