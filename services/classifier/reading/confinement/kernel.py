"""Calls of the kernel that Python has no name for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from typing import Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
_PARENT_DEATH_SIGNAL: Final = 1
"""PR_SET_PDEATHSIG."""


class Lacking(Exception):
    """A layer of the confinement cannot be put in force here; the text says what is missing."""


def prctl(option: int, value: int) -> None:
    """Set an option of this process. Raises Lacking where the kernel refuses."""
    checked(LIBC.prctl(option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0))), "prctl")


def end_with_parent() -> None:
    """Be killed when the parent is gone; a change of the user takes that back. Without Linux, nothing happens."""
    with contextlib.suppress(AttributeError, Lacking):
        prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def system_call(number: int, *arguments: int) -> int:
    """Call the kernel; each argument is a number or an address. Raises Lacking where the kernel refuses."""
    return checked(LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(each) for each in arguments)), "the kernel")


def checked(result: int, what: str) -> int:
    """The result of a call of the C library. Raises Lacking, by its errno, where it is negative."""
    if result < 0:
        raise Lacking(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result
