from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    """A fresh agent, stopped at the end."""
    process = AgentProcess(tmp_path).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def shared_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """An agent for tests that leave no trace in each other's streams."""
    process = AgentProcess(tmp_path_factory.mktemp("agent")).start()
    yield process
    process.stop()
