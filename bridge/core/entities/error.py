"""What is wrong with the newest job."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="error",
    name="Error",
    korean="오류",
    source=Source.STATE,
    value="{{ ((value_json.error | default({})).message | default('OK', true))[:255] }}",
    options={"entity_category": "diagnostic", "icon": "mdi:alert-circle-outline"},
)
