"""What was found out about a model: each conclusion with how sure it is and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.core.errors import InvalidArgument

Sure = Literal["said", "certain", "likely"]
"""said: the user set it; certain: it can be seen in the file; likely: as such networks usually have it."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One thing that was concluded."""

    key: str
    """Of the description (ModelSpec)."""
    value: object
    sure: Sure
    why: str


def ask(key: str, choices: Sequence[str], why: str) -> InvalidArgument:
    """The error of what cannot be told: the user must choose."""
    listed = " or ".join(f"--set {key}={choice}" for choice in choices)
    return InvalidArgument("MODEL_UNCLEAR", f"{why}; it can be read in more than one way, choose: {listed}")
