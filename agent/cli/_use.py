"""Wrong use of the command line, as against work that fails: exit status 2."""

from __future__ import annotations

from types import ModuleType

from agent import plugins
from agent.core.errors import HerdlinkError, InvalidArgument


class WrongUse(InvalidArgument):
    """An option has a value that it cannot have, or does not go with another one."""

    def __init__(self, message: str) -> None:
        super().__init__("BAD_USE", message)


def load_tracker(name: str) -> ModuleType:
    """The tracker that an option names. Raises WrongUse."""
    try:
        return plugins.load("agent.core.trackers", name, "tracker")
    except HerdlinkError as error:
        raise WrongUse(error.message) from error
