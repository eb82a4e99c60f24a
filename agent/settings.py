"""What config/agent.toml may say. Order: defaults < file < environment (HERDLINK_AGENT__RPC__LISTEN) < secrets."""

from __future__ import annotations

import json
import os
import socket
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from agent.core import scene, scene_check
from agent.core.errors import HerdlinkError, InvalidArgument
from agent.core.names import node_from_host, node_id, stream_id

CONFIG_PLACES = (Path("/etc/herdlink/agent.toml"),)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _split(value: Any) -> Any:
    """A list; the environment may hold it as words between commas, or as JSON."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.startswith("[") else [part.strip() for part in value.split(",")]


def _checked_name(check: Any) -> Any:
    def validate(value: str) -> str:
        try:
            return str(check(value)) if value else value
        except HerdlinkError as error:
            raise ValueError(error.message) from error

    return AfterValidator(validate)


Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class RpcSettings(_Part):
    """[rpc]: where the agent listens."""

    listen: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = (
        "unix:/run/herdlink/agent.sock",
        "127.0.0.1:50051",
    )
    insecure: bool = False


class ModelSettings(_Part):
    """[model]: what finds the animals."""

    name: str = "yolov4-tiny"
    provider: Literal["auto", "cpu", "cuda", "tensorrt", "openvino"] = "auto"
    threads: Annotated[int, Field(ge=0, le=256)] = 0


class EmbedderSettings(_Part):
    """[embedder]: how animals are told apart by their looks."""

    name: Literal["none", "histogram", "onnx"] = "none"
    model: str = ""


class SummarySettings(_Part):
    """[summary]: how often numbers are made."""

    period_s: Seconds = 10.0
    tracks: bool = True


class JournalSettings(_Part):
    """[journal]: how much of the past is kept."""

    records: Annotated[int, Field(ge=1000, le=10_000_000)] = 100_000
    days: Annotated[float, Field(gt=0, le=36_500)] = 90.0
    min_free_mb: Annotated[float, Field(ge=0, le=1e9)] = 500.0


class SnapshotSettings(_Part):
    """[snapshot]: the size of the pictures sent."""

    period_s: Seconds = 60.0
    width: Annotated[int, Field(ge=64, le=7680)] = 640


class OutputSettings(_Part):
    """[output]: which files a job leaves."""

    video: Literal["off", "files", "all"] = "files"


SharePoint = tuple[Share, Share]


class ZoneSettings(_Part):
    """A named polygon."""

    name: str
    polygon: tuple[SharePoint, ...]
    tell_visits: bool = False


class LineSettings(_Part):
    """A named segment; `inside` is a point of the side that is entered."""

    name: str
    start: SharePoint
    end: SharePoint
    inside: SharePoint


class GroundSettings(_Part):
    """Four points whose places on the ground are known."""

    points: tuple[SharePoint, ...] = ()
    width_m: float = 0.0
    length_m: float = 0.0
    metres: tuple[tuple[float, float], ...] = ()


class SceneSettings(_Part):
    """[streams.NAME.scene]: what SetScene takes, with points as [x, y]."""

    area: tuple[SharePoint, ...] = ()
    zones: tuple[ZoneSettings, ...] = ()
    lines: tuple[LineSettings, ...] = ()
    ground: GroundSettings = GroundSettings()

    @model_validator(mode="after")
    def _can_be_meant(self) -> SceneSettings:
        try:
            scene_check.check(scene.read(self.model_dump()))
        except HerdlinkError as error:
            raise ValueError(error.message) from error
        return self


class StreamSettings(_Part):
    """[streams.NAME]: one input. A value of None was not set: the default holds."""

    name: str | None = None
    area: str | None = None
    input: str | None = None
    output: str | None = None
    enabled: bool | None = None
    labels: tuple[str, ...] | None = None
    threshold: Share | None = None
    max_fps: Annotated[float, Field(ge=0, le=1000)] | None = None
    known_count: Annotated[int, Field(ge=0, le=100_000)] | None = None
    model: str | None = None
    tracker: str | None = None
    summary_period_s: Seconds | None = None
    rest_s: Annotated[float, Field(ge=0, le=60)] | None = None
    scene: SceneSettings | None = None


StreamName = Annotated[str, _checked_name(stream_id)]


class AgentSettings(BaseSettings):
    """The whole of agent.toml."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="HERDLINK_AGENT__", env_nested_delimiter="__"
    )

    node: Annotated[str, _checked_name(node_id)] = ""
    state_dir: Path = Path("/var/lib/herdlink")
    media_roots: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)] = (Path("/srv/video"),)
    output_root: Path = Path("/var/lib/herdlink/results")
    secrets_dir: Path = Path("/etc/herdlink/secrets")
    rpc: RpcSettings = RpcSettings()
    model: ModelSettings = ModelSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    summary: SummarySettings = SummarySettings()
    journal: JournalSettings = JournalSettings()
    snapshot: SnapshotSettings = SnapshotSettings()
    output: OutputSettings = OutputSettings()
    streams: dict[StreamName, StreamSettings] = {}

    @property
    def node_name(self) -> str:
        """The node's id: as set, or made of the host name."""
        return self.node or node_from_host(socket.gethostname())

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


def load_settings(path: Path | None = None) -> AgentSettings:
    """Settings from a file (else $HERDLINK_AGENT_CONFIG, else /etc/herdlink/agent.toml, else none) and the environment.

    Raises InvalidArgument (BAD_SETTINGS) naming the file and the key.
    """
    path = path or _default_path()
    where = str(path) if path else "the environment"
    try:
        values = tomllib.loads(path.read_text()) if path else {}
        return AgentSettings(**values)
    except OSError as error:
        raise InvalidArgument("BAD_SETTINGS", f"{where} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidArgument("BAD_SETTINGS", f"{where} is not TOML: {error}") from error
    except SettingsError as error:
        raise InvalidArgument("BAD_SETTINGS", f"a HERDLINK_AGENT__ variable cannot be read: {error}") from error
    except ValidationError as error:
        raise InvalidArgument("BAD_SETTINGS", f"{where}: {_first(error)}") from error


def _default_path() -> Path | None:
    named = os.environ.get("HERDLINK_AGENT_CONFIG")
    if named:
        return Path(named)
    return next((place for place in CONFIG_PLACES if place.exists()), None)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"no such key: {key}"
    return f"{key}: {first['msg']} (it is {first['input']!r})"
