"""Every file of bridge/core/entities, held to Home Assistant's rules (as in its source, 2025.4 and 2026.11) and to our
own table of entities. Its real code judges the same in tests/homeassistant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from homeassistant_examples import CAMERA, FILE, HOME, SHOWN, announcements, components

from bridge.core import entities
from bridge.core.discovery import all_entities, node_device, stream_device
from bridge.core.entity import EVENT_TYPES, Entity

_ANY = {
    "platform", "unique_id", "default_entity_id", "name", "icon", "enabled_by_default", "entity_category",
    "availability", "availability_mode",
}  # fmt: skip
_READS = _ANY | {"state_topic", "value_template"}
_WRITES = _READS | {"command_topic"}
ALLOWED: dict[str, set[str]] = {
    "sensor": _READS | {"device_class", "unit_of_measurement", "state_class", "suggested_display_precision"},
    "binary_sensor": _READS | {"device_class"},
    "event": _ANY | {"state_topic", "event_types"},
    "image": _ANY | {"image_topic", "content_type"},
    "button": _ANY | {"command_topic", "payload_press"},
    "switch": _WRITES | {"payload_on", "payload_off", "state_on", "state_off"},
    "number": _WRITES | {"command_template", "min", "max", "step", "mode", "unit_of_measurement"},
    "text": _WRITES | {"command_template"},
    "select": _WRITES | {"command_template", "options"},
}
NEEDED = {
    "sensor": {"state_topic"}, "binary_sensor": {"state_topic"}, "event": {"state_topic", "event_types"},
    "image": {"image_topic"}, "button": {"command_topic"}, "switch": {"command_topic"}, "number": {"command_topic"},
    "text": {"command_topic"}, "select": {"command_topic", "options"},
}  # fmt: skip
UNITS = {"duration": {"min", "h"}, "distance": {"m"}, "temperature": {"°C"}, "data_size": {"GB"}, "timestamp": {None}}
ENTITY_ID = re.compile(r"^(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)$")

# component, key, device class, unit, state class, category, disabled; as the public table has it.
TABLE = """
stream sensor count - animals measurement - -
stream binary_sensor count_off problem - - - -
stream number known_count - animals - config -
stream sensor activity - BL/min measurement - -
stream sensor moving - % measurement - -
stream sensor spacing - BL measurement - always
stream sensor longest_still duration min measurement - -
stream sensor distance distance m total_increasing - without_ground
stream sensor zone_PLACE_count - animals measurement - -
stream sensor zone_PLACE_time duration h total_increasing - -
stream sensor zone_PLACE_visits - visits total_increasing - -
stream sensor line_PLACE_entered - animals total_increasing - -
stream sensor line_PLACE_left - animals total_increasing - -
stream binary_sensor person occupancy - - - -
stream binary_sensor camera connectivity - - diagnostic -
stream binary_sensor view problem - - diagnostic -
stream switch analysis - - - - -
stream button compute - - - - cameras
stream button cancel - - - - cameras
stream button snapshot - - - - -
stream sensor progress - % measurement - -
stream image picture - - - - -
stream text input - - - config -
stream text output - - - config always
stream select model - - - config -
stream sensor error - - - diagnostic -
stream sensor fps - fps measurement diagnostic always
stream sensor last_picture timestamp - - diagnostic always
stream event event - - - - -
node binary_sensor agent connectivity - - diagnostic -
node binary_sensor problem problem - - - -
node sensor problem_text - - - diagnostic -
node sensor temperature temperature °C measurement diagnostic -
node sensor disk_free data_size GB measurement diagnostic -
node sensor backlog - records measurement diagnostic -
node sensor lost - records total_increasing diagnostic -
node sensor provider - - - diagnostic always
node sensor started timestamp - - diagnostic -
node event event - - - - -
"""


def row(entity: Entity) -> str:
    names = ("device_class", "unit_of_measurement", "state_class", "entity_category")
    options = [str(entity.options.get(name, "-")) for name in names]
    words = [entity.of, entity.component, entity.key, *options, entity.off.replace(" ", "_") or "-"]
    return " ".join(words)


def test_the_entities_are_those_of_the_table() -> None:
    assert sorted(map(row, all_entities())) == sorted(TABLE.strip().splitlines())


def test_each_file_holds_one() -> None:
    files = [file.stem for file in Path(entities.__path__[0]).glob("*.py") if file.stem != "__init__"]
    assert len(files) == len(all_entities())


@pytest.mark.parametrize("entity", all_entities(), ids=lambda entity: f"{entity.of}-{entity.key}")
def test_an_entity_says_all_that_is_needed(entity: Entity) -> None:
    assert entity.name
    assert re.search("[가-힣]", entity.korean)
    assert bool(entity.method) == (entity.component in ("button", "switch", "number", "text", "select"))
    assert ("PLACE" in entity.key) == ("PLACE" in entity.name) == bool(entity.each)
    assert "json_attributes_topic" not in entity.options
    for members in entity.payloads.values():
        assert isinstance(json.loads(f"{{{re.sub(r'{{.*?}}', '1', members)}}}"), dict)


def every_component() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (announcement["device"]["identifiers"][0], key, component)
        for announcement in announcements()
        for key, component in announcement["components"].items()
    ]


@pytest.mark.parametrize(("device", "key", "component"), every_component())
def test_a_component_keeps_the_rules_of_home_assistant(device: str, key: str, component: dict[str, Any]) -> None:
    platform = component["platform"]
    assert set(component) <= ALLOWED[platform]
    assert set(component) >= NEEDED[platform]
    assert component["unique_id"] == f"{device}_{key}"
    assert ENTITY_ID.match(component["default_entity_id"]), component["default_entity_id"]
    unit, device_class = component.get("unit_of_measurement"), component.get("device_class")
    if platform == "sensor":
        assert component.get("entity_category") != "config"
        assert device_class not in UNITS or unit in UNITS[device_class]
        assert component.get("state_class") or unit is None
    for place in ("state_topic", "command_topic", "image_topic"):
        assert not set("+#") & set(component.get(place, ""))


def test_what_a_button_says_is_a_command() -> None:
    known = components()
    assert json.loads(known["compute"]["payload_press"]) == {"stream": "pen3"}
    assert known["compute"]["command_topic"] == "farm7/herdlink/n1/cmd/Compute"
    assert json.loads(known["analysis"]["payload_off"]) == {"stream": "pen3", "enabled": False}
    template = known["known_count"]["command_template"]
    assert json.loads(template.replace("{{ value | int }}", "7")) == {"stream": "pen3", "knownCount": 7}


def test_a_file_and_a_camera() -> None:
    file, camera = stream_device(HOME, FILE)["components"], stream_device(HOME, CAMERA)["components"]
    assert set(file) - set(camera) == {"progress"}
    assert {"line_gate_entered", "zone_bed_2_time"} <= set(camera)
    off = {key for key, component in camera.items() if component.get("enabled_by_default") is False}
    assert off == {"compute", "cancel", "spacing", "distance", "output", "fps", "last_picture"}
    assert "enabled_by_default" not in file["compute"]
    assert "enabled_by_default" not in file["distance"]


def test_summaries_count_only_while_a_job_runs_and_events_always() -> None:
    known = components()
    places = [place["topic"] for place in known["count"]["availability"]]
    assert places == ["farm7/herdlink/n1/status", "farm7/herdlink/n1/stream/pen3/state"]
    assert known["count"]["availability_mode"] == "all"
    assert known["agent"]["availability"] == known["event"]["availability"] == []
    assert "availability" not in known["fps"]
    assert node_device(HOME)["availability"][0]["topic"] == "farm7/herdlink/n1/status"


def test_every_state_has_an_example() -> None:
    with_state = {key for key, component in components().items() if "value_template" in component}
    assert {key for key, _, _ in SHOWN} | {"zone_bed_2_count", "zone_bed_2_time", "zone_bed_2_visits"} == with_state


def test_the_event_types_are_those_of_the_contract() -> None:
    from bridge.cli._contract import comments

    told = set(re.findall(r"[a-z]+_[a-z]+", comments()["Event.event_type"]))
    assert told <= set(EVENT_TYPES)
