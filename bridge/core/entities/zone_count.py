"""How many animals are in a zone."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="zone_PLACE_count",
    name="PLACE animals",
    korean="PLACE 마릿수",
    source=Source.SUMMARY,
    value=seen("value_json.zones['PLACE'].count if 'PLACE' in value_json.zones else None"),
    options={"unit_of_measurement": "animals", "state_class": "measurement"},
    each="zone",
)
