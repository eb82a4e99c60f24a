from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from mosquitto_process import Mosquitto

# A shell's background job ignores Ctrl-C, and so would all programs that the tests start and end by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker for all tests that use topics of their own."""
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto")).start()
    yield broker
    broker.stop()


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker for a test that kills it."""
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()
