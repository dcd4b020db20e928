"""Keeps freed memory for the next tensor, where the C library would give it back page by page.

glibc takes every large block from the system and returns it as soon as it is free, so a network
that runs window after window has each page of each intermediate result given to it, zeroed, anew.
`benchmarks/allocator.py` says what that costs. What is kept for later is at most `KEPT_BYTES` more
than what was in use at once.
"""

from __future__ import annotations

import ctypes
import os
import sys

KEPT_BYTES = 1 << 30
"""Blocks up to this size come from the heap, and this much of its free end stays ours."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")


def keep_freed_memory() -> bool:
    """Tells glibc so, for this process and from now on; whether it could be told.

    Called before work that makes large tensors over and over: encoding, decoding, training. Leaves
    alone what the environment has set (`MALLOC_TRIM_THRESHOLD_` and the like, GLIBC_TUNABLES), and
    other C libraries.
    """
    tuned = "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or tuned or any(name in os.environ for name in _SETTINGS):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    options = (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)
    return all(library.mallopt(option, KEPT_BYTES) == 1 for option in options)
