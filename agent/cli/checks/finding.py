"""What `herdlink doctor` says: one line of OK, WARN or FAIL, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Finding(NamedTuple):
    """A plain tuple of texts, so that other programs' checks need no import of ours."""

    level: str
    """OK, WARN (works, but) or FAIL (does not work)."""
    check: str
    message: str
    cure: str = ""


Findings = Iterator[Finding]


def ok(check: str, message: str) -> Finding:
    return Finding("OK", check, message)


def warn(check: str, message: str, cure: str) -> Finding:
    return Finding("WARN", check, message, cure)


def fail(check: str, message: str, cure: str) -> Finding:
    return Finding("FAIL", check, message, cure)
