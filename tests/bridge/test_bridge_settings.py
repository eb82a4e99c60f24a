from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from bridge.settings import BadSettings, BridgeSettings, load_settings, mqtt_password

REFERENCE = Path(__file__).parents[2] / "config" / "bridge.toml"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HERDLINK_BRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def test_the_reference_names_every_key_with_its_default_and_nothing_else() -> None:
    assert tomllib.loads(REFERENCE.read_text()) == BridgeSettings().model_dump(mode="json")


def test_every_key_of_the_reference_is_explained() -> None:
    above = ""
    for line in REFERENCE.read_text().splitlines():
        if " = " in line and not line.startswith(("#", " ")):
            assert above.startswith("#"), f"{line} has no comment"
        above = line


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[mqtt]\nhost = "10.0.0.1"\nport = 1884\n')
    monkeypatch.setenv("HERDLINK_BRIDGE__MQTT__HOST", "10.0.0.2")
    settings = load_settings(file)
    assert (settings.mqtt.host, settings.mqtt.port) == ("10.0.0.2", 1884)


def test_the_environment_can_say_all_that_the_file_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERDLINK_BRIDGE__MQTT__VERSION", "311")
    monkeypatch.setenv("HERDLINK_BRIDGE__MQTT__PORT", "8883")
    monkeypatch.setenv("HERDLINK_BRIDGE__MQTT__TLS", "true")
    monkeypatch.setenv("HERDLINK_BRIDGE__COMMANDS__ALLOW", "GetInput, GetNode")
    monkeypatch.setenv("HERDLINK_BRIDGE__COMMANDS__REPLY_PREFIXES", '["node-red/in"]')
    monkeypatch.setenv("HERDLINK_BRIDGE__AGENTS", '[{"node": "n7", "target": "10.0.0.7:50051"}]')
    settings = load_settings()
    assert (settings.mqtt.version, settings.mqtt.port, settings.mqtt.tls) == (311, 8883, True)
    assert settings.commands.allow == ("GetInput", "GetNode")
    assert settings.commands.reply_prefixes == ("node-red/in",)
    assert [(agent.node, agent.target) for agent in settings.agents] == [("n7", "10.0.0.7:50051")]
    monkeypatch.setenv("HERDLINK_BRIDGE__COMMANDS__REPLY_PREFIXES", "a/#")
    with pytest.raises(BadSettings, match="reply_prefixes"):
        load_settings()
    monkeypatch.setenv("HERDLINK_BRIDGE__COMMANDS__REPLY_PREFIXES", "[no")
    with pytest.raises(BadSettings, match="reply_prefixes"):
        load_settings()


@pytest.mark.parametrize("base", ["a", "ab", "farm7/herdlink", "농장/1"])
def test_a_base_is_any_topic(tmp_path: Path, base: str) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(f'[mqtt]\nbase = "{base}"\n')
    assert load_settings(file).mqtt.base == base


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mqt]\n", "no such key: mqt"),
        ("[mqtt]\nprot = 1\n", "no such key: mqtt.prot"),
        ("[mqtt]\nport = 70000\n", "mqtt.port"),
        ("[mqtt]\nversion = 4\n", "mqtt.version"),
        ('[mqtt]\nbase = "a/#"\n', "mqtt.base"),
        ("agents = []\n", "name at least one agent"),
        ('[[agents]]\nnode = "a"\n[[agents]]\nnode = "a"\n', "'a' stands there twice"),
        ('[[agents]]\nnode = "client"\n', "reserved"),
        ('[commands]\nallow = ["Reboot"]\n', "no unary method 'Reboot'"),
        ("[mqtt\n", "is not TOML"),
    ],
)
def test_bad_settings_name_the_file_and_the_key(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(text)
    with pytest.raises(BadSettings) as caught:
        load_settings(file)
    assert told in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_password_is_a_secret_and_systemds_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = BridgeSettings(secrets_dir=tmp_path)
    assert mqtt_password(settings) is None
    (tmp_path / "mqtt-password").write_text("from the folder\n")
    assert mqtt_password(settings) == "from the folder"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt-password").write_text("from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert mqtt_password(settings) == "from systemd"
