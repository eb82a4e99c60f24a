"""Home Assistant's own MQTT code as the judge; runs in an environment of its own (see test_real_homeassistant.py).

Reads JSON from standard input: {"announcements": [...], "states": [[component config, payload, expected], ...],
"blueprints": [text, ...], "activities": [[blueprint, means, whether they are low], ...]}. Prints what is wrong.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from datetime import timedelta
from typing import Any

from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA, SHARED_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util import dt as dt_util
from homeassistant.util import yaml as yaml_util


def judge_announcement(announcement: dict[str, Any]) -> list[str]:
    wrong: list[str] = []
    DEVICE_DISCOVERY_SCHEMA(announcement)
    for key, component in announcement["components"].items():
        config = dict(component)
        platform = config.pop("platform")
        if not config:
            continue
        config["device"], config["origin"] = announcement["device"], announcement["origin"]
        for option in SHARED_OPTIONS:
            if option in announcement and option not in config:
                config[option] = announcement[option]
        module = importlib.import_module(f"homeassistant.components.mqtt.{platform}")
        try:
            result = module.DISCOVERY_SCHEMA(config)
        except Exception as error:  # noqa: BLE001
            wrong.append(f"{platform} {key}: {error}")
            continue
        lost = set(config) - set(result) - {"default_entity_id"}
        wrong += [f"{platform} {key}: {option} is not known" for option in lost]
    return wrong


def judge_blueprint(text: str) -> list[str]:
    from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
    from homeassistant.components.blueprint.models import Blueprint

    Blueprint(yaml_util.parse_yaml(text), expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA)
    return []


def judge_state(hass: HomeAssistant, template: str, payload: str, expected: str) -> list[str]:
    rendered = Template(template, hass).async_render_with_possible_json_value(payload, "ERROR", parse_result=False)
    return [] if str(rendered) == expected else [f"{template} of {payload[:200]} gives {rendered!r}, not {expected!r}"]


def judge_activity(hass: HomeAssistant, text: str, means: list[float | None], expected: bool) -> list[str]:
    """`means`: of the last hour, of the same hour the day before, and so on."""
    values: dict[str, Any] = yaml_util.parse_yaml(text)["actions"][1]["variables"]
    hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    rows = [{"start": (hour - timedelta(days=day)).isoformat(), "mean": mean} for day, mean in enumerate(means)]
    rows = [{key: value for key, value in row.items() if value is not None} for row in rows]
    rows.append({"start": (hour - timedelta(hours=5)).isoformat(), "mean": 1000.0})
    known: dict[str, Any] = {"entity": "sensor.a", "percent": 40, "days": 3, "kept": {"statistics": {"sensor.a": rows}}}
    for name, template in values.items():
        known[name] = Template(template, hass).async_render(known)
    return [] if known["low"] is expected else [f"{means}: {known}"]


async def main() -> None:
    given = json.load(sys.stdin)
    hass = HomeAssistant("/tmp")
    wrong: list[str] = []
    for announcement in given["announcements"]:
        wrong += judge_announcement(announcement)
    for template, payload, expected in given["states"]:
        wrong += judge_state(hass, template, payload, expected)
    for text, means, expected in given["activities"]:
        wrong += judge_activity(hass, text, means, expected)
    for text in given["blueprints"]:
        try:
            wrong += judge_blueprint(text)
        except Exception as error:  # noqa: BLE001
            wrong.append(f"blueprint {text.splitlines()[1]}: {type(error).__name__}: {error}")
    from homeassistant.const import __version__

    print(json.dumps({"version": __version__, "wrong": wrong}))


asyncio.run(main())
