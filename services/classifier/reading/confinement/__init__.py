"""What a reading process gives up before it sees the first byte of a mail: files, network, rights, system calls.

    lacking = confine()          # by layer, why it is not in force here: '' for one that is

A bug in a decoder may hand the process to whoever sent the mail. What he then has is processor time, the memory that
its limit allows, the mails that this process reads, and two pipes. Each layer stands by itself, so that one that the
kernel lacks, or one that has a hole, leaves the others:

descriptors   no file, socket or pipe can be opened: their number is limited to none (as OpenSSH's sandbox does)
privileges    no program gives new rights; no capability; nobody's user where the service runs as root
landlock      no file is opened, no program run, no TCP, no signal to and no look into another process
seccomp       system calls on a list (`system_calls`)

All of them hold for the rest of the process's life, whatever it runs. Everything that loads itself when it is first
used has to be there before (`warm_up`): afterwards it is not found.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from services.classifier.reading.confinement import landlock, privileges
from services.classifier.reading.confinement.kernel import Lacking, end_with_parent
from services.classifier.reading.confinement.seccomp import SystemCallFilter


class Layer(StrEnum):
    """A layer, by the name that log and metrics give it."""

    DESCRIPTORS = "descriptors"
    PRIVILEGES = "privileges"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


def confine() -> dict[Layer, str]:
    """Put every layer in force that this system has; by layer why it is not, or ''. Nothing lifts them again."""
    lacking = dict.fromkeys(Layer, "")

    @contextmanager
    def layer(name: Layer) -> Iterator[None]:
        try:
            yield
        except Lacking as lacks:
            lacking[name] = str(lacks)

    system_calls: SystemCallFilter | None = None
    with layer(Layer.SECCOMP):
        system_calls = SystemCallFilter()  # reads its library's file: now or never
    with layer(Layer.PRIVILEGES):
        privileges.give_up()
    end_with_parent()
    with layer(Layer.LANDLOCK):
        landlock.restrict()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if system_calls is not None:
        with layer(Layer.SECCOMP):
            system_calls.restrict()
    return lacking
