"""The C library's heap, kept small: glibc by itself keeps a heap for each thread, and what is freed in it."""

from __future__ import annotations

import ctypes
from typing import Final

_ARENA_MAX: Final = -8
"""M_ARENA_MAX of malloc.h."""
_HEAPS: Final = 2


def share_heaps() -> None:
    """Call it before threads start. Pictures are made on one thread and freed on another: with a heap each, 20 to 30 MB
    more stay behind. Without glibc nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Gives freed memory back to the system: after a model is loaded, of which ONNX Runtime makes a second copy."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
