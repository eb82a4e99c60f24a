"""How many animals have entered over a line since the journal began."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="line_PLACE_entered",
    name="PLACE entered",
    korean="PLACE 들어옴",
    source=Source.SUMMARY,
    value="{{ value_json.lines['PLACE'].totalEntered if 'PLACE' in value_json.lines else None }}",
    options={"unit_of_measurement": "animals", "state_class": "total_increasing"},
    each="line",
)
