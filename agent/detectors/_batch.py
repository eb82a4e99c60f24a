"""Pictures of several threads in one inference, for networks that take more than one at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Floats

Tensor = NDArray[Any]


@dataclass(slots=True)
class _Ticket:
    """A picture that waits for its turn."""

    tensor: Tensor
    outputs: Sequence[Floats] = ()
    error: BaseException | None = None
    done: bool = False


class Batch:
    """Fills each inference with what waits; nobody waits for a picture that may never come.

    One inference at a time: while it runs, other threads' pictures gather for the next.
    """

    def __init__(self, run: Callable[[Tensor], Sequence[Floats]], size: int) -> None:
        """`run`: one inference of `size` pictures."""
        self._run = run
        self._size = size
        self._line: deque[_Ticket] = deque()
        self._turn = threading.Lock()

    def outputs(self, tensors: Sequence[Tensor]) -> list[Sequence[Floats]]:
        """The outputs for each picture (1, ...), as if it were alone: (1, ...) each. Raises what `run` raised."""
        tickets = [_Ticket(tensor) for tensor in tensors]
        self._line.extend(tickets)
        for ticket in tickets:
            while not ticket.done:
                with self._turn:
                    # What is not done by now is still in the line: tickets leave it within a turn only.
                    if not ticket.done:
                        self._next()
            if ticket.error is not None:
                raise ticket.error
        return [ticket.outputs for ticket in tickets]

    def _next(self) -> None:
        taken = [self._line.popleft() for _ in range(min(self._size, len(self._line)))]
        try:
            outputs = self._run(fill([ticket.tensor for ticket in taken], self._size))
            for number, ticket in enumerate(taken):
                ticket.outputs = [output[number : number + 1] for output in outputs]
        except BaseException as error:  # noqa: BLE001 (each thread raises it for its own picture)
            for ticket in taken:
                ticket.error = error
        for ticket in taken:
            ticket.done = True


def fill(tensors: Sequence[Tensor], size: int) -> Tensor:
    """Pictures (1, ...) as one tensor (size, ...); the last stands in for those that are missing, so that a network
    whose steps of quantisation hang on all it sees says of it what it would say alone.
    """
    return np.concatenate([*tensors, *[tensors[-1]] * (size - len(tensors))])
