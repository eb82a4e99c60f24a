"""Room on the disk of results."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="node",
    component="sensor",
    key="disk_free",
    name="Disk free",
    korean="남은 디스크",
    source=Source.HEALTH,
    value="{{ (value_json.diskFreeBytes / 1e9) | round(2) if value_json.diskFreeBytes is defined else None }}",
    options={
        "device_class": "data_size",
        "unit_of_measurement": "GB",
        "state_class": "measurement",
        "suggested_display_precision": 1,
        "entity_category": "diagnostic",
    },
)
