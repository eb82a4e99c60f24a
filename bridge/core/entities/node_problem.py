"""Whether anything is wrong with the node."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="binary_sensor",
    key="problem",
    name="Problem",
    korean="문제",
    source=Source.HEALTH,
    value="{{ 'ON' if value_json.problems else 'OFF' }}",
    options={"device_class": "problem"},
)
