"""What the model runs on."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="provider",
    name="Provider",
    korean="실행 장치",
    source=Source.HEALTH,
    value="{{ value_json.provider | default(None, true) }}",
    options={"entity_category": "diagnostic", "icon": "mdi:chip"},
    off="always",
)
