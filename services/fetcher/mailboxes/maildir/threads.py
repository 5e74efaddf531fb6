"""Work on the files of a Maildir, in threads; a disk that hangs holds few of them, and no other mailbox.

A call into a file system that does not answer (NFS whose server is away) cannot be ended: its thread waits with it. So
each call has a deadline, after which it is left behind; and while one is left behind, nothing more is asked of that
Maildir.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from services.fetcher.mailboxes.protocol import MailboxUnreachable
from shared.dialogue import asking

THREADS: Final = 256
"""For all Maildirs of this process; they are made as they are needed."""
AT_ONCE: Final = 4
"""For one Maildir."""
LONGEST_SECONDS: Final = 60.0
"""For one call: a mail of 50 MB, or the names of 100,000."""

P = ParamSpec("P")
T = TypeVar("T")

_threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="maildir")
_left_behind: Final[defaultdict[Path, set[Future[object]]]] = defaultdict(set)


class FileThreads:
    """The calls on the files of the Maildir at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The call's result. Raises MailboxUnreachable where the disk does not answer, and what the call raises."""
        async with self._turns:
            with asking(getattr(call, "__name__", "call")) as step:
                result = await self._in_thread(call, *arguments, **named)
                step.came = "done"
                return result

    async def _in_thread(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if _left_behind[self._root]:
            raise self._hangs()
        running: Future[T] = _threads.submit(call, *arguments, **named)
        try:
            async with asyncio.timeout(LONGEST_SECONDS) as deadline:
                return await asyncio.shield(asyncio.wrap_future(running))
        except TimeoutError:
            if not deadline.expired():
                raise
            raise self._hangs() from None
        finally:
            if not running.done():
                self._leave_behind(running)

    def _leave_behind(self, running: Future[T]) -> None:
        left = _left_behind[self._root]
        left.add(running)  # type: ignore[arg-type] # whatever it returns, nobody takes it
        running.add_done_callback(left.discard)

    def _hangs(self) -> MailboxUnreachable:
        return MailboxUnreachable(
            f"De schijf van de Maildir «{self._root}» antwoordt niet: laat de beheerder de schijf of de NFS-server "
            "bekijken. De importer probeert het later opnieuw."
        )
