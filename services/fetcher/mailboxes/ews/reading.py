"""Fetching mails of an Exchange mailbox: written where the caller wants them while they come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TypeVar

from services.fetcher.mailboxes.ews.answer_reader import AnswerReader, MimeDecoder
from services.fetcher.mailboxes.ews.answers import EwsError, item_id, item_size, transport_headers
from services.fetcher.mailboxes.ews.completing import complete, completed_head
from services.fetcher.mailboxes.ews.connection import AnswerStopped
from services.fetcher.mailboxes.ews.rebuild import NothingToRebuild, rebuild, rebuild_head
from services.fetcher.mailboxes.ews.response_codes import GONE, NO_MIME, NO_PROPERTY, REFUSES_PROPERTIES
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.protocol import MailGone, MailReference, MailTooLarge, MailUnreadable

T = TypeVar("T")


class _Enough(Exception):
    """The bytes that were wanted are there; the rest is not downloaded."""


class _NotWritten(Exception):
    """The caller's file did not take the mail: no fault of the connection."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _NoMime(Exception):
    """Exchange does not give this mail as MIME; `problem` is what is wrong if it cannot be rebuilt either."""

    def __init__(self, problem: Exception) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Reading:
    """Fetches what `session` gives. Raises what `Mailbox`'s methods raise."""

    def __init__(self, session: EwsSession) -> None:
        self._session = session
        self.gives_headers = True
        """Whether the server knows the property that holds a mail's header block."""

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
        except _NoMime as no_mime:
            return self._rebuilt(mail, no_mime, lambda: rebuild(self._session, mail, into, limit))
        return complete(into, start, decoder.size, block, limit)

    def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Write the mail's first whole lines; its size. See `Mailbox.fetch_head`.

        EWS has no way to ask for a part of a MIME message, so the answer is cut off once there is enough, and the
        header block, which comes last, is asked for by itself.
        """
        size = mail.size if mail.size is not None else self._size(mail)
        beginning = bytearray()

        def write(data: bytes) -> None:
            beginning.extend(data)
            if len(beginning) > limit:
                raise _Enough

        decoder = MimeDecoder(write)
        whole = True
        try:
            block = self._get_mime(mail, decoder)
        except _Enough:
            whole = False
            block = self._get_headers(mail)
        except _NoMime as no_mime:
            head = self._rebuilt(mail, no_mime, lambda: rebuild_head(self._session, mail))
            into.write(head if len(head) <= limit else head[: head.rfind(b"\n", 0, limit) + 1])
            return max(size or 0, len(head))
        completed = completed_head(bytes(beginning), block, limit)
        if whole and len(completed) <= limit:
            into.write(completed)
            return len(completed)
        completed = completed[:limit]
        into.write(completed[: completed.rfind(b"\n") + 1] or completed)
        return max(size or 0, decoder.size)

    def _get_mime(self, mail: MailReference, decoder: MimeDecoder) -> str:
        """Have the mail decoded; the header block with which it arrived, empty where the server gives none."""
        reader = AnswerReader([decoder])
        try:
            try:
                message = self._session.ask(
                    self._session.requests.get_mime([mail.key], with_headers=self.gives_headers), reader
                )
            except EwsError as error:
                if not self.gives_headers or error.code not in REFUSES_PROPERTIES | NO_PROPERTY:
                    raise
                reader = AnswerReader([decoder])
                message = self._session.ask(self._session.requests.get_mime([mail.key], with_headers=False), reader)
                self.gives_headers = error.code in NO_PROPERTY
        except EwsError as error:
            if error.code in NO_MIME:
                raise _NoMime(self._mail_problem(mail, error)) from error
            raise self._mail_problem(mail, error) from error
        except AnswerStopped as error:
            # Something about this mail (its size, its content) may be the cause: others go on.
            raise MailUnreadable(f"{_which(mail)} kan niet worden opgehaald. {error}") from error
        identity = item_id(message)
        if identity is not None and identity[0] != mail.key:
            raise MailUnreadable("Exchange gaf een andere mail dan gevraagd; de importer probeert het later opnieuw.")
        if not reader.has_mime or not decoder.size:
            raise _NoMime(
                MailUnreadable(
                    "Exchange geeft van een mail de inhoud (MIME) niet: open de mail in Outlook, en stuur hem door of "
                    "zet hem op gelezen."
                )
            )
        return transport_headers(message)

    def _rebuilt(self, mail: MailReference, no_mime: _NoMime, build: Callable[[], T]) -> T:
        """What is built of the mail's properties; where that cannot be had either, why there is no MIME."""
        try:
            return build()
        except (NothingToRebuild, EwsError):
            raise no_mime.problem from None
        except AnswerStopped as error:
            raise MailUnreadable(f"{_which(mail)} kan niet worden opgehaald. {error}") from error

    def _get_headers(self, mail: MailReference) -> str:
        """The header block with which a mail arrived, empty where the server gives none."""
        if not self.gives_headers:
            return ""
        try:
            return transport_headers(self._session.ask(self._session.requests.get_headers(mail.key)))
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
            return item_size(self._session.ask(self._session.requests.get_size(mail.key)))
        except EwsError as error:
            raise self._mail_problem(mail, error) from error


def _which(mail: MailReference) -> str:
    """A mail as a person finds it in Outlook."""
    return f"De mail van {mail.received_at:%d-%m-%Y %H:%M:%S} UTC"
