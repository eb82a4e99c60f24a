"""How long animals have been in a zone, all together, since the journal began."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="zone_PLACE_time",
    name="PLACE time",
    korean="PLACE 체류 시간",
    source=Source.SUMMARY,
    value="{{ (value_json.zones['PLACE'].totalAnimalS / 3600) | round(3) if 'PLACE' in value_json.zones else None }}",
    options={
        "device_class": "duration",
        "unit_of_measurement": "h",
        "state_class": "total_increasing",
        "suggested_display_precision": 1,
    },
    each="zone",
)
