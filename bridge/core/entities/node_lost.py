"""Records that were trimmed before they were read."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="lost",
    name="Lost records",
    korean="잃은 기록",
    source=Source.HEALTH,
    value="{{ value_json.lostRecords | default(None) }}",
    options={"unit_of_measurement": "records", "state_class": "total_increasing", "entity_category": "diagnostic"},
)
