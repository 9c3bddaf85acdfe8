"""Freed memory kept by the process: a training step frees and takes the same megabytes again and again."""

import ctypes

# glibc's names and limits (mallopt(3), malloc.h).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 1024**2


def keep_freed_memory() -> bool:
    """Tells glibc's malloc to keep what is freed instead of giving it back to the system; True if it will.

    Otherwise each tensor of some hundred kilobytes is mapped, faulted in page by page, and unmapped again: a sixth of
    the processor time of a pack. Elsewhere than on glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, 2**30))
