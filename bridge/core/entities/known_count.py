"""How many animals there should be."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="number",
    key="known_count",
    name="Expected animals",
    korean="예상 마릿수",
    source=Source.STATE,
    value="{{ value_json.knownCount }}",
    options={
        "unit_of_measurement": "animals",
        "min": 0,
        "max": 100_000,
        "step": 1,
        "mode": "box",
        "entity_category": "config",
    },
    method="SetStream",
    payloads={"command_template": '"knownCount": {{ value | int }}'},
)
