"""The process that has everything loaded and reads no mail: it forks those that do, within milliseconds.

    serve(control, work)         # `work(connection)` is what a child does; returns when the other side has closed

What is said over `control`, in messages of one length; a number that says nothing is 0:

FORK              to us, with a descriptor: the child's connection
KILL pid          to us, of a child of ours
BORN pid          from us, for each FORK, in their order
DIED pid status   from us: a child's exit code, or below 0 its signal

All children of a server have their memory laid out alike, so whoever crashes one could go on guessing with the next
(Bittau et al., Hacking Blind, 2014): after a child that died by itself `pool` goes on with another server.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import traceback
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final

from shared.memory import look_past_what_stands

_MESSAGE: Final = struct.Struct("!BIi")
MESSAGE_BYTES: Final = _MESSAGE.size
_WAKE_UPS: Final = 4096
"""Signals that are looked at together."""


class Said(IntEnum):
    """What a message says."""

    FORK = 1
    KILL = 2
    BORN = 3
    DIED = 4


def pack(said: Said, pid: int = 0, status: int = 0) -> bytes:
    """A message."""
    return _MESSAGE.pack(said, pid, status)


def unpack(message: bytes) -> tuple[Said, int, int]:
    """What a message says, of which process, and how that ended."""
    said, pid, status = _MESSAGE.unpack(message)
    return Said(said), pid, status


def serve(control: socket.socket, work: Callable[[socket.socket], None]) -> None:
    """Fork, kill and bury until `control` is closed; no child is left then."""
    look_past_what_stands()
    died, dies = socket.socketpair()
    dies.setblocking(False)  # noqa: FBT003 - its only parameter
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(dies.fileno(), warn_on_full_buffer=False)
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([control, died], [], [])
        if died in ready:
            died.recv(_WAKE_UPS)
            for pid, status in _buried(children):
                control.sendall(pack(Said.DIED, pid, status))
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
            if not message:
                break
            said, pid, _ = unpack(message)
            if said is Said.FORK:
                with socket.socket(fileno=descriptors[0]) as connection:
                    pid = _fork(work, connection, (control, died, dies))
                children.add(pid)
                control.sendall(pack(Said.BORN, pid))
            elif said is Said.KILL and pid in children:
                os.kill(pid, signal.SIGKILL)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _buried(children: set[int]) -> Iterable[tuple[int, int]]:
    """Those that have ended, each with how; they are taken out of `children`."""
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.remove(pid)
            yield pid, os.waitstatus_to_exitcode(status)


def _fork(work: Callable[[socket.socket], None], connection: socket.socket, ours: Iterable[socket.socket]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in ours:
            each.close()
        work(connection)
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of a child may go on in what the server would do next
        traceback.print_exc()
    finally:
        os._exit(code)
