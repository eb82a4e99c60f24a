"""Whether the system's clock can be trusted."""

from __future__ import annotations

import ctypes
import ctypes.util

TIME_ERROR = 5


def clock_synced() -> bool:
    """True while the kernel calls its clock synchronised (adjtimex(2): TIME_ERROR means it is not)."""
    timex = ctypes.create_string_buffer(512)  # struct timex with modes = 0: read only; it has 208 bytes
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
        state = libc.adjtimex(timex)
    except (OSError, AttributeError):
        return False
    return state not in (-1, TIME_ERROR)
