"""The thread that writes one job's files, so that encoding a video does not hold up the model."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from agent.core.errors import FailedPrecondition, HerdlinkError
from agent.core.ports import Sink
from agent.core.types import Record, Result
from agent.runtime.figures import Figures
from agent.runtime.mailbox import Closed, Mailbox

log = logging.getLogger(__name__)


class Writer:
    """Feeds results and records to the sinks. A sink that fails is closed and the first failure kept in `error`; the
    others go on, and so does the analysis.
    """

    def __init__(self, sinks: Sequence[Sink], *, lossless: bool, figures: Figures) -> None:
        self.error: HerdlinkError | None = None
        self._sinks = list(sinks)
        self._figures = figures
        self._results: Mailbox[Result] = Mailbox(size=4, lossless=lossless)
        self._records: deque[Record] = deque()
        self._thread = threading.Thread(target=self._work, name="write")
        self._thread.start()

    def write(self, result: Result) -> None:
        self._results.put(result)

    def record(self, record: Record) -> None:
        self._records.append(record)

    def close(self) -> None:
        """Writes what is left, finishes the files and waits for it."""
        self._results.close()
        self._thread.join()

    def _work(self) -> None:
        try:
            while True:
                result = self._results.get(timeout_s=1.0)
                self._write_records()
                if result is not None:
                    with self._figures.stage("write"):
                        for sink in tuple(self._sinks):
                            self._guard(sink, partial(sink.write, result))
        except Closed:
            self._write_records()
            for sink in tuple(self._sinks):
                self._guard(sink, sink.close)

    def _write_records(self) -> None:
        while self._records:
            record = self._records.popleft()
            for sink in tuple(self._sinks):
                self._guard(sink, partial(sink.record, record))

    def _guard(self, sink: Sink, action: Callable[[], None]) -> None:
        try:
            action()
        except (HerdlinkError, OSError) as error:
            self._give_up(sink, error)

    def _give_up(self, sink: Sink, error: Exception) -> None:
        self._sinks.remove(sink)
        if not isinstance(error, HerdlinkError):
            error = FailedPrecondition("OUTPUT_NOT_WRITABLE", f"a result file cannot be written: {error}")
        log.warning("%s", error)
        self.error = self.error or error
        try:
            sink.close()
        except (HerdlinkError, OSError):
            log.debug("a sink that had failed did not close cleanly", exc_info=True)
