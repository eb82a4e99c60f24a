"""The names of a network's classes: in a file of the user's, or as the exporter left them in the model."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

from agent.core.errors import InvalidArgument
from agent.models.coco import COCO, coco_by_number
from agent.models.conclusions import Conclusion

MAX_LABELS = 10_000
_KEYS = ("names", "classes", "class_names", "labels")
_MAX_TEXT = 1 << 20


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Class names in the metadata: a list, a mapping from numbers, or words between commas; empty where there are none.

    Ultralytics writes a Python mapping, others JSON.
    """
    for key in _KEYS:
        text = metadata.get(key, "")
        names = _parsed(text) if text and len(text) <= _MAX_TEXT else ()
        if names and len(names) <= MAX_LABELS and all(name.isprintable() for name in names):
            return names
    return ()


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from a file, one a line. Raises InvalidArgument (LABELS_INVALID)."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidArgument("LABELS_INVALID", f"{path} cannot be read: {why}") from error
    labels = tuple(line for line in lines if line)
    if not labels or len(labels) > MAX_LABELS or not all(label.isprintable() for label in labels):
        raise InvalidArgument("LABELS_INVALID", f"{path} must hold one label a line")
    return labels


def _parsed(text: str) -> tuple[str, ...]:
    value: object = text
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(value, dict):
        value = _in_order(value)
    if isinstance(value, str):
        value = [word.strip() for word in value.replace("\n", ",").split(",") if word.strip()]
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _in_order(names: Mapping[object, object]) -> list[object]:
    """The values by their numbers, which must count from 0 without a gap."""
    try:
        numbered = {int(str(key)): value for key, value in names.items()}
    except ValueError:
        return []
    return [numbered[number] for number in sorted(numbered)] if sorted(numbered) == list(range(len(numbered))) else []


def labels_for(classes: int, given: tuple[str, ...], told: tuple[str, ...]) -> tuple[tuple[str, ...], Conclusion]:
    """The labels of so many classes: those given, those in the file, COCO's for as many as COCO has, else numbers."""
    if given:
        return given, Conclusion("labels", len(given), "said", "as given")
    if told:
        return told, Conclusion("labels", len(told), "certain", "the file's metadata name them")
    known = {len(COCO): COCO, 91: coco_by_number()}
    if classes in known:
        why = f"{classes} classes, as COCO has: its names; others with --labels"
        return known[classes], Conclusion("labels", classes, "likely", why)
    numbers = tuple(f"class {number}" for number in range(classes))
    why = "the file names none: they are numbered; name them with --labels"
    return numbers, Conclusion("labels", classes, "certain", why)
