"""Whether pictures come; unknown while no job runs."""

from bridge.core.entity import Entity, Source

_WORDS = "{'JOB_STATE_RUNNING': 'ON', 'JOB_STATE_RECONNECTING': 'OFF', 'JOB_STATE_FAILED': 'OFF'}"

ENTITY = Entity(
    of="stream",
    component="binary_sensor",
    key="camera",
    name="Camera",
    korean="카메라",
    source=Source.STATE,
    value=f"{{{{ {_WORDS}.get(value_json.state) }}}}",
    options={"device_class": "connectivity", "entity_category": "diagnostic"},
)
