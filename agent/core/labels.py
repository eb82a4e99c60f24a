"""The labels that are looked for among those that a model knows."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from agent.core.errors import InvalidArgument
from agent.core.names import shorten

_SHOWN = 20


def class_numbers(labels: Sequence[str], wanted: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Indices of the wanted labels; all where none is named. Raises InvalidArgument (UNKNOWN_LABEL)."""
    unknown = [label for label in wanted if label not in labels]
    if unknown:
        raise InvalidArgument("UNKNOWN_LABEL", _sentence(labels, unknown[0]))
    return np.array([i for i, label in enumerate(labels) if not wanted or label in wanted], np.int32)


def _sentence(labels: Sequence[str], unknown: str) -> str:
    plain = {label.lower(): label for label in labels}
    near = [plain[match] for match in get_close_matches(unknown.lower(), plain, n=3)]
    meant = f", but {' and '.join(map(repr, near))}" if near else ""
    shown = ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")
    return f"the model knows no {shorten(unknown)!r}{meant}; its labels: {shown}"
