import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agent.core.errors import InvalidArgument
from agent.runtime.streams import KEYS, StreamValues
from agent.settings import AgentSettings, SceneSettings, StreamSettings, load_settings

REFERENCE = Path(__file__).parents[2] / "config" / "agent.toml"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HERDLINK_AGENT_CONFIG", "HERDLINK_AGENT__NODE", "HERDLINK_AGENT__RPC__LISTEN"):
        monkeypatch.delenv(name, raising=False)


def plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


def test_the_reference_names_every_key_with_its_default_and_nothing_else() -> None:
    written = tomllib.loads(REFERENCE.read_text())
    defaults = plain(AgentSettings())
    assert defaults.pop("streams") == {}
    assert written == defaults


def test_the_reference_shows_every_key_of_a_stream_with_its_default() -> None:
    lines = REFERENCE.read_text().split("# [streams.pen3]\n")[1].split("# [streams.pen3.scene]\n")[0].splitlines()
    shown = tomllib.loads(
        "\n".join(line.removeprefix("# ") for line in lines if " = " in line and not line.startswith("#  "))
    )
    assert tuple(shown) == KEYS == tuple(StreamSettings.model_fields)
    defaults = StreamValues()
    for key, value in shown.items():
        expected = getattr(defaults, key)
        if key == "summary_period_s":
            expected = AgentSettings().summary.period_s
        if key == "scene":
            expected = {}
        assert value == (list(expected) if isinstance(expected, tuple) else expected), key


def test_the_reference_shows_a_scene_that_can_be_set(tmp_path: Path) -> None:
    shown = REFERENCE.read_text().split("# [streams.pen3.scene]\n")[1].replace("# ", "")
    file = tmp_path / "agent.toml"
    file.write_text("[streams.pen3.scene]\n" + shown)
    scene = load_settings(file).streams["pen3"].scene
    assert scene is not None
    assert [place.name for place in (*scene.zones, *scene.lines)] == ["feeder", "gate"]
    assert tuple(tomllib.loads(shown)) == tuple(SceneSettings.model_fields)


def test_every_key_of_the_reference_is_explained() -> None:
    above = ""
    for line in REFERENCE.read_text().splitlines():
        if " = " in line and not line.startswith("#"):
            assert above.startswith("#"), f"{line} has no comment"
        above = line


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('node = "a"\n[rpc]\nlisten = ["127.0.0.1:1"]\n[model]\nname = "x"\n')
    monkeypatch.setenv("HERDLINK_AGENT__RPC__LISTEN", "unix:/tmp/x.sock, 127.0.0.1:2")
    settings = load_settings(file)
    assert settings.rpc.listen == ("unix:/tmp/x.sock", "127.0.0.1:2")
    assert (settings.node, settings.model.name) == ("a", "x")
    monkeypatch.setenv("HERDLINK_AGENT__RPC__LISTEN", '["127.0.0.1:3"]')
    monkeypatch.setenv("HERDLINK_AGENT__MEDIA_ROOTS", "/srv/a,/srv/b")
    monkeypatch.setenv("HERDLINK_AGENT__STREAMS__PEN3__KNOWN_COUNT", "20")
    settings = load_settings(file)
    assert settings.rpc.listen == ("127.0.0.1:3",)
    assert settings.media_roots == (Path("/srv/a"), Path("/srv/b"))
    assert settings.streams["pen3"].known_count == 20
    monkeypatch.setenv("HERDLINK_AGENT__MEDIA_ROOTS", "[/srv/a")
    with pytest.raises(InvalidArgument, match="media_roots"):
        load_settings(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nodes = 1", "no such key: nodes"),
        ("[rpc]\nport = 1", "no such key: rpc.port"),
        ('node = "all"', "reserved"),
        ('node = "a b"', "letters"),
        ('[streams."a b"]\ninput = ""', "letters"),
        ("[streams.a]\nthreshold = 2", "streams.a.threshold"),
        ('[model]\nprovider = "magic"', "model.provider"),
        ("[summary\n", "is not TOML"),
        ("[streams.a.scene]\narea = [[0, 0], [1, 0]]", "streams.a.scene.*polygon of 3 to 64 points"),
        ("[streams.a.scene]\narea = [[0, 0], [1, 0], [1, 2]]", "streams.a.scene.area"),
        ("[streams.a.scene]\ngrass = 1", "no such key: streams.a.scene.grass"),
    ],
)
def test_bad_settings_name_the_file_and_the_key(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(InvalidArgument, match=told) as caught:
        load_settings(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"none\.toml cannot be read"):
        load_settings(tmp_path / "none.toml")


def test_a_host_name_becomes_a_node_id(monkeypatch: pytest.MonkeyPatch) -> None:
    for host, node in (("Barn.local", "Barn"), ("süd 1", "s-d-1"), ("all", "all-node"), ("...", "node")):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        assert AgentSettings().node_name == node


@pytest.mark.parametrize("profile", sorted(path.name for path in (REFERENCE.parent / "profiles").glob("*.toml")))
def test_a_profile_can_be_loaded(profile: str) -> None:
    file = REFERENCE.parent / "profiles" / profile
    said = tomllib.loads(file.read_text())["model"]
    assert load_settings(file).model.model_dump(include=set(said)) == said
