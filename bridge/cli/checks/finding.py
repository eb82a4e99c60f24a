"""What the bridge tells `herdlink doctor`: (level, check, message, cure). Level: OK, WARN (works, but), FAIL."""

from __future__ import annotations

from collections.abc import Iterator

Finding = tuple[str, str, str, str]
Findings = Iterator[Finding]


def ok(check: str, message: str) -> Finding:
    return "OK", check, message, ""


def warn(check: str, message: str, cure: str) -> Finding:
    return "WARN", check, message, cure


def fail(check: str, message: str, cure: str) -> Finding:
    return "FAIL", check, message, cure
