"""When the agent was started."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="started",
    name="Started",
    korean="시작 시각",
    source=Source.HEALTH,
    value="{{ value_json.startTime | default(None) }}",
    options={"device_class": "timestamp", "entity_category": "diagnostic"},
)
