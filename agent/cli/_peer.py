"""Jobs on another node: what `herdlink analyze --target NODE` does, with the results brought back."""

from __future__ import annotations

import platform
import re
import secrets
import time
from pathlib import Path
from typing import Any

from agent.cli import _remote
from agent.cli._runs import Outcome
from agent.core.errors import FailedPrecondition, HerdlinkError, Unavailable
from agent.runtime import run_json

VIDEO = "result.mp4"
RETRY_S = 30.0
PAUSE_S = 0.5


class PeerNode:
    """Each input gets a passing stream of its own on the node; its records and results stay there too."""

    def __init__(self, target: str, *, video: bool) -> None:
        self._target = target
        self._video = video

    def analyse(self, uri: str, folder: Path, values: dict[str, Any]) -> Outcome:
        """One input from its beginning to its end; Ctrl-C cancels the job there. Raises HerdlinkError."""
        if (folder / run_json.NAME).exists():
            raise FailedPrecondition("FILE_EXISTS", f"{folder} holds the results of another run; choose another folder")
        # bridge/core/publications.py knows passing streams by this name.
        stream = f"analyze-{_host()}-{secrets.token_hex(3)}"
        self._call("SetStream", stream=stream, **{**values, "input": uri})
        try:
            job = self._run(stream)
        except Unavailable:
            # The job goes on there, and so must its stream.
            raise
        except BaseException:
            self._call("DeleteStream", stream=stream)
            raise
        self._call("DeleteStream", stream=stream)
        self._bring(job, folder)
        error = job.error.message if job.HasField("error") else ""
        return Outcome(job.input, folder, _remote.state_word(job.state), job.frames, job.fps, job.model, error)

    def _run(self, stream: str) -> Any:
        job = self._call("Compute", stream=stream).job
        try:
            return self._follow(job)
        except KeyboardInterrupt:
            self._call("CancelJob", job_id=job.job_id)
            return self._follow(job)

    def _follow(self, job: Any) -> Any:
        """The ended job; a progress bar until then. A node that goes away is waited for. Raises Unavailable."""
        from tqdm import tqdm

        seen = time.monotonic()
        with tqdm(unit="frame", dynamic_ncols=True, disable=None) as bar:
            while True:
                try:
                    for answer in _remote.invoke(self._target, "WatchJob", job_id=job.job_id):
                        job, seen = answer.job, time.monotonic()
                        bar.total = job.total_frames or None
                        bar.update(job.frames - bar.n)
                    return job
                except HerdlinkError as error:
                    if not _remote.is_broken(error):
                        raise
                    if time.monotonic() - seen > RETRY_S:
                        raise _lost(job.job_id, self._target) from error
                    time.sleep(PAUSE_S)

    def _bring(self, job: Any, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file in job.results:
            if self._video or file.name != VIDEO:
                _remote.download(self._target, job.job_id, file, folder / file.name)

    def _call(self, method: str, **values: Any) -> Any:
        return next(iter(_remote.invoke(self._target, method, **values)))


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", platform.node())[:40] or "peer"


def _lost(job_id: str, target: str) -> Unavailable:
    return Unavailable(
        "AGENT_LOST",
        f"the node went away; job {job_id} may go on there: herdlink fetch {job_id} --target {target} --output DIR",
    )
