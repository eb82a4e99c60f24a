"""Switches a stream's analysis on and off."""

from bridge.core.entity import Entity, Source

ENTITY = Entity(
    of="stream",
    component="switch",
    key="analysis",
    name="Analysis",
    korean="분석",
    source=Source.STATE,
    value="{{ 'ON' if value_json.enabled else 'OFF' }}",
    options={"state_on": "ON", "state_off": "OFF", "icon": "mdi:cctv"},
    method="SetStream",
    payloads={"payload_on": '"enabled": true', "payload_off": '"enabled": false'},
)
