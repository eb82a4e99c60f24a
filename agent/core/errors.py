"""Everything that can go wrong and be told to a caller.

    HerdlinkError                 never raised itself
      InvalidArgument             INVALID_ARGUMENT     mend the request
      NotFound                    NOT_FOUND            no such thing
      FailedPrecondition          FAILED_PRECONDITION  not in this state
      ResourceExhausted           RESOURCE_EXHAUSTED   too big or too many: try later
      Unavailable                 UNAVAILABLE          camera or peer out of reach: try again
      PermissionDenied            PERMISSION_DENIED    not allowed here
      Unimplemented               UNIMPLEMENTED        no such method

Each carries a reason in capitals for programs and a sentence for people that says what to do. The words of gRPC are
given by `code`; agent/rpc/errors.py turns them into a status at the one border. Any other exception is our bug.
"""

from __future__ import annotations

from typing import ClassVar


class HerdlinkError(Exception):
    """An error that a caller can understand: `reason` in capitals, a sentence that says what to do."""

    code: ClassVar[str]

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class InvalidArgument(HerdlinkError):
    """The request must be mended."""

    code = "INVALID_ARGUMENT"


class NotFound(HerdlinkError):
    """There is no such thing."""

    code = "NOT_FOUND"


class FailedPrecondition(HerdlinkError):
    """Not possible in this state."""

    code = "FAILED_PRECONDITION"


class ResourceExhausted(HerdlinkError):
    """Too big or too many."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(HerdlinkError):
    """Out of reach at the moment."""

    code = "UNAVAILABLE"


class PermissionDenied(HerdlinkError):
    """Not allowed on this node."""

    code = "PERMISSION_DENIED"


class Unimplemented(HerdlinkError):
    """There is no such method."""

    code = "UNIMPLEMENTED"
