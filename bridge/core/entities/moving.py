"""The share of the time in which animals moved."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="moving",
    name="Moving",
    korean="움직인 비율",
    source=Source.SUMMARY,
    value=seen("(value_json.movingRatio * 100) | round(1) if value_json.movingRatio is defined else None"),
    options={"unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0},
)
