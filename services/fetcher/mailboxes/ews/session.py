"""A conversation with an EWS server about one mailbox: in a version that it speaks, with its refusals sorted."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answer_reader import AnswerReader
from services.fetcher.mailboxes.ews.answers import (
    Build,
    EwsError,
    response_message,
    response_messages,
    server_build,
    succeeded,
)
from services.fetcher.mailboxes.ews.connection import EwsConnection
from services.fetcher.mailboxes.ews.errors import Place
from services.fetcher.mailboxes.ews.response_codes import BUSY, PASSING, WRONG_SCHEMA
from services.fetcher.mailboxes.ews.soap_requests import INBOX_ID, SCHEMAS, FolderRef, Requests

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


class EwsSession:
    """The mailbox at `place` behind `connection`. `requests` writes what to ask."""

    def __init__(self, connection: EwsConnection, place: Place) -> None:
        self.place = place
        self._connection = connection
        self._build: Build | None = None
        self._suppresses_receipts = True
        self._speak(0)

    @property
    def suppresses_receipts(self) -> bool:
        """Whether requests say that marking a mail sends no receipt; the first schema alone can."""
        return self._suppresses_receipts and self._schema == 0

    def agree(self) -> None:
        """Find the newest version of EWS that the server takes, and the mailbox's own server. Raises MailboxError."""
        self._build = server_build(self._ask_for_inbox())
        if self._build is not None and self._build < SCHEMAS[0].build:
            self.stop_suppressing_receipts()

    def stop_suppressing_receipts(self) -> None:
        """The server does not know that attribute, whatever version it says that it speaks."""
        self._suppresses_receipts = False
        self._speak(self._schema)

    def ask(self, envelope: bytes, reader: AnswerReader | None = None) -> Element:
        """The answer's message. Raises EwsError for a refusal that concerns this request, MailboxError for others."""
        try:
            return response_message(self._connection.ask(envelope, reader))
        except EwsError as error:
            if error.code in BUSY or error.code in PASSING:
                raise ews_errors.ews_problem(error, self.place) from error
            raise

    def ask_together(self, envelope: bytes, count: int) -> bool:
        """Whether all of so many things were done; where not, some of them may have been. Raises MailboxError."""
        try:
            messages = response_messages(self.ask_for_several(envelope))
        except EwsError:
            return False
        return len(messages) == count and all(map(succeeded, messages))

    def ask_for_several(self, envelope: bytes, reader: AnswerReader | None = None) -> Element:
        """The answer to a request about several things, some of which may be refused. Raises as `ask`."""
        try:
            return self._connection.send(envelope, reader or AnswerReader())
        except EwsError as error:
            if error.code in BUSY or error.code in PASSING:
                raise ews_errors.ews_problem(error, self.place) from error
            raise

    def describe(self) -> str:
        """What was found, in words."""
        product = "een server die zijn versie niet noemt"
        if self._build is not None:
            build = self._build
            product = f"{next((name for least, name in NAMES if build >= least), 'Exchange')} (build {build})"
        entered = ""
        if self.place.address:
            way = "namens de eigenaar" if self.place.impersonate else "met eigen rechten"
            entered = f", {way} in {self.place.address}"
        return (
            f"EWS ({SCHEMAS[self._schema].name}) op {self.place.host}, {product}, ingelogd met "
            f"{self._connection.login_kind} als {self.place.login}{entered}"
        )

    def _speak(self, schema: int) -> None:
        self._schema = schema
        self.requests = Requests(
            SCHEMAS[schema],
            self.place.address,
            impersonate=self.place.impersonate,
            suppress_receipts=self._suppresses_receipts,
        )

    def _ask_for_inbox(self) -> Element:
        inbox = FolderRef(INBOX_ID, distinguished=True)
        refusal: EwsError | None = None
        for schema in range(len(SCHEMAS)):
            self._speak(schema)
            try:
                return self._connection.ask(self.requests.get_folder(inbox))
            except EwsError as error:
                if error.code not in WRONG_SCHEMA:
                    raise ews_errors.ews_problem(error, self.place) from error
                refusal = error
        assert refusal is not None  # noqa: S101 - each of the versions was refused
        raise ews_errors.ews_problem(refusal, self.place) from refusal
