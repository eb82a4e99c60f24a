"""The decode thread of one job: keeps a source open and its frames coming."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from agent.core.backoff import Backoff
from agent.core.errors import HerdlinkError, Unavailable
from agent.core.ports import Source
from agent.core.types import Frame, InputInfo
from agent.runtime.figures import Figures
from agent.runtime.mailbox import Closed, Mailbox

log = logging.getLogger(__name__)

GROUP = 4
GROUP_BYTES = 4 << 20
GROUP_S = 0.1


class Intake:
    """Reads a source into a mailbox. A file is read once; a camera that is lost is opened again, with growing pauses.

    `error` says why the frames ended early; None after a clean end.
    """

    def __init__(
        self,
        *,
        open_source: Callable[[], Source],
        live: bool,
        max_fps: float,
        on_lost: Callable[[HerdlinkError], None],
        figures: Figures,
    ) -> None:
        self.mailbox: Mailbox[Sequence[Frame]] = Mailbox(size=1, lossless=not live)
        """Pictures in groups: see runtime/ahead.py."""
        self.info: InputInfo | None = None
        self.error: Exception | None = None
        self.picture_s = 0.0
        """What the model takes for a picture; 0 until that is known. Written by the job's thread."""
        self._open_source = open_source
        self._live = live
        self._max_fps = max_fps
        self._on_lost = on_lost
        self._figures = figures
        self._source: Source | None = None
        self._taken = 0
        self._next_time = float("-inf")
        self._stopping = threading.Event()
        # A decoder can hang for ever in a driver or a socket; a daemon can be left behind.
        self._thread = threading.Thread(target=self._work, name="decode", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the frames at once. From any thread, also twice."""
        self._stopping.set()
        self.mailbox.close(discard=True)
        source = self._source
        if source is not None:
            source.close()

    def join(self, timeout_s: float) -> None:
        """Waits for the thread; one that hangs in its decoder is left behind, and said so."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.warning("the decoder hangs; it is left behind and a new one is made for the next job")

    def _work(self) -> None:
        try:
            self._read_until_over()
        except Closed:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the job, which tells it
            self.error = error
        finally:
            self.mailbox.close()

    def _read_until_over(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            taken = self._taken
            try:
                self._read_once()
                if not self._live:
                    return
                lost: HerdlinkError = Unavailable("CAMERA_LOST", "the camera's stream has ended; trying again")
            except HerdlinkError as error:
                if not self._live:
                    raise
                lost = error
            if self._stopping.is_set():
                return
            if self._taken > taken:
                backoff.reset()
            self._on_lost(lost)
            self._stopping.wait(backoff.pause_s())

    def _read_once(self) -> None:
        source = self._open_source()
        self._source = source
        try:
            self.info = source.info
            self._pass_on(source.frames())
        finally:
            self._source = None
            source.close()

    def _pass_on(self, frames: Iterator[Frame]) -> None:
        group: list[Frame] = []
        try:
            while (frame := self._next(frames)) is not None and not self._stopping.is_set():
                if not self._is_due(frame):
                    continue
                self._taken += 1
                group.append(replace(frame, index=self._taken) if self._live else frame)
                if self._live or len(group) >= self._group_size(frame):
                    self.mailbox.put(group)
                    group = []
        finally:
            # Also before an error: what was read is kept.
            if group and not self._stopping.is_set():
                self.mailbox.put(group)

    def _group_size(self, frame: Frame) -> int:
        """The last pictures of a file go singly, so that no core idles while another has several left."""
        total = self.info.total_frames if self.info else 0
        if total and frame.index >= total - 2 * GROUP:
            return 1
        return group_size(frame.image.nbytes, self.picture_s)

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        with self._figures.stage("decode"):
            return next(frames, None)

    def _is_due(self, frame: Frame) -> bool:
        if not self._max_fps:
            return True
        # Half a millisecond of slack: frame times are rounded, and 10 fps asked of a 10 fps file means every frame.
        if frame.time < self._next_time - 0.0005:
            return False
        self._next_time = max(self._next_time + 1 / self._max_fps, frame.time)
        return True


def group_size(picture_bytes: int, picture_s: float) -> int:
    """How many pictures of a file go through the model as one group: some megabytes of them, and as many as it does in
    GROUP_S. Of a slower model they would only lie in memory; one that is not known yet may be slow.
    """
    if not picture_s:
        return 1
    return max(1, min(GROUP, GROUP_BYTES // max(1, picture_bytes), round(GROUP_S / picture_s)))
