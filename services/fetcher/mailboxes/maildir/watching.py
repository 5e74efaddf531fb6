"""New files in directories, by inotify: one instance for all Maildirs of an event loop.

A user may have 128 instances (fs.inotify.max_user_instances), and tens of thousands of watches.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from asyncinotify import Inotify, Mask
from asyncinotify import Watch as Watched

from services.fetcher.mailboxes.maildir.threads import FileThreads

EVENTS_AT_ONCE: Final = 1000
"""Of what inotify tells; after so many the event loop does other things first."""
_MASK: Final = Mask.MOVED_TO | Mask.CREATE | Mask.ONLYDIR
"""A deliverer renames from tmp/ or links into new/; our own marking moves out of it and stays unnoticed."""

log = structlog.get_logger(__name__)


class Watch:
    """What happens in one directory, until it is closed. What piled up since the last wait counts as one change."""

    def __init__(self, watches: _Watches, watched: Watched) -> None:
        self._watches = watches
        self.watched = watched
        self.noticed = asyncio.Event()

    async def wait(self) -> None:
        """Return once something appeared in the directory since this last returned, or since the watch began."""
        await self.noticed.wait()
        self.noticed.clear()

    def close(self) -> None:
        """Watch no more."""
        self._watches.remove(self)


async def watch(directory: Path, files: FileThreads) -> Watch | None:
    """Watch a directory; None, with a word in the log, where inotify is not to be had. Raises as `FileThreads.run`."""
    try:
        watches = _Watches.of_this_loop()
        try:
            return watches.add(await files.run(watches.inotify.add_watch, directory, _MASK))
        finally:
            watches.close_if_unused()
    except OSError as error:
        log.warning("maildir_not_watched", directory=str(directory), error=error.strerror)
        return None


class _Watches:
    """The watches of an event loop: one instance of inotify, there as long as somebody watches."""

    _of_loops: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Watches]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.inotify = Inotify()
        os.set_blocking(self.inotify.fd, False)  # QUIRK: asyncinotify 4.4's NONBLOCK has the value of CLOEXEC
        self._loop = loop
        self._watches: dict[int, set[Watch]] = {}
        self._beginning = 0
        loop.add_reader(self.inotify.fd, self._read)

    @classmethod
    def of_this_loop(cls) -> _Watches:
        """Those of the running loop; `close_if_unused` is due afterwards. Raises OSError."""
        loop = asyncio.get_running_loop()
        watches = cls._of_loops.get(loop)
        if watches is None:
            watches = cls._of_loops[loop] = cls(loop)
        watches._beginning += 1
        return watches

    def add(self, watched: Watched) -> Watch:
        """Another one of a directory."""
        new = Watch(self, watched)
        self._watches.setdefault(watched.wd, set()).add(new)
        return new

    def remove(self, old: Watch) -> None:
        """It is not wanted any more."""
        others = self._watches.get(old.watched.wd, set())
        others.discard(old)
        if not others:
            self._watches.pop(old.watched.wd, None)
            with suppress(OSError):  # the kernel ended it already: the directory is gone
                self.inotify.rm_watch(old.watched)
        self._close_where_unused()

    def close_if_unused(self) -> None:
        """Whoever asked `of_this_loop` is done."""
        self._beginning -= 1
        self._close_where_unused()

    def _close_where_unused(self) -> None:
        if not self._watches and not self._beginning and self._of_loops.get(self._loop) is self:
            del self._of_loops[self._loop]
            self._loop.remove_reader(self.inotify.fd)
            self.inotify.close()

    def _read(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(EVENTS_AT_ONCE):
                event = self.inotify.sync_get()
                if event is None:
                    return
                if event.watch is None:  # the kernel's own queue was full: anything may have come
                    concerned = [each for watches in self._watches.values() for each in watches]
                else:
                    concerned = [*self._watches.get(event.watch.wd, ())]
                for each in concerned:
                    each.noticed.set()
