"""How many animals are there."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="count",
    name="Animals",
    korean="마릿수",
    source=Source.SUMMARY,
    value=seen("value_json.count"),
    options={"unit_of_measurement": "animals", "state_class": "measurement", "icon": "mdi:cow"},
)
