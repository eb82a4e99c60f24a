"""What could not be written to the journal and is tried again: a full disk holds up no analysis and loses no state."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.core.errors import HerdlinkError, ResourceExhausted

log = logging.getLogger(__name__)


class Owed:
    """Actions in the order in which they are owed. Lives on the loop's thread."""

    def __init__(self) -> None:
        self._due: list[Callable[[], bool]] = []

    def do(self, what: str, action: Callable[[], object]) -> None:
        """Does it now, or as soon as the journal can be written again. Another error ends it and is logged."""
        if not self._try(what, action):
            self._due.append(lambda: self._try(what, action))

    def settle(self) -> None:
        """Tries again what is owed. Not within a transaction, which one failure would bring down."""
        due, self._due = self._due, []
        left = [action for action in due if not action()]
        self._due = left + self._due

    def __len__(self) -> int:
        return len(self._due)

    def _try(self, what: str, action: Callable[[], object]) -> bool:
        """Whether it is over with."""
        try:
            action()
        except ResourceExhausted as error:
            log.debug("%s: %s", what, error)
            return error.reason != "JOURNAL_UNWRITABLE"
        except HerdlinkError as error:
            log.error("%s: %s", what, error)
        return True
