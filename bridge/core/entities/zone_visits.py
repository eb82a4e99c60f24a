"""How often animals have come into a zone since the journal began."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="zone_PLACE_visits",
    name="PLACE visits",
    korean="PLACE 방문 횟수",
    source=Source.SUMMARY,
    value="{{ value_json.zones['PLACE'].totalVisits if 'PLACE' in value_json.zones else None }}",
    options={"unit_of_measurement": "visits", "state_class": "total_increasing"},
    each="zone",
)
