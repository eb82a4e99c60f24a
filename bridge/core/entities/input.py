"""The video or camera that is analysed."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="text",
    key="input",
    name="Input",
    korean="입력",
    source=Source.STATE,
    value="{{ value_json.input[:255] }}",
    options={"entity_category": "config", "icon": "mdi:video-input-component"},
    method="SetInput",
    payloads={"command_template": '"uri": {{ value | to_json }}'},
)
