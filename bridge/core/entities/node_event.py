"""What befalls the node itself, e.g. that its disk is nearly full."""

from bridge.core.entity import EVENT_TYPES, Entity, Source

ENTITY = Entity(
    of="node",
    component="event",
    key="event",
    name="Event",
    korean="이벤트",
    source=Source.EVENT,
    options={"event_types": EVENT_TYPES},
)
