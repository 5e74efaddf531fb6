"""One folder of an Exchange mailbox, as blocking calls. `ews` runs them off the event loop, one at a time.

    what                    requests
    opening                 1 (one more for each version of EWS that the server refuses, and for each part of a path)
    a poll                  1 FindItem for each 1,000 unread mails
    taking in a mail        1 GetItem, 1 UpdateItem
    moving, deleting it     1 UpdateItem, 1 MoveItem or DeleteItem

A new connection adds the steps of logging in (NTLM 2, Basic none after the first 401).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answers import (
    AnswerReader,
    Build,
    EwsError,
    ListedItem,
    MimeDecoder,
    item_id,
    item_size,
    listed_items,
    page,
    response_message,
    server_build,
    transport_headers,
)
from services.fetcher.mailboxes.ews.completing import complete, completed_head
from services.fetcher.mailboxes.ews.connection import AnswerStopped, EwsConnection
from services.fetcher.mailboxes.ews.errors import (
    BUSY,
    GONE,
    NO_FOLDER,
    NO_PROPERTY,
    PASSING,
    REFUSES_PROPERTIES,
    WANTS_CHANGE_KEY,
    WRONG_SCHEMA,
    Place,
)
from services.fetcher.mailboxes.ews.paths import MOST_PAGES, PAGE, FolderPaths
from services.fetcher.mailboxes.ews.soap_requests import INBOX_ID, JUNK_ID, SCHEMAS, FolderRef, Requests
from services.fetcher.mailboxes.protocol import (
    INBOX,
    MOST_LISTED,
    AccessDenied,
    ItemKey,
    MailboxMissing,
    MailboxUnreachable,
    MailGone,
    MailReference,
    MailTooLarge,
    MailUnreadable,
    arrival,
    newest,
)

MARK_TRIES: Final = 3
"""How often a mail is marked that others change at the same moment."""

NAMES: Final = (
    (Build(15, 20), "Exchange Online"),
    (Build(15, 2, 2562), "Exchange Server Subscription Edition"),
    (Build(15, 2), "Exchange 2019"),
    (Build(15, 1), "Exchange 2016"),
    (Build(15, 0), "Exchange 2013"),
    (Build(14, 0), "Exchange 2010"),
    (Build(8, 0), "Exchange 2007"),
)
"""What is sold from which build on."""


class _Enough(Exception):
    """The bytes that were wanted are there; the rest is not downloaded."""


class _NotWritten(Exception):
    """The caller's file did not take the mail: no fault of the connection."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class EwsFolder:
    """A folder of the mailbox behind `connection`. Its methods raise what `Mailbox`'s methods raise."""

    def __init__(self, connection: EwsConnection, place: Place, folder: str) -> None:
        self._connection = connection
        self._place = place
        self._name = folder
        self._requests = self._in_schema(0)
        self._folder = FolderRef(INBOX_ID, distinguished=True)
        self._paths = FolderPaths(self._ask, lambda: self._requests)
        self._targets: dict[str, FolderRef] = {}
        self._build: Build | None = None
        self._gives_headers = True

    def open(self) -> None:
        """Agree on a version of EWS, and find the folder."""
        root = self._agree()
        self._build = server_build(root)
        if self._build is not None and self._build < SCHEMAS[0].build:
            self._requests = self._in_schema(self._schema, suppress_receipts=False)
        if self._name.casefold() != INBOX.casefold():
            try:
                folder = self._paths.find(self._name)
            except EwsError as error:
                raise ews_errors.ews_problem(error, self._place) from error
            if folder is None:
                raise MailboxMissing(
                    f"In {self._place.whose} is geen map «{self._name}»: controleer de naam, of maak de map aan. Een "
                    "map in een map schrijft u als Map/Submap."
                )
            self._folder = folder

    def unread(self) -> list[MailReference]:
        """All unread mails, oldest first, each once: pages count in the filtered view, so nothing is done meanwhile."""
        listed: dict[ItemKey, ListedItem] = {}
        offset, now = 0, datetime.now(UTC)
        for _ in range(MOST_PAGES):
            message = self._listing(self._folder, offset, PAGE)
            items, where = list(listed_items(message)), page(message)
            known = len(listed)
            listed |= {item.key: item for item in items if item.key not in listed}
            following = offset + len(items)
            if where.next_offset is not None and where.next_offset > offset:
                following = min(where.next_offset, following)
            told_total = where.is_last is None and where.total is not None and following >= where.total
            blind = where.is_last is None and where.total is None and len(listed) == known
            if where.is_last or not items or told_total or blind:
                break
            offset = following
            if len(listed) > 2 * MOST_LISTED:
                by_arrival = sorted(listed.values(), key=lambda item: arrival(item.received_at, now))
                listed = {item.key: item for item in by_arrival[-MOST_LISTED:]}
        # An item without a moment of arrival was put there by a person: it counts as arriving now.
        return newest(
            MailReference(
                item.key, arrival(item.received_at, now), item.size, f"{item.element} {item.change_key}".strip()
            )
            for item in listed.values()
            if not item.is_read
        )

    def count_unread(self, folder: FolderRef) -> int:
        """How many mails are unread in a folder. Raises EwsError."""
        message = response_message(self._connection.ask(self._requests.find_unread(folder, 0, 1)))
        total = page(message).total
        return total if total is not None else sum(1 for _ in listed_items(message))

    def health(self) -> tuple[int, int | None, str]:
        """Unread mails here and in the junk folder (None where that cannot be seen), and what was found, in words."""
        try:
            unread = self.count_unread(self._folder)
        except EwsError as error:
            raise self._folder_problem(error) from error
        junk = None
        with suppress(EwsError):
            junk = self.count_unread(FolderRef(JUNK_ID, distinguished=True))
        return unread, junk, self._description()

    def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Write the mail into `into` while it comes in; its size. See `Mailbox.fetch`."""
        decoder: MimeDecoder
        start = into.tell()

        def write(data: bytes) -> None:
            if decoder.size > limit:
                raise _Enough
            try:
                into.write(data)
            except OSError as error:
                raise _NotWritten(error) from error

        decoder = MimeDecoder(write)
        try:
            block = self._get_mime(mail, decoder)
        except _Enough:
            raise MailTooLarge(f"Mail {mail.key} is groter dan {limit} bytes.") from None
        except _NotWritten as failed:
            raise failed.error from None
        return complete(into, start, decoder.size, block, limit)

    def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Write the mail's first whole lines; its size. See `Mailbox.fetch_head`.

        EWS has no way to ask for a part of a MIME message, so the answer is cut off once there is enough, and the
        header block, which comes last, is asked for by itself.
        """
        size = mail.size if mail.size is not None else self._size(mail)
        head = bytearray()

        def write(data: bytes) -> None:
            head.extend(data)
            if len(head) > limit:
                raise _Enough

        decoder = MimeDecoder(write)
        whole = True
        try:
            block = self._get_mime(mail, decoder)
        except _Enough:
            whole = False
            block = self._get_headers(mail)
        completed = completed_head(bytes(head), block, limit)
        if whole and len(completed) <= limit:
            into.write(completed)
            return len(completed)
        completed = completed[:limit]
        into.write(completed[: completed.rfind(b"\n") + 1] or completed)
        return max(size or 0, decoder.size)

    def mark_read(self, mail: MailReference) -> None:
        """Set IsRead. See `Mailbox.mark_read`."""
        element, _, change_key = mail.hint.partition(" ")
        for _ in range(MARK_TRIES):
            try:
                self._ask(self._requests.mark_read(mail.key, change_key, element))
            except EwsError as error:
                if error.code in GONE:
                    return
                if error.code == "ErrorSchemaValidation" and self._suppresses:
                    # A server that tells of a newer version than it speaks
                    self._requests = self._in_schema(self._schema, suppress_receipts=False)
                elif error.code in WANTS_CHANGE_KEY:
                    change_key = self._change_key(mail)
                    if not change_key:
                        return
                else:
                    raise self._act_problem(error) from error
            else:
                return
        raise MailboxUnreachable(
            f"Een mail in {self._place.whose} wordt steeds gewijzigd en kan niet op gelezen worden gezet: kijk welk "
            "ander programma in deze mailbox werkt."
        )

    def move(self, mail: MailReference, folder: str) -> None:
        """Mark read and move. See `Mailbox.move`."""
        self.mark_read(mail)
        for again in (False, True):
            target = self._targets.get(folder) or self._target(folder)
            self._targets[folder] = target
            try:
                self._ask(self._requests.move(mail.key, target))
            except EwsError as error:
                if error.code in GONE:
                    return
                del self._targets[folder]
                if again or error.code not in NO_FOLDER:
                    raise self._act_problem(error) from error
            else:
                return

    def delete(self, mail: MailReference) -> None:
        """Mark read and move to the deleted items. See `Mailbox.delete`."""
        self.mark_read(mail)
        try:
            self._ask(self._requests.delete(mail.key))
        except EwsError as error:
            if error.code not in GONE:
                raise self._act_problem(error) from error

    def _in_schema(self, number: int, *, suppress_receipts: bool = True) -> Requests:
        self._schema = number
        self._suppresses = suppress_receipts and number == 0
        return Requests(
            SCHEMAS[number],
            self._place.address,
            impersonate=self._place.impersonate,
            suppress_receipts=suppress_receipts,
        )

    def _agree(self) -> Element:
        """Ask for the folder, in the newest version of EWS that the server, and the mailbox's own server, take."""
        start = FolderRef(INBOX_ID, distinguished=True)
        refusal: EwsError | None = None
        for number in range(len(SCHEMAS)):
            self._requests = self._in_schema(number)
            try:
                return self._connection.ask(self._requests.get_folder(start))
            except EwsError as error:
                if error.code not in WRONG_SCHEMA:
                    raise ews_errors.ews_problem(error, self._place) from error
                refusal = error
        assert refusal is not None  # noqa: S101 - each of the versions was refused
        raise ews_errors.ews_problem(refusal, self._place) from refusal

    def _ask(self, envelope: bytes, reader: AnswerReader | None = None) -> Element:
        """The answer's message. Raises EwsError for a refusal that concerns this request, MailboxError for others."""
        try:
            return response_message(self._connection.ask(envelope, reader))
        except EwsError as error:
            if error.code in BUSY or error.code in PASSING:
                raise ews_errors.ews_problem(error, self._place) from error
            raise

    def _listing(self, folder: FolderRef, offset: int, count: int) -> Element:
        try:
            return self._ask(self._requests.find_unread(folder, offset, count))
        except EwsError as error:
            raise self._folder_problem(error) from error

    def _get_mime(self, mail: MailReference, decoder: MimeDecoder) -> str:
        """Have the mail decoded; the header block with which it arrived, empty where the server gives none."""
        reader = AnswerReader(decoder)
        try:
            try:
                message = self._ask(self._requests.get_mime(mail.key, with_headers=self._gives_headers), reader)
            except EwsError as error:
                if not self._gives_headers or error.code not in REFUSES_PROPERTIES | NO_PROPERTY:
                    raise
                reader = AnswerReader(decoder)
                message = self._ask(self._requests.get_mime(mail.key, with_headers=False), reader)
                self._gives_headers = error.code in NO_PROPERTY
        except EwsError as error:
            raise self._mail_problem(mail, error) from error
        except AnswerStopped as error:
            # Something about this mail (its size, its content) may be the cause: others go on.
            raise MailUnreadable(f"{_which(mail)} kan niet worden opgehaald. {error}") from error
        identity = item_id(message)
        if identity is not None and identity[0] != mail.key:
            raise MailUnreadable("Exchange gaf een andere mail dan gevraagd; de importer probeert het later opnieuw.")
        if not reader.has_mime or not decoder.size:
            raise MailUnreadable(
                "Exchange geeft van een mail de inhoud (MIME) niet: open de mail in Outlook, en stuur hem door of zet "
                "hem op gelezen."
            )
        return transport_headers(message)

    def _get_headers(self, mail: MailReference) -> str:
        """The header block with which a mail arrived, empty where the server gives none."""
        if not self._gives_headers:
            return ""
        try:
            return transport_headers(self._ask(self._requests.get_headers(mail.key)))
        except EwsError as error:
            if error.code not in REFUSES_PROPERTIES | NO_PROPERTY:
                raise self._mail_problem(mail, error) from error
            return ""

    def _mail_problem(self, mail: MailReference, error: EwsError) -> Exception:
        if error.code in GONE:
            return MailGone(f"Mail {mail.key} is er niet meer.")
        return MailUnreadable(
            f"{_which(mail)} wordt door Exchange niet gegeven ({error.code}): open de mail in Outlook, en stuur hem "
            "door of zet hem op gelezen."
        )

    def _size(self, mail: MailReference) -> int | None:
        try:
            return item_size(self._ask(self._requests.get_size(mail.key)))
        except EwsError as error:
            raise self._mail_problem(mail, error) from error

    def _change_key(self, mail: MailReference) -> str:
        """The mail's change key of this moment; empty when it is gone."""
        try:
            identity = item_id(self._ask(self._requests.get_size(mail.key)))
        except EwsError as error:
            if error.code in GONE:
                return ""
            raise self._act_problem(error) from error
        return identity[1] if identity else ""

    def _target(self, path: str) -> FolderRef:
        """The folder of this path, made where it is missing."""
        try:
            return self._paths.find(path) or self._paths.make(path)
        except EwsError as error:
            raise self._act_problem(error) from error

    def _folder_problem(self, error: EwsError) -> Exception:
        """A refusal of a folder that was there when the mailbox was opened, or of the root."""
        if error.code in NO_FOLDER and not self._folder.distinguished:
            return MailboxMissing(
                f"De map «{self._name}» is er niet meer in {self._place.whose}: controleer de naam, of maak de map aan."
            )
        return ews_errors.ews_problem(error, self._place)

    def _act_problem(self, error: EwsError) -> Exception:
        if error.code == "ErrorAccessDenied":
            return AccessDenied(
                f"{self._place.login} mag in {self._place.whose} mails lezen, maar niet wijzigen (op gelezen zetten, "
                "verplaatsen, mappen maken): geef in Exchange volledige toegang tot die mailbox."
            )
        return ews_errors.ews_problem(error, self._place)

    def _description(self) -> str:
        how = self._connection.login_kind
        product = "een server die zijn versie niet noemt"
        if self._build is not None:
            build = self._build
            product = f"{next((name for least, name in NAMES if build >= least), 'Exchange')} (build {build})"
        entered = ""
        if self._place.address:
            way = "namens de eigenaar" if self._place.impersonate else "met eigen rechten"
            entered = f", {way} in {self._place.address}"
        return (
            f"EWS ({SCHEMAS[self._schema].name}) op {self._place.host}, {product}, ingelogd met {how} als "
            f"{self._place.login}{entered}"
        )


def _which(mail: MailReference) -> str:
    """A mail as a person finds it in Outlook."""
    return f"De mail van {mail.received_at:%d-%m-%Y %H:%M:%S} UTC"
