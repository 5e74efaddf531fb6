"""What a process that runs for weeks does about its memory: the services, and those that read mail."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h."""
_LARGE_BLOCK_BYTES: Final = 8 * 1024 * 1024
"""More than a batch of ordinary mails takes: to get memory from the kernel costs more than to have it."""
_COLLECTED_AFTER: Final = 10_000
"""Objects that are new: a mail makes about as many in a reader, a tenth in a service, and few in circles."""


def give_back_large_blocks() -> None:
    """Have the kernel take a large block back as soon as it is freed.

    glibc takes a freed block's size, up to 32 MB, for one that is wanted again, and keeps such blocks from then on
    (mallopt(3), «dynamic mmap threshold»): after a mail of 100 MB a process would go on holding most of it. Where
    malloc is another's, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ctypes.c_int(_MMAP_THRESHOLD), ctypes.c_int(_LARGE_BLOCK_BYTES))
        mallopt(ctypes.c_int(_TRIM_THRESHOLD), ctypes.c_int(2 * _LARGE_BLOCK_BYTES))  # as glibc does by itself


def look_past_what_stands() -> None:
    """Modules and connections stay for good: collecting garbage looks at what is newer, and not so often.

    It goes for what is forked from here too, and no collection writes to the memory that these processes share.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)
