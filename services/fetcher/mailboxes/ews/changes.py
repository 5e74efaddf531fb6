"""What came into a folder, read or unread, by SyncFolderItems: its state says since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answer_reader import AnswerBroken
from services.fetcher.mailboxes.ews.answers import EwsError, created_items, synchronised
from services.fetcher.mailboxes.ews.response_codes import STATE_LOST
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.ews.soap_requests import FolderRef
from services.fetcher.mailboxes.protocol import (
    LONGEST_STATE,
    Arrivals,
    Listed,
    MailboxUnreachable,
    MailReference,
    arrival,
)

AT_ONCE: Final = 512
"""Changes in one answer, the most that Exchange gives."""
MOST_ANSWERS: Final = 1000


class Changes:
    """Follows `folder`."""

    def __init__(self, session: EwsSession, folder: FolderRef) -> None:
        self._session = session
        self._folder = folder

    def since(self, state: str | None, moment: datetime) -> Arrivals:
        """What came in since `state`; without one, or with one that is lost, what was received at `moment` or later.

        All of the folder is gone through then, for there is no other way to a state; nothing is kept of the rest.
        """
        try:
            return self._go_through(state or None, moment)
        except EwsError as error:
            if not state or error.code not in STATE_LOST:
                raise ews_errors.ews_problem(error, self._session.place) from error
        try:
            return self._go_through(None, moment)
        except EwsError as error:
            raise ews_errors.ews_problem(error, self._session.place) from error

    def _go_through(self, state: str | None, moment: datetime) -> Arrivals:
        now, mails, anew = datetime.now(UTC), Listed(), state is None
        for _ in range(MOST_ANSWERS):
            message = self._ask(state)
            try:
                created = created_items(message)
            except AnswerBroken:  # the next state would cover it, and nobody would see it any more
                raise ews_errors.incomplete_listing(self._session.place) from None
            arrived = (
                MailReference(
                    item.key, arrival(item.received_at, now), item.size, f"{item.element} {item.change_key}".strip()
                )
                for item in created
            )
            mails.add(mail for mail in arrived if not anew or mail.received_at >= moment)
            reached, is_last = synchronised(message)
            if not reached or len(reached) > LONGEST_STATE or (reached == state and not is_last):
                break
            state = reached
            if is_last or mails.is_full:
                return Arrivals(tuple(mails.all()), state, more=not is_last)
        raise MailboxUnreachable(
            f"{self._session.place.host} vertelt niet wat er nieuw is in {self._session.place.whose} "
            "(SyncFolderItems): zet «ook gelezen mail importeren vanaf» uit, dan wordt ongelezen mail geïmporteerd."
        )

    def _ask(self, state: str | None) -> Element:
        return self._session.ask(self._session.requests.sync_items(self._folder, state, AT_ONCE))
