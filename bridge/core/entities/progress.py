"""How far the analysis of a file has come."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="sensor",
    key="progress",
    name="Progress",
    korean="진행률",
    source=Source.STATE,
    value="{{ (value_json.progress * 100) | round(0) | int if value_json.progress is defined else None }}",
    options={"unit_of_measurement": "%", "state_class": "measurement", "icon": "mdi:progress-clock"},
    files_only=True,
)
