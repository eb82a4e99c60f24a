from __future__ import annotations

import json

import pytest
from homeassistant_examples import CAMERA, FILE, HOME

from bridge.core import discovery
from bridge.core.commands import dump
from bridge.core.discovery import Home
from bridge.core.topics import Topics
from herdlink.v1.types_pb2 import StreamState


def test_one_device_a_node_and_one_a_stream() -> None:
    node, stream = discovery.node_device(HOME), discovery.stream_device(HOME, FILE)
    assert node["device"]["identifiers"] == ["herdlink_n1"]
    assert stream["device"] == {
        "identifiers": ["herdlink_n1_pen3"],
        "manufacturer": "herdlink",
        "name": "Pen 3",
        "model": "video",
        "suggested_area": "Barn A",
        "via_device": "herdlink_n1",
    }
    assert stream["origin"] == {"name": "herdlink", "sw_version": "0.1.0"}
    assert discovery.config_topic("homeassistant", "herdlink_n1_pen3") == "homeassistant/device/herdlink_n1_pen3/config"


def test_names_in_korean() -> None:
    components = discovery.stream_device(Home(HOME.topics, language="ko"), FILE)["components"]
    assert components["count"]["name"] == "마릿수"
    assert components["zone_feeder_visits"]["name"] == "feeder 방문 횟수"
    assert components["count"]["default_entity_id"] == "sensor.n1_pen3_count"


def test_what_is_gone_is_taken_back_by_its_platform_alone() -> None:
    before = discovery.announced(dump(discovery.stream_device(HOME, CAMERA)), HOME)
    after = discovery.with_removed(discovery.stream_device(HOME, FILE), before)
    gone = {key: value for key, value in after["components"].items() if len(value) == 1}
    assert gone["line_gate_entered"] == {"platform": "sensor"}
    assert len(gone) == 5
    assert set(gone).isdisjoint(discovery.announced(dump(after), HOME))


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"\xff", b'{"availability": [1], "components": {}}'])
def test_what_others_announce_is_none_of_ours(payload: bytes) -> None:
    assert discovery.announced(payload, HOME) == {}
    other = Home(Topics("herdlink", "n1"))
    assert discovery.announced(json.dumps(discovery.node_device(other)).encode(), HOME) == {}


@pytest.mark.parametrize(
    ("uri", "camera"),
    [
        ("/srv/video/a.mp4", False),
        ("file:///srv/video/rtsp.mp4", False),
        ("rtsp://10.0.0.2/s1", True),
        ("http://10.0.0.2/cam", True),
        ("https://10.0.0.2/clip.MP4?key=1", False),
        ("v4l2:/dev/video0", True),
        ("images:/srv/pictures?fps=5", False),
        ("synthetic:herd?animals=3&seconds=0&seed=1", True),
        ("synthetic:herd?seconds=0.0", True),
        ("synthetic:herd?seconds=05", False),
        ("synthetic:herd?seconds=60", False),
        ("", False),
    ],
)
def test_cameras_are_known_by_their_input(uri: str, camera: bool) -> None:
    assert discovery.is_camera(uri, StreamState()) is camera
    assert discovery.is_camera(uri, StreamState(progress=0.5)) is False


def test_models_are_named_once() -> None:
    assert discovery.models(["pig@0a1b2c3d", "pig", "", "yolov4-tiny"]) == ("pig", "yolov4-tiny")
