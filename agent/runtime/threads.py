"""One thread for the libraries beside the model: on a small box theirs only get in the way of inference."""

from __future__ import annotations

import os

from agent.runtime.memory import share_heaps


def calm_libraries() -> None:
    """Call it before numpy is loaded. OpenBLAS and OpenCV then work on the thread that calls them.

    Their pools wake up for work of a millisecond, and spin: on two cores appearance features took four times as long.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    share_heaps()
    import cv2

    cv2.setNumThreads(1)
