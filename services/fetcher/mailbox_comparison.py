"""`python -m services.fetcher compare SECONDS SINCE|- HELPDESK_ID…`: what mailboxes have that the ledger has not.

Nothing in a mailbox is changed, and nothing is taken in. Of each mailbox its unread mail is looked at, of one that
imports read mail too what arrived within RECENT; with SINCE (RFC 3339) all that was received from then on, read or not.
Mail that arrived less than SECONDS ago is on its way and no difference; nor is mail that the settings leave alone, or
that waits for a person (SPEC D18). The answer (`shared.asking`), for `helpdesk-importer reconcile`:

    {"ok": true, "mailboxes": [
        {"helpdesk_id": 1, "ok": true, "looked_at": 12, "set_back_to_unread": 1, "old_mail_waits": 0,
         "not_taken_in": {"count": 1, "mails": [{"mail_id": "…", "received_at": "2026-11-28T09:00:00Z"}]},
         "read_unknown": {"count": 0, "mails": []}},
        {"helpdesk_id": 2, "ok": false, "trouble": "MailboxMissing", "problem_kind": "…", "problem": "a sentence"}]}
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.fetcher.known import look_up
from services.fetcher.mailbox_check import GotOn, trouble_of, visit
from services.fetcher.mailboxes.protocol import Arrivals, Mailbox, MailboxError, MailReference
from services.fetcher.repository.ledger import Ledger
from services.fetcher.repository.trial import MailboxToTry, mailbox_to_try
from services.fetcher.rules.backlog import Backlog
from services.fetcher.rules.known_mail import Need, need
from shared.asking import Answer, Asked, told_at
from shared.blobs.postgres import PostgresBlobs
from shared.database.installation import presented
from shared.database.pool import connection
from shared.errors import ImporterError
from shared.mail_identity import mail_id
from shared.messages import MailId
from shared.sealing import Keyring

_CONFIRMED: Final = "SELECT installation_confirmed($1)"

PAGE: Final = 200
RECENT: Final = timedelta(days=7)
"""How far back mail is looked at that somebody read, where that is imported too."""
NAMED: Final = 1000
"""Mails of a mailbox that are named; of more there is the count."""
PATIENCE_SECONDS: Final = 300
"""For a mailbox that gives nothing more; one that goes on giving may be as large as it likes."""


@dataclass(slots=True)
class _Mails:
    """So many mails, the first of them named."""

    count: int = 0
    named: list[Answer] = field(default_factory=list)

    def add(self, identity: MailId, mail: MailReference) -> None:
        self.count += 1
        if len(self.named) < NAMED:
            self.named.append({"mail_id": str(identity), "received_at": told_at(mail.received_at)})

    def told(self) -> Answer:
        return {"count": self.count, "mails": self.named}


@dataclass(slots=True)
class _Compared:
    """What one mailbox has."""

    looked_at: int = 0
    set_back_to_unread: int = 0
    old_mail_waits: int = 0
    not_taken_in: _Mails = field(default_factory=_Mails)
    read_unknown: _Mails = field(default_factory=_Mails)

    def told(self) -> Answer:
        return {
            "looked_at": self.looked_at,
            "set_back_to_unread": self.set_back_to_unread,
            "old_mail_waits": self.old_mail_waits,
            "not_taken_in": self.not_taken_in.told(),
            "read_unknown": self.read_unknown.told(),
        }


async def compare_mailboxes(
    asked: Asked, *, older_than: timedelta, since: datetime | None, helpdesk_ids: Sequence[int]
) -> Answer:
    """The mailboxes of these helpdesks one after the other; a mailbox that cannot be used says why.

    Raises NotConfirmed where the database may be a copy: nobody logs in to a mailbox by what it says.
    """
    await _refuse_a_copy(asked)
    keyring = Keyring.from_secret(asked.configuration.secret("encryption_keys"))
    ledger = Ledger(asked.pool, PostgresBlobs(asked.pool))
    told = []
    for helpdesk_id in helpdesk_ids:
        mailbox = await mailbox_to_try(asked.pool, helpdesk_id, keyring)
        if mailbox is not None:
            comparison = Comparison(mailbox, ledger, older_than, since)
            told.append({"helpdesk_id": helpdesk_id, **await _compare(asked, mailbox, comparison)})
    return {"ok": True, "mailboxes": told}


class NotConfirmed(ImporterError):
    """The database is not confirmed for this installation."""


async def _refuse_a_copy(asked: Asked) -> None:
    presents = presented(asked.configuration.secret_if_given("installation_id"))
    async with connection(asked.pool) as acquired:
        if not await acquired.fetchval(_CONFIRMED, presents):
            raise NotConfirmed(
                "This database is not confirmed for this installation, so no mailbox is looked into: "
                "helpdesk-importer installation show says why."
            )


async def _compare(asked: Asked, mailbox: MailboxToTry, comparison: Comparison) -> Answer:
    try:
        compared = await visit(asked.pool, mailbox, comparison.of, within=PATIENCE_SECONDS)
    except MailboxError as error:
        return {"ok": False, **trouble_of(error)}
    return {"ok": True, **compared.told()}


class Comparison:
    """A mailbox beside the ledger. What is to be taken in says the rule by which checks go (SPEC D18)."""

    def __init__(self, tried: MailboxToTry, ledger: Ledger, older_than: timedelta, since: datetime | None) -> None:
        self._tried = tried
        self._ledger = ledger
        self._before = tried.at - older_than
        self._since = since

    async def of(self, mailbox: Mailbox, got_on: GotOn) -> _Compared:
        """What it has, page by page, after each of which it got on; raises MailboxError."""
        compared = _Compared()
        backlog: Backlog[MailReference] = Backlog(self._tried.old_mail)
        seen: set[MailId] = set()
        async for page in mailbox.unread(PAGE):
            listed, needs = await self._needs(page, compared)
            seen |= listed.keys()
            compared.set_back_to_unread += sum(wanted is Need.NOTHING for wanted in needs.values())
            backlog, wanted = backlog.admit([listed[each] for each, what in needs.items() if what is Need.TAKE_IN])
            self._note(wanted, compared.not_taken_in)
            got_on()
        self._note(backlog.close(), compared.not_taken_in)
        compared.old_mail_waits = backlog.waiting.count if backlog.waiting else 0
        async for arrived in self._arrived(mailbox):
            listed, needs = await self._needs([mail for mail in arrived if self._id(mail) not in seen], compared)
            seen |= listed.keys()
            unknown = [listed[each] for each, what in needs.items() if what is Need.TAKE_IN]
            self._note([mail for mail in unknown if self._is_due(mail)], compared.not_taken_in)
            self._note([mail for mail in unknown if not self._is_due(mail)], compared.read_unknown)
            got_on()
        return compared

    async def _arrived(self, mailbox: Mailbox) -> AsyncIterator[Sequence[MailReference]]:
        """What was received of late, read or not; nothing where nobody asked and unread mail alone is imported."""
        follows = self._tried.read_mail_from
        starts = [self._since] if self._since else []
        starts += [max(follows, self._tried.at - RECENT)] if follows else []
        if not starts:
            return
        start = min(starts)
        given: Arrivals | None = None
        while given is None or given.more:
            given = await mailbox.arrivals(None if given is None else given.state, start)
            arrived = [mail for mail in given.mails if mail.received_at >= start]  # a further look gives older ones too
            for first in range(0, len(arrived), PAGE):
                yield arrived[first : first + PAGE]

    async def _needs(
        self, mails: Sequence[MailReference], compared: _Compared
    ) -> tuple[dict[MailId, MailReference], dict[MailId, Need]]:
        """By its identity, each of them and what it still needs, by what the ledger knows of it."""
        listed, known = await look_up(self._ledger, mails, self._id)
        compared.looked_at += len(listed)
        return listed, {identity: need(known.get(identity)) for identity in listed}

    def _is_due(self, mail: MailReference) -> bool:
        """Whether it is imported though somebody read it."""
        follows = self._tried.read_mail_from
        return follows is not None and mail.received_at >= max(follows, self._tried.at - RECENT)

    def _note(self, mails: Sequence[MailReference], among: _Mails) -> None:
        for mail in mails:
            if mail.received_at < self._before:
                among.add(self._id(mail), mail)

    def _id(self, mail: MailReference) -> MailId:
        folder = self._tried.access.folder
        return mail_id(self._tried.helpdesk_id, self._tried.generation, folder, mail.key)
