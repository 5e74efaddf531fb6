"""Seccomp (Linux 4.14 and later): the kernel looks at each system call of the process and lets those of a list through.

The program that the kernel runs is made by libseccomp, which knows the numbers of the calls on each architecture; every
Debian has it, since apt needs it. It is called by ctypes: six functions, of which the bindings on PyPI, the last of
them of 2021, would start a compiler to find the library.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence
from typing import Final

from services.classifier.reading.confinement.kernel import Lacking
from services.classifier.reading.confinement.system_calls import ALLOWED, DEADLY, REFUSED, Condition, allowed_if

_LIBRARY: Final = "libseccomp.so.2"
_ALLOW: Final = 0x7FFF_0000
_KILL_PROCESS: Final = 0x8000_0000
_ERRNO: Final = 0x0005_0000
"""SCMP_ACT_*, of seccomp.h; the last takes an errno."""
_MASKED_EQUAL: Final = 7
"""SCMP_CMP_MASKED_EQ."""
_ACTION_FOR_OTHER_ARCHITECTURES: Final = 2
"""SCMP_FLTATR_ACT_BADARCH: x86-64 runs 32-bit calls too, which have numbers of their own."""


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


class SystemCallFilter:
    """The list of `system_calls`, ready for the kernel. Raises Lacking where libseccomp is not there, or too old."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(_LIBRARY)
        except OSError as error:
            raise Lacking(f"{_LIBRARY} is not on this system (the package libseccomp2 of Debian)") from error
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._filter = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(_ERRNO | errno.ENOSYS)))
        if not self._filter:
            raise Lacking(f"{_LIBRARY} makes no filter")
        self._asked("seccomp_attr_set", ctypes.c_int(_ACTION_FOR_OTHER_ARCHITECTURES), ctypes.c_uint32(_KILL_PROCESS))
        for name in ALLOWED:
            self._rule(name, _ALLOW)
        for name, conditions in allowed_if():
            self._rule(name, _ALLOW, conditions)
        for name in REFUSED:
            self._rule(name, _ERRNO | errno.EPERM)
        for name in DEADLY:
            self._rule(name, _KILL_PROCESS)

    def restrict(self) -> None:
        """Put it in force. Raises Lacking where the kernel does not take it."""
        self._asked("seccomp_load")

    def _rule(self, name: str, action: int, conditions: Sequence[Condition] = ()) -> None:
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # this architecture has no such call, or the library is older than it: it stays unknown
        comparisons = (_Comparison * len(conditions))(
            *(_Comparison(each.argument, _MASKED_EQUAL, each.mask, each.value) for each in conditions)
        )
        self._asked(
            "seccomp_rule_add_array", ctypes.c_uint32(action), ctypes.c_int(number), len(conditions), comparisons
        )

    def _asked(self, function: str, *arguments: object) -> None:
        result = self._library[function](self._filter, *arguments)
        if result < 0:
            raise Lacking(f"{function}: {os.strerror(-result)}")
