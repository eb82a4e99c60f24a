"""Pictures of several threads in one inference."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from agent.detectors._batch import Batch


def tensor(number: int) -> np.ndarray:
    return np.full((1, 2), number, np.float32)


class Network:
    """Doubles each number; writes down what it was fed. While it is shut, it waits."""

    def __init__(self) -> None:
        self.fed: list[list[int]] = []
        self.open = threading.Event()
        self.running = threading.Event()
        self.open.set()

    def __call__(self, batch: np.ndarray) -> list[np.ndarray]:
        self.fed.append(batch[:, 0].astype(int).tolist())
        self.running.set()
        assert self.open.wait(10)
        if 13 in self.fed[-1]:
            raise ValueError("thirteen")
        return [batch * 2, batch[:, :1] + 1]


def in_threads(calls: list[Callable[[], None]]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def test_who_comes_alone_does_not_wait() -> None:
    network = Network()
    outputs = Batch(network, 4).outputs([tensor(5)])
    assert network.fed == [[5, 5, 5, 5]], "filled up with what is there"
    assert [[part.tolist() for part in one] for one in outputs] == [[[[10, 10]], [[6]]]]


def test_more_than_fit_take_turns() -> None:
    network = Network()
    outputs = Batch(network, 2).outputs([tensor(n) for n in range(5)])
    assert network.fed == [[0, 1], [2, 3], [4, 4]]
    assert [one[0][0, 0] for one in outputs] == [0, 2, 4, 6, 8]


def test_what_comes_while_it_runs_goes_together() -> None:
    network, found = Network(), dict[int, float]()
    batch = Batch(network, 3)

    def look(number: int) -> Callable[[], None]:
        def call() -> None:
            found[number] = float(batch.outputs([tensor(number)])[0][0][0, 0])

        return call

    network.open.clear()
    first = in_threads([look(1)])
    assert network.running.wait(10)
    rest = in_threads([look(number) for number in (2, 3, 4)])
    while len(batch._line) < 3:
        pass
    network.open.set()
    for thread in (*first, *rest):
        thread.join(10)
    assert found == {1: 2.0, 2: 4.0, 3: 6.0, 4: 8.0}
    assert len(network.fed) == 2 and sorted(network.fed[1]) == [2, 3, 4]


def test_an_error_reaches_everybody_in_the_batch_and_nobody_else() -> None:
    network = Network()
    batch = Batch(network, 2)
    with pytest.raises(ValueError, match="thirteen"):
        batch.outputs([tensor(12), tensor(13), tensor(14)])
    assert batch.outputs([tensor(15)])[0][0][0, 0] == 30
