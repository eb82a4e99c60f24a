"""When the newest picture was taken."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="last_picture",
    name="Last picture",
    korean="마지막 사진 시각",
    source=Source.STATE,
    value="{{ value_json.frameTime | default(None) }}",
    options={"device_class": "timestamp", "entity_category": "diagnostic"},
    off="always",
)
