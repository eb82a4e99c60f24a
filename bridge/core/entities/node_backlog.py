"""Records that wait for the broker."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="backlog",
    name="Backlog",
    korean="대기 기록",
    source=Source.HEALTH,
    value="{{ value_json.backlog | default(None) }}",
    options={"unit_of_measurement": "records", "state_class": "measurement", "entity_category": "diagnostic"},
)
