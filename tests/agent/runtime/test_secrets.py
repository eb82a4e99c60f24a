from pathlib import Path

import pytest

from agent.core.errors import FailedPrecondition
from agent.runtime.secrets import expand


def test_a_secret_takes_the_place_of_its_name_encoded_for_a_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "cam3").write_text("user:p/a@s:s\n")
    assert expand("rtsp://${cam3}@10.0.0.1/s", tmp_path) == "rtsp://user:p%2Fa%40s%3As@10.0.0.1/s"
    assert expand("/plain/path", tmp_path) == "/plain/path"


def test_systemd_credentials_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "cam").write_text("a:b")
    (tmp_path / "cam").write_text("c:d")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert expand("${cam}", tmp_path) == "a:b"


def test_a_missing_secret_is_named_with_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(FailedPrecondition, match=f"no secret cam9: .* in {tmp_path}"):
        expand("rtsp://${cam9}@h/", tmp_path)
