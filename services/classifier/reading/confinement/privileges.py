"""The rights of a process beyond an ordinary user's: it keeps none and can get none."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from services.classifier.reading.confinement.kernel import LIBC, Lacking, checked, prctl

_NO_NEW_PRIVILEGES: Final = 38
"""PR_SET_NO_NEW_PRIVS: set-user-ID programs and file capabilities give nothing any more; Landlock asks for it."""
_NOBODY: Final = 65_534
_CAPABILITIES: Final = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3: two halves of three sets."""


def give_up() -> None:
    """Become nobody where this process is root, then drop every capability. Raises Lacking where that is refused."""
    prctl(_NO_NEW_PRIVILEGES, 1)
    refused = ""
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        except OSError as error:  # a user namespace that has root alone
            refused = f"the process stays root: {error.strerror}"
    head, none = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    checked(LIBC.capset(head, none), "capset")
    if refused:
        raise Lacking(refused)
