"""Arrival and size of a folder's mails, asked for once each.

QUIRK: Dovecot says BYE to who asks for a mail whose file it cannot read, whatever else was asked for; other servers
refuse the whole command. Then mails are asked for one by one, each after the answer to the one before: Dovecot keeps
answers back to join commands that come together. The one that costs a connection twice, or is refused by itself, is
known without its description: fetching it tells people why, and the others are imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.session import ImapSession
from services.fetcher.mailboxes.imap.trouble import Lost, Refusal
from services.fetcher.mailboxes.imap.values import Described
from services.fetcher.mailboxes.protocol import MailboxUnreachable

AT_ONCE: Final = 500
"""UIDs in one FETCH: its command line stays under the 8,192 bytes that RFC 7162 §4 asks of clients."""
MOST_REFUSED: Final = 20
"""Descriptions that a server may refuse one after another before the server itself is in trouble."""


class Descriptions:
    """By UID, of the mails that were asked for last. On one connection neither changes.

    On another one it may: a server that was restored from a back-up may give UIDs once more.
    """

    def __init__(self) -> None:
        self._known: dict[int, Described] = {}
        self._told_by: ImapSession | None = None
        """Who told all that is known; None in the middle of asking, which may take several."""
        self._validity = 0
        self._one_by_one = False
        self._accused: int | None = None
        """A connection was lost over it."""
        self.learned = 0
        """Grows when the loss of a connection teaches something: another try gets further."""

    def of(self, session: ImapSession, uids: Sequence[int]) -> dict[int, Described]:
        """The descriptions of those that are still there; all others are forgotten.

        Raises Lost; what came before is known by the next try.
        """
        if self._validity != session.uid_validity or (self._told_by is not None and self._told_by is not session):
            self._known, self._validity, self._accused = {}, session.uid_validity, None
        self._told_by = None
        now, new = datetime.now(UTC), [uid for uid in uids if uid not in self._known]
        for start in range(0, len(new), AT_ONCE):
            self._ask(session, new[start : start + AT_ONCE], now)
        self._accused = None
        self._told_by = session
        self._known = {uid: self._known[uid] for uid in uids if uid in self._known}
        return self._known

    def _ask(self, session: ImapSession, uids: Sequence[int], now: datetime) -> None:
        if not self._one_by_one:
            try:
                self._known |= session.describe(uids, now)
            except Lost:
                self._one_by_one = True
                self.learned += 1
                raise
            except Refusal:
                pass
            else:
                return
        refused: list[int] = []
        for place, uid in enumerate(uids):
            try:
                self._known |= session.describe([uid], now)
            except Lost:
                self._accuse(uid, now)
                raise
            except Refusal as refusal:
                refused.append(uid)
                if len(refused) == place + 1 > MOST_REFUSED:
                    raise MailboxUnreachable(
                        "De mailserver noemt van geen mail aankomst en grootte: laat zijn beheerder nagaan waarom. Hij "
                        f"antwoordt: «{answers.own_words(refusal.text)}»."
                    ) from None
        self._known |= dict.fromkeys(refused, Described(now, None))
        self._one_by_one = False

    def _accuse(self, uid: int, now: datetime) -> None:
        if self._accused == uid:
            self._known[uid] = Described(now, None)
        self._accused = uid
        self.learned += 1
