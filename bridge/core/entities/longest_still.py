"""How long the animal that has been still longest has been so."""

from bridge.core.entity import Entity, Source, seen

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="longest_still",
    name="Longest still",
    korean="가장 오래 정지",
    source=Source.SUMMARY,
    value=seen("(value_json.longestStillS / 60) | round(1)"),
    options={
        "device_class": "duration",
        "unit_of_measurement": "min",
        "state_class": "measurement",
        "suggested_display_precision": 0,
    },
)
