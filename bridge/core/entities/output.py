"""The folder that results go to."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="text",
    key="output",
    name="Output",
    korean="출력",
    source=Source.STATE,
    value="{{ value_json.output[:255] }}",
    options={"entity_category": "config", "icon": "mdi:folder-outline"},
    method="SetOutput",
    payloads={"command_template": '"uri": {{ value | to_json }}'},
    off="always",
)
