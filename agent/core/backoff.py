"""Pauses between tries."""

from __future__ import annotations


class Backoff:
    """Pauses that double from `first_s` up to `longest_s`, and begin anew after a success."""

    def __init__(self, *, first_s: float = 0.5, longest_s: float = 30.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def pause_s(self) -> float:
        """How long to wait before the next try."""
        pause, self._next_s = self._next_s, min(self._next_s * 2, self._longest_s)
        return pause

    def reset(self) -> None:
        """A try went well."""
        self._next_s = self._first_s
