from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from film import result

from agent.core.errors import FailedPrecondition
from agent.sinks.mot import open_sink


def test_rows_and_classes_are_spelled_as_in_the_interface(tmp_path: Path) -> None:
    sink = open_sink(tmp_path, labels=("pig", "cow"), fps=10)
    for index in (1, 2, 4):
        sink.write(result(index, tracks=2))
    sink.close()
    assert (tmp_path / "tracks.txt").read_text().splitlines() == [
        "1,1,11.50,50.00,30.00,40.25,0.88,0,1",
        "1,2,51.50,50.00,30.00,40.25,0.88,1,1",
        "2,1,12.50,50.00,30.00,40.25,0.88,0,1",
        "2,2,52.50,50.00,30.00,40.25,0.88,1,1",
        "4,1,14.50,50.00,30.00,40.25,0.88,0,1",
        "4,2,54.50,50.00,30.00,40.25,0.88,1,1",
    ]
    assert (tmp_path / "classes.txt").read_text() == "pig\ncow\n"


WRITER = """
import sys
from pathlib import Path
from film import result
from agent.sinks.mot import open_sink
sink = open_sink(Path(sys.argv[1]), labels=("pig", "cow"), fps=10)
index = 0
while True:
    index += 1
    sink.write(result(index))
    print(index, flush=True)
"""


def test_a_killed_program_has_lost_nothing_it_had_written(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 50:
            time.sleep(0)
        process.send_signal(signal.SIGKILL)
    rows = (tmp_path / "tracks.txt").read_text().splitlines()
    assert len(rows) >= 50
    assert all(row.count(",") == 8 for row in rows)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "tracks.txt").symlink_to("/dev/full")
    sink = open_sink(tmp_path, labels=("pig",), fps=10)
    with pytest.raises(FailedPrecondition) as caught:
        sink.write(result(1))
    assert caught.value.reason == "OUTPUT_NOT_WRITABLE"
    assert "disk is full" in caught.value.message
    with pytest.raises(FailedPrecondition):
        sink.close()
