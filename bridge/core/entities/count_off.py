"""Whether there are more or fewer than there should be."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="binary_sensor",
    key="count_off",
    name="Count off",
    korean="마릿수 불일치",
    source=Source.SUMMARY,
    value=seen("'ON' if value_json.countOff else 'OFF'"),
    options={"device_class": "problem"},
)
