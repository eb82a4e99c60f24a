"""What happens on a stream, at the moment it does."""

from bridge.core.entity import EVENT_TYPES, Entity, Source

ENTITY = Entity(
    of="stream",
    component="event",
    key="event",
    name="Event",
    korean="이벤트",
    source=Source.EVENT,
    options={"event_types": EVENT_TYPES},
)
