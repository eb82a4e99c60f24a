"""Messages as the bridge publishes them, and what Home Assistant is to show of them."""

from __future__ import annotations

import json
from typing import Any

from bridge.core.commands import to_json
from bridge.core.discovery import Home, node_device, stream_device
from bridge.core.entity import Lane
from bridge.core.topics import Topics
from herdlink.v1 import record_pb2, types_pb2

HOME = Home(Topics("farm7/herdlink", "n1"), "0.1.0", "x86_64")
FILE = Lane("pen3", name="Pen 3", area="Barn A", ground=True, models=("pig", "yolov4-tiny"), zones=("feeder",))
CAMERA = Lane("cam-1", camera=True, models=("pig",), zones=("feeder", "bed_2"), lines=("gate",))
EMPTY = Lane("main")
ERROR = types_pb2.Error(code="UNAVAILABLE", reason="CAMERA_UNREACHABLE", message="x" * 300)

SUMMARY = record_pb2.Summary(
    covered_s=9.5, view=record_pb2.VIEW_OK, count=18, count_off=True, counts={"pig": 18, "person": 1}, activity=2.5,
    moving_ratio=0.125, total_distance_m=1234.5678, spacing_bl=1.25, longest_still_s=90.0,
)  # fmt: skip
SUMMARY.zones["feeder"].CopyFrom(record_pb2.Summary.Zone(count=3, total_animal_s=7200, total_visits=41))
SUMMARY.lines["gate"].CopyFrom(record_pb2.Summary.Line(total_entered=7, total_left=5))
BLIND = record_pb2.Summary(total_distance_m=1234.5678)
ZONE_BLIND = record_pb2.Summary()
ZONE_BLIND.zones["feeder"].CopyFrom(record_pb2.Summary.Zone(total_animal_s=7200, total_visits=41))
RUNNING = types_pb2.StreamState(
    enabled=True, state=types_pb2.JOB_STATE_RUNNING, progress=0.456, input="rtsp://a:***@b/c", output="/r/pen",
    fps=12.5, model="pig@0a1b2c3d", known_count=20,
)  # fmt: skip
RUNNING.frame_time.FromNanoseconds(1_764_000_000_123_456_789)
LOST = types_pb2.StreamState(state=types_pb2.JOB_STATE_RECONNECTING, error=ERROR)
HEALTH: dict[str, Any] = {
    "startTime": "2026-11-24T16:00:00Z", "temperatureC": 51.2, "diskFreeBytes": 64_400_000_000, "backlog": 3,
    "lostRecords": 0, "provider": "CPUExecutionProvider", "problems": [{"code": "DISK_LOW", "message": "little room"}],
}  # fmt: skip
WELL: dict[str, Any] = {"problems": []}

# key of the entity, message, what is shown
SHOWN: list[tuple[str, Any, str]] = [
    ("count", SUMMARY, "18"),
    ("count", BLIND, "None"),
    ("count", "", ""),
    ("analysis", "", ""),
    ("count_off", SUMMARY, "ON"),
    ("count_off", BLIND, "None"),
    ("activity", SUMMARY, "2.5"),
    ("activity", record_pb2.Summary(covered_s=1), "None"),
    ("moving", SUMMARY, "12.5"),
    ("moving", record_pb2.Summary(covered_s=1), "None"),
    ("spacing", SUMMARY, "1.25"),
    ("spacing", record_pb2.Summary(covered_s=1), "None"),
    ("longest_still", SUMMARY, "1.5"),
    ("distance", SUMMARY, "1234.568"),
    ("distance", BLIND, "1234.568"),
    ("distance", record_pb2.Summary(), "None"),
    ("zone_feeder_count", SUMMARY, "3"),
    ("zone_feeder_count", ZONE_BLIND, "None"),
    ("zone_feeder_time", ZONE_BLIND, "2.0"),
    ("zone_feeder_visits", SUMMARY, "41"),
    ("zone_feeder_visits", BLIND, "None"),
    ("line_gate_entered", SUMMARY, "7"),
    ("line_gate_left", SUMMARY, "5"),
    ("line_gate_left", BLIND, "None"),
    ("person", SUMMARY, "ON"),
    ("person", record_pb2.Summary(covered_s=1), "OFF"),
    ("person", BLIND, "None"),
    ("view", SUMMARY, "OFF"),
    ("view", record_pb2.Summary(covered_s=1, view=record_pb2.VIEW_DARK), "ON"),
    ("view", BLIND, "None"),
    ("camera", RUNNING, "ON"),
    ("camera", LOST, "OFF"),
    ("camera", types_pb2.StreamState(), "None"),
    ("analysis", RUNNING, "ON"),
    ("analysis", LOST, "OFF"),
    ("progress", RUNNING, "46"),
    ("progress", LOST, "None"),
    ("input", RUNNING, "rtsp://a:***@b/c"),
    ("output", RUNNING, "/r/pen"),
    ("model", RUNNING, "pig"),
    ("model", LOST, "None"),
    ("known_count", RUNNING, "20"),
    ("error", RUNNING, "OK"),
    ("error", LOST, "x" * 255),
    ("fps", RUNNING, "12.5"),
    ("last_picture", RUNNING, "2025-11-24T16:00:00.123456789Z"),
    ("last_picture", LOST, "None"),
    ("agent", "online", "ON"),
    ("agent", "unreachable", "OFF"),
    ("problem", HEALTH, "ON"),
    ("problem", WELL, "OFF"),
    ("problem_text", HEALTH, "little room"),
    ("problem_text", WELL, "OK"),
    ("temperature", HEALTH, "51.2"),
    ("temperature", WELL, "None"),
    ("disk_free", HEALTH, "64.4"),
    ("disk_free", WELL, "None"),
    ("backlog", HEALTH, "3"),
    ("lost", HEALTH, "0"),
    ("provider", HEALTH, "CPUExecutionProvider"),
    ("provider", WELL, "None"),
    ("started", HEALTH, "2026-11-24T16:00:00Z"),
]


def announcements() -> list[dict[str, Any]]:
    """A node, a file, a camera, a stream that nothing is known of; in both languages."""
    homes = (HOME, Home(HOME.topics, "0.1.0", "x86_64", "ko"))
    streams = [stream_device(home, lane) for home in homes for lane in (FILE, CAMERA, EMPTY)]
    return [*streams, *(node_device(home) for home in homes)]


def components() -> dict[str, dict[str, Any]]:
    """Every component by its key."""
    devices = (stream_device(HOME, CAMERA), stream_device(HOME, FILE), node_device(HOME))
    return {key: component for device in devices for key, component in device["components"].items()}


def as_published(message: Any) -> str:
    """The text of a message as it is on the broker."""
    if isinstance(message, str):
        return message
    return json.dumps(message if isinstance(message, dict) else to_json(message))
