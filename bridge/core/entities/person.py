"""Whether somebody is in the picture."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="binary_sensor",
    key="person",
    name="Person",
    korean="사람",
    source=Source.SUMMARY,
    value=seen("'ON' if value_json.counts.person | default(0) > 0 else 'OFF'"),
    options={"device_class": "occupancy"},
)
