"""What an input's URI says: its scheme, its folder and query, and how it is shown without its secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from agent.core.errors import InvalidArgument
from agent.core.names import shorten

MASK = "***"
MAX_LENGTH = 2048
FORMS = "a path, rtsp://host/path, http://host/path, images:/folder?fps=5 or synthetic:herd"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(/*)")
_LOCAL = ("file", "images", "synthetic", "v4l2")
_REMOTE = ("rtsp", "rtsps", "http", "https")
_SAME = {"https": "http", "rtsps": "rtsp"}
_SECRET = re.compile(r"(?i)pas|pwd|psw|token|secret|auth|credential|api_?key|signature|^(?:key|sig|pw)$")
_REFERENCE = re.compile(r"\$\{[^}]*\}")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a query may set."""

    default: float
    low: float
    high: float
    whole: bool = True


def scheme(uri: str) -> str:
    """The scheme that opens the URI, in small letters: "file" for a bare path, "http" for https, "rtsp" for rtsps.

    Raises InvalidArgument (BAD_URI) for what cannot be a URI at all; whether the scheme is known is not asked.
    """
    _check_text(uri)
    name = _name(uri)
    return _SAME.get(name, name)


def mask(uri: str) -> str:
    """The URI as it may be shown: passwords of a login and secrets of a query are ***. Never raises.

    A reference such as ${cam3} is no secret and stays. Where a password holds characters that belong encoded
    (/ ? # @), rather too much is masked than too little.
    """
    for start, end in reversed(_secrets(uri)):
        uri = uri[:start] + MASK + uri[end:]
    return uri


def is_masked(uri: str) -> bool:
    """Whether a secret of the URI is the mask, so that nothing can be opened with it."""
    return any(uri[start:end] == MASK for start, end in _secrets(uri))


def path(uri: str) -> str:
    """The path of a `scheme:/path?query` URI, percent signs decoded. Raises InvalidArgument (BAD_URI)."""
    place = uri.partition(":")[2].partition("?")[0]
    if place.startswith("//") and not place.startswith("///"):
        raise InvalidArgument("BAD_URI", f"write {_name(uri)}:/path with one slash, not {shorten(uri)}")
    found = unquote(place.removeprefix("//"))
    if not found or "\0" in found:
        raise InvalidArgument("BAD_URI", f"{shorten(uri)} names no path; write {_name(uri)}:/path")
    return found


def query(uri: str, parameters: Mapping[str, Parameter]) -> dict[str, float]:
    """Each parameter's value: from the query, or its default. Raises InvalidArgument (BAD_URI) naming what is wrong."""
    values = {name: parameter.default for name, parameter in parameters.items()}
    text = uri.partition("?")[2]
    for part in text.split("&") if text else ():
        name, _, value = part.partition("=")
        if name not in parameters:
            raise InvalidArgument(
                "BAD_URI", f"{shorten(uri)}: no parameter {name!r}; known: {', '.join(sorted(parameters))}"
            )
        values[name] = _number(uri, name, unquote(value), parameters[name])
    return values


def _check_text(uri: str) -> None:
    if not uri:
        raise InvalidArgument("BAD_URI", f"no input is named; give {FORMS}")
    if len(uri) > MAX_LENGTH:
        raise InvalidArgument("BAD_URI", f"a URI has at most {MAX_LENGTH} characters; this one has {len(uri)}")
    if any(ord(letter) < 32 or ord(letter) == 127 or 0xD800 <= ord(letter) <= 0xDFFF for letter in uri):
        raise InvalidArgument("BAD_URI", "a URI holds no line breaks and no other control characters")


def _name(uri: str) -> str:
    """The scheme as written, small. A name with a colon in it ("pen 3: morning.mp4") is a path all the same."""
    found = _SCHEME.match(uri)
    if not found:
        return "file"
    name = found[1].lower()
    return name if len(found[2]) >= 2 or name in _LOCAL or name in _REMOTE else "file"


def _secrets(uri: str) -> list[Span]:
    """Where the secrets stand, in order, none within another."""
    name = _name(uri)
    found = _SCHEME.match(uri)
    if name == "file" and not (found and found[1].lower() == "file"):
        # A camera's address whose scheme was forgotten: admin:secret@10.0.0.9/s1
        return _login(uri, 0) if ":" in uri.partition("@")[0] and "/" not in uri.partition(":")[0] else []
    if name in _LOCAL or not found:
        return []
    login = _login(uri, found.end())
    place = login[0][1] if login else found.end()
    mark = uri.find("?", place)
    end = mark if mark >= 0 else len(uri)
    spans = [*login, *_in_path(uri, place, end), *_in_query(uri, end + 1)]
    return [span for span in spans if not _REFERENCE.fullmatch(uri[span[0] : span[1]])]


def _login(uri: str, start: int) -> list[Span]:
    """The password of user:password@ at `start`."""
    authority = re.split(r"[/?#]", uri[start:], maxsplit=1)[0]
    port = authority.rpartition(":")[2] if ":" in authority.rpartition("]")[2] else ""
    if "@" not in authority and not port:
        return []
    # What looks like a port may be the beginning of a password with a raw slash in it: user:pa/ss@host.
    odd = "@" not in authority and not port.isdigit()
    end = uri.rfind("@") if odd else uri.rfind("@", start, _index(uri, "?", start))
    colon = uri.find(":", start)
    return [(colon + 1, end)] if start <= colon < end - 1 else []


def _in_path(uri: str, start: int, end: int) -> list[Span]:
    """Secrets as cheap recorders have them, in the path: /user=admin_password=..._channel=1"""
    spans = []
    for piece in re.finditer(r"[^/&;]+", uri[start:end]):
        at = 0
        for word in piece[0].split("=")[:-1]:
            at += len(word) + 1
            if _SECRET.search(word) and at < len(piece[0]):
                spans.append((start + piece.start() + at, start + piece.end()))
                break
    return spans


def _in_query(uri: str, start: int) -> list[Span]:
    spans = []
    for part in re.finditer(r"[^&]+", uri[start:]):
        name, equals, value = part[0].partition("=")
        if equals and value and _SECRET.search(name):
            spans.append((start + part.end() - len(value), start + part.end()))
    return spans


def _index(text: str, letter: str, start: int) -> int:
    found = text.find(letter, start)
    return found if found >= 0 else len(text)


def _number(uri: str, name: str, text: str, parameter: Parameter) -> float:
    try:
        value = float(text) if text.isascii() else float("nan")
    except ValueError:
        value = float("nan")
    if not parameter.low <= value <= parameter.high or (parameter.whole and value != int(value)):
        kind = "a whole number" if parameter.whole else "a number"
        raise InvalidArgument(
            "BAD_URI", f"{shorten(uri)}: {name} is {kind} from {parameter.low:g} to {parameter.high:g}, not {text!r}"
        )
    return value
