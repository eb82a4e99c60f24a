"""Frames analysed a second."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="fps",
    name="Frames per second",
    korean="초당 프레임",
    source=Source.STATE,
    value="{{ value_json.fps }}",
    options={
        "unit_of_measurement": "fps",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "entity_category": "diagnostic",
    },
    off="always",
)
