"""How far an animal is from its nearest neighbour."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="spacing",
    name="Spacing",
    korean="개체 간격",
    source=Source.SUMMARY,
    value=seen("value_json.spacingBl | default(None)"),
    options={"unit_of_measurement": "BL", "state_class": "measurement", "suggested_display_precision": 1},
    off="always",
)
