"""Scenes as messages: SetSceneRequest, and the answers that have its fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from agent.core.scene import Ground, Line, Point, Scene, Zone
from herdlink.v1 import edge_pb2, types_pb2

Answer = TypeVar("Answer", edge_pb2.GetSceneResponse, edge_pb2.SetSceneResponse)


def unpack(request: edge_pb2.SetSceneRequest) -> Scene:
    """As it was sent; core/scene_check.py knows whether it can be meant."""
    ground = request.ground
    return Scene(
        area=_points(request.area),
        zones=tuple(Zone(zone.name, _points(zone.polygon), zone.tell_visits) for zone in request.zones),
        lines=tuple(Line(line.name, *_points((line.start, line.end, line.inside))) for line in request.lines),
        ground=Ground(_points(ground.points), ground.width_m, ground.length_m, _points(ground.metres)),
    )


def pack(answer_type: type[Answer], stream: str, scene: Scene) -> Answer:
    ground = scene.ground
    return answer_type(
        stream=stream,
        area=_messages(scene.area),
        zones=[
            types_pb2.SceneZone(name=zone.name, polygon=_messages(zone.polygon), tell_visits=zone.tell_visits)
            for zone in scene.zones
        ],
        lines=[types_pb2.SceneLine(name=line.name, **_ends(line)) for line in scene.lines],
        ground=None
        if ground == Ground()
        else types_pb2.Ground(
            points=_messages(ground.points),
            width_m=ground.width_m,
            length_m=ground.length_m,
            metres=_messages(ground.metres),
        ),
    )


def _points(messages: Iterable[types_pb2.Point]) -> tuple[Point, ...]:
    return tuple((message.x, message.y) for message in messages)


def _messages(points: Iterable[Point]) -> list[types_pb2.Point]:
    return [types_pb2.Point(x=x, y=y) for x, y in points]


def _ends(line: Line) -> dict[str, Any]:
    return {
        key: types_pb2.Point(x=x, y=y)
        for key, (x, y) in zip(("start", "end", "inside"), (line.start, line.end, line.inside), strict=True)
    }
