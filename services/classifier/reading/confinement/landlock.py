"""Landlock (Linux 5.13 and later, without root): a process that opens no file and runs no program any more.

All rights that the kernel knows are handled and none is granted, so there is no path to get wrong: what the process
needs is open or loaded. Names and numbers are those of linux/landlock.h and landlock(7). Python bindings are months old
and do more than these three calls, in the one process that holds hostile bytes; so none is used.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

from services.classifier.reading.confinement.kernel import system_call

_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
"""The same numbers on every architecture."""
_VERSION: Final = 1
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files a version of the interface knows: each added some, the last of them device ioctls."""
_TCP: Final = (4, 0b11)
"""From which version on, and which rights: to bind and to connect."""
_SCOPES: Final = (6, 0b11)
"""Likewise: abstract Unix sockets, and signals to processes outside."""


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr; a kernel that knows less of it takes it while the rest is zero."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def restrict() -> None:
    """Grant this process nothing any more. Raises Lacking on a kernel without Landlock, or that has it switched off."""
    version = system_call(_CREATE_RULESET, 0, 0, _VERSION)
    ruleset = _Ruleset(
        files=(1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1,
        network=_TCP[1] if version >= _TCP[0] else 0,
        scopes=_SCOPES[1] if version >= _SCOPES[0] else 0,
    )
    descriptor = system_call(_CREATE_RULESET, ctypes.addressof(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        system_call(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)
