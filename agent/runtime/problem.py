"""An error in the form that is kept."""

from __future__ import annotations

import logging
import secrets
import time

from agent.core.errors import HerdlinkError
from agent.core.types import Problem

log = logging.getLogger(__name__)


def problem(error: Exception, method: str) -> Problem:
    """Of a bug it tells an id; the traceback is in the log alone."""
    if isinstance(error, HerdlinkError):
        return Problem(error.code, error.reason, error.message, method, time.time())
    error_id = secrets.token_hex(4)
    log.error("error %s in %s", error_id, method, exc_info=error)
    message = f"the agent has failed (error {error_id}); its log says more; please report it"
    return Problem("INTERNAL", "BUG", message, method, time.time())
