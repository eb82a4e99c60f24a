"""How warm the machine is, where it tells."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="temperature",
    name="Temperature",
    korean="온도",
    source=Source.HEALTH,
    value="{{ value_json.temperatureC | default(None) }}",
    options={
        "device_class": "temperature",
        "unit_of_measurement": "°C",
        "state_class": "measurement",
        "suggested_display_precision": 0,
        "entity_category": "diagnostic",
    },
)
