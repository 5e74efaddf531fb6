"""Open files: a mailbox takes a socket, three while much comes from Graph; systems begin with 1,024 for a process."""

from __future__ import annotations

import resource
from typing import Final

MOST: Final = 65_536
"""Enough for some 20,000 mailboxes; more costs memory in programs that go through all of them."""


def allow_many() -> int:
    """Let this process open as many files as it may raise its own limit to, MOST at most; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
