"""Commands that are safe to repeat: the answer is kept with the effect, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from agent.core.errors import InvalidArgument
from agent.journal import Journal

CALLER_KEY = "herdlink-caller"
REQUEST_ID_LIMIT = 128

Answer = TypeVar("Answer", bound=Message)


def do_once(
    journal: Journal, context: Any, request: Any, answer_type: type[Answer], action: Callable[[], Answer]
) -> Answer:
    """The answer of `action`, or the first answer where (caller, method, request_id) was answered before.

    `action` runs within the transaction and must not wait. Only successes are kept.
    """
    if not request.request_id:
        with journal.transaction():
            return action()
    if len(request.request_id) > REQUEST_ID_LIMIT:
        raise InvalidArgument("BAD_REQUEST_ID", f"a request_id has at most {REQUEST_ID_LIMIT} characters")
    caller = dict(context.invocation_metadata() or ()).get(CALLER_KEY, "")
    key = (str(caller), type(request).__name__.removesuffix("Request"), request.request_id)
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    with journal.transaction():
        known = journal.answer(*key)
        if known is None:
            answer = action()
            journal.remember(*key, digest=digest, answer=answer.SerializeToString())
            return answer
    if known[0] != digest:
        raise InvalidArgument(
            "REQUEST_ID_REUSED", f"request_id {request.request_id!r} was used for another {key[1]}; choose a new one"
        )
    return answer_type.FromString(known[1])
