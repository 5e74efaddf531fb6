"""A mailbox in Exchange Online by Microsoft Graph: the mailbox kind `graph`.

The login is an app of Microsoft Entra (`tenant`, `username` its client id, a secret or a certificate), `address` the
mailbox, shared ones too, `folder` INBOX, a well-known name (`junkemail`) or a path of names (`INBOX/Klanten`).
Requests: one a poll, two a mail (its MIME, the mark «read»), two more where it is moved or deleted. What is particular:

- A message is known by its immutable id, which also survives a move: whoever acts on a mail after its import looks
  first whether it still lies where it was imported from, since a person may have filed it.
- QUIRK: `@odata.nextLink` counts in the filtered view, so that marking while listing would skip mails: the listing is
  read whole before the first mail is handed out (a thousand a request).
- A listed size is that of the stored item, a little more or less than its MIME. The limit holds while the MIME comes.
- QUIRK: marking read sends the read receipt that a sender asked for; Graph has no switch against it (documented).
- QUIRK: a 500 ErrorMimeContentConversionFailed never passes (S/MIME): the mail is put together again (`rebuild`).

There are no notifications that need no door to the internet: new mail is found by polling.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Any, BinaryIO, Final, Self
from urllib.parse import quote

import structlog

from services.fetcher.mailboxes.graph.changes import arrivals
from services.fetcher.mailboxes.graph.folders import GraphFolders
from services.fetcher.mailboxes.graph.listed import references, size_of
from services.fetcher.mailboxes.graph.rebuild import rebuild, rebuild_head
from services.fetcher.mailboxes.graph.refusals import has_no_mime, is_gone, mail_is_to_blame, mailbox_error
from services.fetcher.mailboxes.microsoft_app import address_and_app
from services.fetcher.mailboxes.microsoft_errors import sign_in_refused, unavailable
from services.fetcher.mailboxes.protocol import (
    Arrivals,
    Listed,
    MailboxAccess,
    MailboxHealth,
    MailboxMissing,
    MailGone,
    MailReference,
    MailTooLarge,
    MailUnreadable,
    count,
)
from shared.microsoft.errors import GraphRefused, Interrupted, SignInRefused, Unavailable
from shared.microsoft.graph import VERSION, GraphClient
from shared.microsoft.patience import Patience

AT_ONCE: Final = 3
"""Of the four requests that an app may have under way on a mailbox; the fourth is for who sends from it."""
PAGE: Final = 1000
"""Mails a listing request: the most that Graph gives."""
UNREAD: Final = "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false"
"""QUIRK: what is sorted by must stand first in the filter, else Graph finds it inefficient."""
SIZE: Final = "singleValueExtendedProperties($filter=id eq 'Integer 0x0E08' or id eq 'Long 0x0E08')"
"""PidTagMessageSize: the bytes of all properties of an item. QUIRK: both types are met in the field."""

log = structlog.get_logger(__name__)


class GraphMailbox:
    """An open folder of a mailbox; a `Mailbox`."""

    def __init__(self, graph: GraphClient, access: MailboxAccess, address: str) -> None:
        self._graph = graph
        self._access = access
        self._address = address
        self._user = f"/users/{quote(address, safe='@')}"
        self._folders = GraphFolders(graph, self._user)
        self._folder = ""
        self._tells_sizes = True
        self.listed = 0

    @classmethod
    async def open(cls, access: MailboxAccess, *, patience: Patience | None = None) -> Self:
        """Log in and find the folder."""
        try:
            address, app = address_and_app(access)
            graph = await GraphClient.open(app, at_once=AT_ONCE, patience=patience)
        except SignInRefused as error:
            raise sign_in_refused(error) from error
        except Unavailable as error:
            raise unavailable(error) from error
        mailbox = cls(graph, access, address)
        try:
            await mailbox._find_folder()
        except BaseException:
            await graph.close()
            raise
        return mailbox

    @property
    def notifies(self) -> bool:
        """See `Mailbox.notifies`."""
        return False

    async def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        """See `Mailbox.unread`: one request up to PAGE mails."""
        mails = await self._list()
        self.listed = len(mails)
        for start in range(0, len(mails), page_size):
            yield tuple(mails[start : start + page_size])

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        """See `Mailbox.arrivals`: the state is the link of a delta query."""
        with self._errors():
            return await arrivals(self._graph, f"{self._folders.path(self._folder)}/messages/delta", state, since)

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch`: the MIME, written as it comes."""
        with self._errors(), self._errors_of_mail():
            try:
                content = await self._graph.download(f"{self._path(mail)}/$value", into, limit)
            except GraphRefused as refused:
                if not has_no_mime(refused):
                    raise
                return await rebuild(self._graph, self._path(mail), into, limit)
        if not content.complete:
            raise MailTooLarge(f"De mail is groter dan {limit} bytes.")
        return content.size

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """See `Mailbox.fetch_head`: the connection is closed after the first bytes of the MIME."""
        beginning = io.BytesIO()
        with self._errors(), self._errors_of_mail():
            try:
                content = await self._graph.download(f"{self._path(mail)}/$value", beginning, limit)
            except GraphRefused as refused:
                if not has_no_mime(refused):
                    raise
                into.write(_whole_lines(await rebuild_head(self._graph, self._path(mail)), limit))
                return await self._stored_size(mail)
            into.write(beginning.getvalue() if content.complete else _whole_lines(beginning.getvalue(), limit))
            return content.size if content.complete else content.length or await self._stored_size(mail)

    async def mark_read(self, mail: MailReference) -> None:
        """See `Mailbox.mark_read`."""
        with self._errors(), self._gone_is_done():
            await self._graph.act("PATCH", self._path(mail), {"isRead": True})

    async def move(self, mail: MailReference, folder: str) -> None:
        """See `Mailbox.move`."""
        with self._errors(), self._gone_is_done():
            await self._put_away(mail, await self._folders.known_or_made(folder), folder)

    async def delete(self, mail: MailReference) -> None:
        """See `Mailbox.delete`. QUIRK: a move, since what DELETE does depends on where the item lies."""
        with self._errors(), self._gone_is_done():
            await self._put_away(mail, "deleteditems", "")

    async def health_check(self) -> MailboxHealth:
        """See `Mailbox.health_check`."""
        with self._errors():
            inbox = await self._graph.get(self._folders.path(self._folder), select="unreadItemCount")
            try:
                junk = await self._graph.get(self._folders.path("junkemail"), select="unreadItemCount")
            except GraphRefused as refused:
                if not is_gone(refused):
                    raise
                junk = {}
            with_what = "een certificaat" if self._access.certificate else "een clientgeheim"
            return MailboxHealth(
                count(inbox.get("unreadItemCount")) or 0,
                f"Microsoft Graph {VERSION} ({self._graph.host}), postvak {self._address}, aangemeld als app "
                f"{self._access.username} met {with_what}",
                count(junk.get("unreadItemCount")),
            )

    async def wait_for_change(self) -> None:
        """See `Mailbox.wait_for_change`: never."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """See `Mailbox.close`."""
        await self._graph.close()

    async def _find_folder(self) -> None:
        with self._errors():
            folder = await self._folders.find(self._access.folder)
        if folder is None:
            raise MailboxMissing(
                f"De map «{self._access.folder}» is er niet in postvak {self._address}: controleer de naam bij «Map» "
                "(namen met / ertussen)."
            )
        self._folder = folder

    async def _list(self) -> list[MailReference]:
        """All unread mails, oldest first, each once; what is left out of a page that shifted comes at the next poll."""
        listed = Listed()
        with self._errors():
            async for page in self._graph.pages(await self._first_page()):
                listed.add(references(page))
        return listed.newest()

    async def _first_page(self) -> dict[str, Any]:
        path = f"{self._folders.path(self._folder)}/messages"
        query: dict[str, str | int] = {"filter": UNREAD, "orderby": "receivedDateTime", "top": PAGE}
        query["select"] = "id,receivedDateTime"
        if self._tells_sizes:
            try:
                return await self._graph.get(path, **query, expand=SIZE)
            except GraphRefused as refused:
                if refused.status != HTTPStatus.BAD_REQUEST:
                    raise
                log.warning("sizes_not_told", host=self._graph.host, code=refused.code)
                self._tells_sizes = False  # mails without a size cost memory and speed, no listing costs mails
        return await self._graph.get(path, **query)

    async def _put_away(self, mail: MailReference, destination: str, folder: str) -> None:
        path = self._path(mail)
        facts = await self._graph.get(path, select="parentFolderId,isRead")
        if facts.get("parentFolderId") != self._folder:
            return  # moved before, by us or by a person
        if facts.get("isRead") is not True:
            await self._graph.act("PATCH", path, {"isRead": True})
        try:
            await self._graph.act("POST", f"{path}/move", {"destinationId": destination})
        except GraphRefused as refused:
            if not folder or not is_gone(refused):
                raise
            made = await self._folders.found_or_made(folder)  # or was it the folder that is gone?
            if made == destination:
                raise
            await self._graph.act("POST", f"{path}/move", {"destinationId": made})

    async def _stored_size(self, mail: MailReference) -> int:
        facts = await self._graph.get(self._path(mail), select="id", expand=SIZE)
        return size_of(facts) or 0

    def _path(self, mail: MailReference) -> str:
        return f"{self._user}/messages/{quote(mail.key, safe='')}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what Microsoft answers into the mailbox's errors."""
        try:
            yield
        except SignInRefused as error:
            raise sign_in_refused(error) from error
        except Unavailable as error:
            raise unavailable(error) from error
        except GraphRefused as refused:
            raise mailbox_error(refused, self._address) from refused

    @contextmanager
    def _errors_of_mail(self) -> Iterator[None]:
        """Turn what may be the fault of the mail that is read into its error: it must not stop the others."""
        try:
            yield
        except Interrupted as error:
            raise MailUnreadable(str(error)) from error
        except GraphRefused as refused:
            if is_gone(refused):
                raise MailGone("De mail is niet meer in het postvak.") from refused
            if mail_is_to_blame(refused):
                said = refused.code or refused.status
                raise MailUnreadable(f"Exchange Online geeft een mail niet ({said}); de andere gaan door.") from refused
            raise

    @contextmanager
    def _gone_is_done(self) -> Iterator[None]:
        try:
            yield
        except GraphRefused as refused:
            if not is_gone(refused):
                raise


def _whole_lines(beginning: bytes, limit: int) -> bytes:
    return beginning[: beginning.rfind(b"\n", 0, limit) + 1]
