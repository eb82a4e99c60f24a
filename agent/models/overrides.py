"""What the user sets about a model: KEY=VALUE, the keys being those of the description."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from agent.core.errors import InvalidArgument
from agent.models.store import CHOICES, is_good

KEYS = (
    *("format", "layout", "colour", "scale", "mean", "std", "fit", "place", "rounding", "fill"),
    *("outputs", "constants", "source", "licence"),
)
_FRACTION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)\s*")
_ELSEWHERE = {"labels": "--labels FILE", "name": "--name", "width": "--size", "height": "--size"}


def read_overrides(words: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(keys of the description, options of the format). Raises InvalidArgument (BAD_OVERRIDE)."""
    keys: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not equals or not key or key in _ELSEWHERE:
            cure = f"set it with {_ELSEWHERE[key]}" if key in _ELSEWHERE else "write KEY=VALUE"
            raise InvalidArgument("BAD_OVERRIDE", f"--set {word[:60]!r}: {cure}")
        value = _value(text)
        if key not in KEYS:
            options[key.removeprefix("options.")] = value
            continue
        if key in ("mean", "std", "outputs") and not isinstance(value, list):
            value = [_value(part) for part in text.split(",")]
        if not is_good(key, value):
            choices = f"; known: {', '.join(CHOICES[key])}" if key in CHOICES else ""
            raise InvalidArgument("BAD_OVERRIDE", f"--set {key} cannot be {text[:60]!r}{choices}")
        keys[key] = tuple(value) if isinstance(value, list) else value
    return keys, options


def _value(text: str) -> Any:
    """A value as TOML writes it, a fraction, else the text itself."""
    fraction = _FRACTION.fullmatch(text)
    if fraction and float(fraction[2]):
        return float(fraction[1]) / float(fraction[2])
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
