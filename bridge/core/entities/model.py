"""The model in use; another one takes effect with the next job."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="select",
    key="model",
    name="Model",
    korean="모델",
    source=Source.STATE,
    value="{{ value_json.model.split('@')[0] or None }}",
    options={"entity_category": "config", "icon": "mdi:brain"},
    method="SetStream",
    payloads={"command_template": '"model": {{ value | to_json }}'},
)
