"""How many animals have left over a line since the journal began."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="line_PLACE_left",
    name="PLACE left",
    korean="PLACE 나감",
    source=Source.SUMMARY,
    value="{{ value_json.lines['PLACE'].totalLeft if 'PLACE' in value_json.lines else None }}",
    options={"unit_of_measurement": "animals", "state_class": "total_increasing"},
    each="line",
)
