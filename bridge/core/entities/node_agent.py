"""Whether broker and agent are reached."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="binary_sensor",
    key="agent",
    name="Agent",
    korean="에이전트",
    source=Source.STATUS,
    value="{{ 'ON' if value == 'online' else 'OFF' }}",
    options={"device_class": "connectivity", "entity_category": "diagnostic"},
)
