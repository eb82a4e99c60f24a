"""Whether the picture is dark, frozen, blurred or moved."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="binary_sensor",
    key="view",
    name="View",
    korean="화면 상태",
    source=Source.SUMMARY,
    value="{{ {'VIEW_OK': 'OFF', 'VIEW_UNSPECIFIED': None}.get(value_json.view, 'ON') }}",
    options={"device_class": "problem", "entity_category": "diagnostic"},
)
