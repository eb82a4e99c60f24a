"""What is wrong with the node."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="problem_text",
    name="Problem text",
    korean="문제 내용",
    source=Source.HEALTH,
    value="{{ (value_json.problems | map(attribute='message') | join('; ') | default('OK', true))[:255] }}",
    options={"entity_category": "diagnostic", "icon": "mdi:alert-circle-outline"},
)
