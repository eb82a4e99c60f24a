"""What config/bridge.toml may say. Order: defaults < file < environment (HERDLINK_BRIDGE__MQTT__HOST) < secrets."""

from __future__ import annotations

import json
import os
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from bridge.core.commands import default_allow

CONFIG_PLACES = (Path("/etc/herdlink/bridge.toml"),)
DEFAULT_TARGET = "unix:/run/herdlink/agent.sock"


class BadSettings(Exception):
    """One sentence naming the file and the key."""


def _number(value: object) -> object:
    """The environment holds texts."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _split(value: object) -> object:
    """A list; the environment may hold it as words between commas, or as JSON."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.startswith("[") else [part.strip() for part in value.split(",") if part.strip()]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Level = Annotated[str, StringConstraints(pattern=r"^[^+#\x00]*$", max_length=256)]


class AgentSettings(_Part):
    """[[agents]]: one agent that the bridge speaks for."""

    node: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    target: Annotated[str, StringConstraints(min_length=1)] = DEFAULT_TARGET


class MqttSettings(_Part):
    """[mqtt]: the broker."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    tls: bool = False
    base: Annotated[str, StringConstraints(pattern=r"^[^+#/\x00]([^+#\x00]*[^+#/\x00])?$", max_length=256)] = "herdlink"
    version: Annotated[Literal[5, 311], BeforeValidator(_number)] = 5
    username: str = ""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30


class CommandSettings(_Part):
    """[commands]: who may do what."""

    allow: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = default_allow()
    reply_prefixes: Annotated[tuple[Level, ...], NoDecode, BeforeValidator(_split)] = ()


class SnapshotSettings(_Part):
    """[snapshot]: pictures on the broker."""

    period_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0


class HomeAssistantSettings(_Part):
    """[homeassistant]: discovery."""

    enabled: bool = True
    prefix: Annotated[str, StringConstraints(pattern=r"^[^+#/\x00][^+#\x00]*$", max_length=256)] = "homeassistant"
    language: Literal["en", "ko"] = "en"


class BridgeSettings(BaseSettings):
    """The whole of bridge.toml."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="HERDLINK_BRIDGE__", env_nested_delimiter="__"
    )

    agents: tuple[AgentSettings, ...] = (AgentSettings(),)
    secrets_dir: Path = Path("/etc/herdlink/secrets")
    mqtt: MqttSettings = MqttSettings()
    commands: CommandSettings = CommandSettings()
    snapshot: SnapshotSettings = SnapshotSettings()
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as arguments."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> BridgeSettings:
    """Settings from a file (else $HERDLINK_BRIDGE_CONFIG, else /etc/herdlink/bridge.toml, else none) and environment.

    Raises BadSettings.
    """
    path = path or _default_path()
    where = str(path) if path else "the environment"
    try:
        values = tomllib.loads(path.read_text()) if path else {}
        settings = BridgeSettings(**values)
    except OSError as error:
        raise BadSettings(f"{where} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{where} is not TOML: {error}") from error
    except SettingsError as error:
        raise BadSettings(f"a HERDLINK_BRIDGE__ variable cannot be read: {error}") from error
    except ValidationError as error:
        raise BadSettings(f"{where}: {_first(error)}") from error
    _check_agents(settings, where)
    return settings


def secret_file(settings: BridgeSettings, name: str) -> Path | None:
    """The file of a secret: systemd's credentials first, then secrets_dir; None where there is none."""
    for place in (os.environ.get("CREDENTIALS_DIRECTORY"), settings.secrets_dir):
        file = Path(place) / name if place else None
        if file is not None and file.is_file():
            return file
    return None


def mqtt_password(settings: BridgeSettings) -> str | None:
    """The secret mqtt-password; None where there is none."""
    file = secret_file(settings, "mqtt-password")
    return file.read_text().rstrip("\r\n") if file else None


def mqtt_tls(settings: BridgeSettings) -> ssl.SSLContext | None:
    """How to speak TLS with the broker; None where it is spoken to without. Raises BadSettings.

    The broker's certificate and name are always checked: against the secret mqtt-ca, else this machine's authorities.
    The secrets mqtt-cert and mqtt-key are shown to a broker that asks for them.
    """
    if not settings.mqtt.tls:
        return None
    authority, certificate, key = (secret_file(settings, name) for name in ("mqtt-ca", "mqtt-cert", "mqtt-key"))
    if (certificate is None) != (key is None):
        there, missing = ("mqtt-cert", "mqtt-key") if certificate else ("mqtt-key", "mqtt-cert")
        raise BadSettings(f"{settings.secrets_dir}: the secret {there} is there without {missing}; both are needed")
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise BadSettings(f"{authority} is no certificate in PEM form: {error}") from error
    if certificate and key:
        try:
            # A key with a passphrase would stop and ask for it.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"{certificate} and {key} are no pair in PEM form: {error}") from error
    return context


def _check_agents(settings: BridgeSettings, where: str) -> None:
    nodes = [agent.node for agent in settings.agents]
    if not nodes:
        raise BadSettings(f"{where}: agents: name at least one agent, or leave the table out for the local one")
    twice = next((node for node in nodes if nodes.count(node) > 1), None)
    if twice is not None:
        raise BadSettings(f"{where}: agents: each needs a node id of its own; {twice!r} stands there twice")
    reserved = next((node for node in nodes if node in ("all", "client")), None)
    if reserved:
        raise BadSettings(f"{where}: agents: the node id {reserved!r} is reserved; call the node something else")
    unknown = sorted(set(settings.commands.allow) - set(default_allow()) - {"AckRecords"})
    if unknown:
        raise BadSettings(
            f"{where}: commands.allow: no unary method {unknown[0]!r}; there are: {', '.join(default_allow())}"
        )


def _default_path() -> Path | None:
    named = os.environ.get("HERDLINK_BRIDGE_CONFIG")
    if named:
        return Path(named)
    return next((place for place in CONFIG_PLACES if place.exists()), None)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"no such key: {key}"
    return f"{key}: {first['msg']} (it is {first['input']!r})"
