"""What the herd has walked since the journal began."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="distance",
    name="Distance",
    korean="이동 거리",
    source=Source.SUMMARY,
    value="{{ value_json.totalDistanceM | default(None) }}",
    options={
        "device_class": "distance",
        "unit_of_measurement": "m",
        "state_class": "total_increasing",
        "suggested_display_precision": 0,
    },
    off="without ground",
)
