"""A whole Home Assistant with its MQTT integration; runs in an environment of its own (see test_real_homeassistant.py).

house.py FOLDER BROKER_PORT HTTP_PORT: keeps FOLDER/states.json up to date, {"states": {id: state}, "devices": [name]},
and carries out each line of standard input, [domain, service, data]. Ends with standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry
from homeassistant.setup import async_setup_component

BASICS: dict[str, Any] = {
    "created_at": "2024-01-01T00:00:00+00:00", "modified_at": "2024-01-01T00:00:00+00:00", "disabled_by": None,
    "discovery_keys": {}, "domain": "mqtt", "entry_id": "01JHERDLINK0000000000000000", "minor_version": 1,
    "options": {}, "pref_disable_new_entities": False, "pref_disable_polling": False, "source": "user",
    "subentries": [], "title": "broker", "unique_id": None, "version": 1,
}  # fmt: skip


def remember_broker(folder: Path, port: int) -> None:
    """As somebody would have entered it in the browser."""
    entry = {**BASICS, "data": {"broker": "127.0.0.1", "port": port}}
    (folder / ".storage").mkdir(parents=True)
    whole = {"version": 1, "minor_version": 5, "key": "core.config_entries", "data": {"entries": [entry]}}
    (folder / "configuration.yaml").write_text("")
    (folder / ".storage" / "core.config_entries").write_text(json.dumps(whole))


async def start(folder: Path, http_port: int) -> HomeAssistant:
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.config.skip_pip = True
    hass.auth = await auth_manager_from_config(hass, [], [])
    await async_setup_component(hass, "homeassistant", {})
    await async_setup_component(hass, "http", {"http": {"server_host": "127.0.0.1", "server_port": http_port}})
    for entry in hass.config_entries.async_entries("mqtt"):
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_start()
    return hass


def write_states(hass: HomeAssistant, file: Path) -> None:
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    devices = [device.name for device in device_registry.async_get(hass).devices.values()]
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"states": states, "devices": devices}))
    part.replace(file)


async def main() -> None:
    folder = Path(sys.argv[1])
    remember_broker(folder, int(sys.argv[2]))
    hass = await start(folder, int(sys.argv[3]))
    reader = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    while True:
        write_states(hass, folder / "states.json")
        await asyncio.wait({reader}, timeout=0.5)
        if reader.done():
            if not reader.result():
                break
            domain, service, data = json.loads(reader.result())
            await hass.services.async_call(domain, service, data, blocking=True)
            reader = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    await hass.async_stop()


asyncio.run(main())
