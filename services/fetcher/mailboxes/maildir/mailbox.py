"""A Maildir, as a mail server delivers into it: the mailbox kind `maildir`.

`server` is the Maildir's path, `folder` INBOX or a Maildir++ folder. New mail is noticed by inotify; where that is not
to be had (a network file system, the system's limit on watches) the caller's polling finds it. All file work is done
in threads. What a name says and how files are handled stands in `names` and `folder`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Self

from services.fetcher.mailboxes.maildir.confinement import MaildirConfiguration
from services.fetcher.mailboxes.maildir.folder import NEW, MaildirFolder
from services.fetcher.mailboxes.maildir.threads import FileThreads
from services.fetcher.mailboxes.maildir.watching import Watch, watch
from services.fetcher.mailboxes.protocol import Arrivals, MailboxAccess, MailboxHealth, MailboxMissing, MailReference
from services.fetcher.rules.following import MARGIN

TRASH: Final = "Trash"
"""The deleted items of a Maildir: the folder that Courier and Dovecot's users have for them."""


class MaildirMailbox:
    """An open folder of a Maildir; a `Mailbox`."""

    def __init__(self, folder: MaildirFolder, files: FileThreads, watch: Watch | None) -> None:
        self._folder = folder
        self._files = files
        self._watch = watch
        self.listed = 0

    @classmethod
    async def open(cls, access: MailboxAccess) -> Self:
        """Open it and start watching, so that nothing arrives unnoticed between a listing and a wait."""
        if not access.server:
            raise MailboxMissing(
                "Het pad van de Maildir ontbreekt: vul bij «Server» de map in waarin new en cur staan."
            )
        root = Path(access.server)
        folder, files = MaildirFolder(root, access.folder, MaildirConfiguration.load().maildir_root), FileThreads(root)
        await files.run(folder.check)
        return cls(folder, files, await watch(folder.path / NEW, files))

    @property
    def notifies(self) -> bool:
        """See `Mailbox.notifies`."""
        return self._watch is not None

    async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        """See `Mailbox.unread`: the names are read once, sizes page by page."""
        places = await self._files.run(self._folder.unread)
        self.listed = len(places)
        for start in range(0, len(places), page_size):
            yield await self._files.run(self._folder.references, places[start : start + page_size])

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        """See `Mailbox.arrivals`: the state is the second of the look; names tell when a mail was delivered."""
        now = datetime.now(UTC)
        if state is not None and state.isdecimal() and int(state) <= now.timestamp():
            since = datetime.fromtimestamp(int(state), UTC) - MARGIN
        places = await self._files.run(self._folder.received_since, since)
        mails = await self._files.run(self._folder.references, places)
        return Arrivals(mails, str(int(now.timestamp())))

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch`."""
        return await self._files.run(self._folder.fetch, mail, into, limit)

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch_head`: the file's first bytes."""
        return await self._files.run(self._folder.fetch_head, mail, into, limit)

    async def mark_read(self, mail: MailReference) -> None:
        """See `Mailbox.mark_read`."""
        await self._files.run(self._folder.mark_read, mail)

    async def move(self, mail: MailReference, folder: str) -> None:
        """See `Mailbox.move`."""
        await self._files.run(self._folder.move, mail, folder)

    async def delete(self, mail: MailReference) -> None:
        """See `Mailbox.delete`."""
        await self._files.run(self._folder.move, mail, TRASH)

    async def health_check(self) -> MailboxHealth:
        """See `Mailbox.health_check`."""
        await self._files.run(self._folder.check)
        unread = await self._files.run(self._folder.unread)
        noticed = (
            "nieuwe mail wordt meteen opgemerkt" if self._watch else "nieuwe mail wordt bij elke controle opgemerkt"
        )
        return MailboxHealth(len(unread), f"Maildir {self._folder.path}, {noticed}")

    async def wait_for_change(self) -> None:
        """See `Mailbox.wait_for_change`. What piled up meanwhile counts as one change."""
        if self._watch is None:
            await asyncio.Event().wait()
        else:
            await self._watch.wait()

    async def close(self) -> None:
        """See `Mailbox.close`."""
        if self._watch is not None:
            self._watch.close()
