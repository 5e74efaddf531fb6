"""Children that read mail, as their parent sees them: born of a fork server, with a connection each.

    server = await ForkServer.start(program)
    child = await server.fork()               # NotBorn when the server is gone
    child.kill(); code = await child.died     # its exit code, or its signal below 0
    server.retire()                           # ends when its last child has

A server that ends takes its children with it: their `died` is then how the server ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from services.classifier.reading.fork_server import MESSAGE_BYTES, Said, pack, unpack
from shared.errors import ImporterError

BUFFERED_BYTES: Final = 1024 * 1024
"""What is taken of an answer before somebody asks for it."""
_IMPORT_ROOT: Final = Path(__file__).resolve().parents[3]

_Born = tuple[int, asyncio.Future[int]]
"""The process, and how it ends."""


class NotBorn(ImporterError):
    """There is no child: the fork server has ended; the text says how."""


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """A child process; `died` says how it ended, once it has."""

    server: ForkServer
    pid: int
    requests: asyncio.StreamWriter
    answers: asyncio.StreamReader
    died: asyncio.Future[int]

    def kill(self) -> None:
        """End it, if it has not."""
        self.requests.close()
        self.server.kill(self.pid)


class ForkServer:
    """A process that runs the module of `program`, and what is said with it (`fork_server`)."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._births: deque[asyncio.Future[_Born]] = deque()
        """Of those that are being born, in their order."""
        self._died: dict[int, asyncio.Future[int]] = {}
        """Of those that live."""
        self._retired = False
        self._listening = asyncio.create_task(self._listen(), name="hears of processes that read mail")

    @classmethod
    async def start(cls, program: Sequence[str]) -> Self:
        """Start one; it gets no more of our environment than it needs."""
        ours, its = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        with its:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                stdin=its.fileno(),
                env={"PATH": os.defpath, "PYTHONPATH": str(_IMPORT_ROOT), "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"},
            )
        return cls(process, ours)

    async def fork(self) -> Child:
        """A new child, at work as soon as the server has loaded all. Raises NotBorn."""
        birth: asyncio.Future[_Born] = asyncio.get_running_loop().create_future()
        ours, its = socket.socketpair()
        try:
            with its:
                socket.send_fds(self._control, [pack(Said.FORK)], [its.fileno()])
        except OSError:  # it ends, or has ended
            ours.close()
            raise NotBorn(how_it_ended(await self._process.wait())) from None
        self._births.append(birth)
        answers, requests = await asyncio.open_unix_connection(sock=ours, limit=BUFFERED_BYTES)
        try:
            pid, died = await asyncio.shield(birth)
        except BaseException:
            birth.add_done_callback(_look_at)
            requests.close()  # one that is born all the same ends by that
            raise
        return Child(self, pid, requests, answers, died)

    def kill(self, pid: int) -> None:
        """End a child of this server; nothing happens when it has ended."""
        with contextlib.suppress(OSError):
            self._control.send(pack(Said.KILL, pid))

    def retire(self) -> None:
        """End the server when no child of it lives."""
        self._retired = True
        self._end_if_done()

    async def end(self) -> None:
        """End the server and its children."""
        self._close()
        await self._listening

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while message := await loop.sock_recv(self._control, MESSAGE_BYTES):
                said, pid, status = unpack(message)
                if said is Said.BORN:
                    self._died[pid] = loop.create_future()
                    self._births.popleft().set_result((pid, self._died[pid]))
                elif said is Said.DIED:
                    self._died.pop(pid).set_result(status)
                    self._end_if_done()
        self._control.close()
        code = await self._process.wait()
        for birth in self._births:
            birth.set_exception(NotBorn(how_it_ended(code)))
        for died in self._died.values():
            died.set_result(code)

    def _end_if_done(self) -> None:
        if self._retired and not self._died and not self._births:
            self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._control.shutdown(socket.SHUT_RDWR)


def how_it_ended(code: int) -> str:
    """A process: the name of its signal, or its exit code."""
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _look_at(birth: asyncio.Future[_Born]) -> None:
    """As asyncio wants it, where nobody waits for a child any more."""
    if not birth.cancelled():
        birth.exception()
