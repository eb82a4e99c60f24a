"""The newest picture, with boxes."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="image",
    key="picture",
    name="Picture",
    korean="사진",
    source=Source.SNAPSHOT,
    options={"content_type": "image/jpeg"},
)
