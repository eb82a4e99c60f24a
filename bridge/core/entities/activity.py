"""How much the animals move."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="activity",
    name="Activity",
    korean="활동량",
    source=Source.SUMMARY,
    value=seen("value_json.activity | default(None)"),
    options={
        "unit_of_measurement": "BL/min",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "icon": "mdi:run",
    },
)
