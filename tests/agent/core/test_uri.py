from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import InvalidArgument
from agent.core.uri import Parameter, is_masked, mask, path, query, scheme

CANARY = "Canary7"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/srv/video/a.mp4", "file"),
        ("a.mp4", "file"),
        ("pen 3: morning.mp4", "file"),
        ("cam:1.mp4", "file"),
        ("2026-11-23T10:00:00.avi", "file"),
        ("file:///srv/a.mp4", "file"),
        ("rtsp://h/s", "rtsp"),
        ("RTSPS://h/s", "rtsp"),
        ("http://h/s", "http"),
        ("https://h/s", "http"),
        ("v4l2:/dev/video0", "v4l2"),
        ("images:/a?fps=5", "images"),
        ("synthetic:herd", "synthetic"),
        ("rtsp:h/s", "rtsp"),
        ("ftp://h/a.mp4", "ftp"),
    ],
)
def test_scheme_names_the_module_that_opens_it(uri: str, expected: str) -> None:
    assert scheme(uri) == expected


@pytest.mark.parametrize("uri", ["", "/a\0b", "/a\nb", "rtsp://h/\r", "/a\x7f", "/\udcff.mp4", "/" + "a" * 2048])
def test_what_cannot_be_a_uri_is_refused(uri: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        scheme(uri)
    assert caught.value.reason == "BAD_URI"
    assert len(caught.value.message) < 300
    assert scheme("/" + "a" * 2047) == "file"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("rtsp://u:Canary7@h/s", "rtsp://u:***@h/s"),
        ("rtsp://:Canary7@h/s", "rtsp://:***@h/s"),
        ("RTSPS://u:Canary7@[::1]:554/s", "RTSPS://u:***@[::1]:554/s"),
        ("rtsp://u:x@Canary7@h/s", "rtsp://u:***@h/s"),
        ("rtsp://u:x/Canary7@h:554/s", "rtsp://u:***@h:554/s"),
        ("rtsp://u:x#Canary7@h/s", "rtsp://u:***@h/s"),
        ("rtsp://u:x?Canary7@h/s", "rtsp://u:***@h/s"),
        ("rtsp://u:x@a/Canary7@h/s", "rtsp://u:***@h/s"),
        ("rtsp:u:Canary7@h/s", "rtsp:u:***@h/s"),
        ("u:Canary7@10.0.0.9/s", "u:***@10.0.0.9/s"),
        ("ftp://u:Canary7@h/a", "ftp://u:***@h/a"),
        ("http://h/v?user=a&password=Canary7&x=1", "http://h/v?user=a&password=***&x=1"),
        ("http://h/v?loginuse=a&loginpas=Canary7", "http://h/v?loginuse=a&loginpas=***"),
        ("https://h/v?access_token=a/Canary7==", "https://h/v?access_token=***"),
        ("http://h/v?KEY=Canary7", "http://h/v?KEY=***"),
        ("rtsp://h:554/user=a_password=Canary7_channel=1_stream=0.sdp?real", "rtsp://h:554/user=a_password=***?real"),
        ("http://u:Canary7@h/v?pwd=Canary7", "http://u:***@h/v?pwd=***"),
    ],
)
def test_secrets_are_masked(uri: str, shown: str) -> None:
    assert mask(uri) == shown
    assert is_masked(shown)
    assert not is_masked(uri)
    assert mask(shown) == shown


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://h:554/s",
        "rtsp://[fe80::1]:554/s",
        "rtsp://u@h/s",
        "rtsp://${cam3}@10.0.0.21/s1",
        "rtsp://u:${pw}@h/s",
        "http://h/v?channel=1&stream=0",
        "/srv/video/a:b@c.mp4",
        "/srv/***.mp4",
        "file:///srv/a:b@c.mp4",
        "images:/srv/password=1?fps=5",
    ],
)
def test_what_is_no_secret_stays(uri: str) -> None:
    assert mask(uri) == uri
    assert not is_masked(uri)


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_text_breaks_the_masker_and_masking_twice_is_masking_once(text: str) -> None:
    for uri in (text, f"rtsp://{text}", f"http://h/{text}?{text}"):
        assert mask(mask(uri)) == mask(uri)
        assert not is_masked(uri) or "***" in uri


@given(st.text(st.characters(codec="ascii", exclude_characters="/?#@"), max_size=8))
def test_no_password_shows_whatever_is_around_the_canary(around: str) -> None:
    for host in ("h/s", "h:554/s?x=1", "[::1]/"):
        assert CANARY not in mask(f"rtsp://user:{around}{CANARY}{around}@{host}")


def test_a_long_hostile_text_is_masked_at_once() -> None:
    assert mask("http://h/" + "pas_" * 20_000).startswith("http://h/pas_")


def test_folder_decodes_and_wants_a_path() -> None:
    assert path("images:/srv/pen%203?fps=5") == "/srv/pen 3"
    assert path("file:///srv/a%3Fb.mp4") == "/srv/a?b.mp4"
    assert path("images:pens") == "pens"
    for bad in ("images:", "images:?fps=5", "images://srv/pens", "file:///a%00b"):
        with pytest.raises(InvalidArgument):
            path(bad)


PARAMETERS = {"fps": Parameter(5, 0.1, 60, whole=False), "animals": Parameter(20, 1, 60)}


def test_query_fills_in_defaults() -> None:
    assert query("synthetic:herd", PARAMETERS) == {"fps": 5, "animals": 20}
    assert query("synthetic:herd?animals=3&fps=0.5", PARAMETERS) == {"fps": 0.5, "animals": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("animal=3", "known: animals, fps"),
        ("animals=0", "from 1 to 60"),
        ("animals=2.5", "whole number"),
        ("fps=nan", "from 0.1 to 60"),
        ("fps=inf", "from 0.1 to 60"),
        ("fps=fast", "'fast'"),
        ("fps=", "''"),
        ("fps", "''"),
        ("animals=٣", "whole number"),
        ("&", "known"),
    ],
)
def test_query_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        query(f"synthetic:herd?{text}", PARAMETERS)
    assert caught.value.reason == "BAD_URI"
    assert told in caught.value.message
