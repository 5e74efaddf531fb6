"""When the importer has nothing left to do, and what it still waits for (`helpdesk-importer run --until-idle`).

Idle is: each mailbox that is on and not paused had a good check since the run began, every mail taken in has its
outcome, the notifier knows of each ticket and supplement, no mail is due to go out, and the work and wait queues are
empty. What waits for a person (old mail, quarantine, dead letters, mails out that are held) or for another try
(notifications) counts as done. The database and the queues are asked at different moments, so all must be so twice in a
row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aio_pika.abc import AbstractChannel

from services.console import progress
from services.console.database import ConsoleConfiguration, open_database
from services.console.output import number, told_by
from services.console.progress import MailDue
from services.console.queues import BrokerConfiguration
from services.console.texts import _, ngettext, texts
from shared.broker.counting import counted
from shared.broker.session import Session
from shared.broker.topology import QUEUES, WORK_QUEUES, dead_queue
from shared.database.pool import Pool, connection, transaction
from shared.errors import Outage
from shared.standing import recorded
from shared.standing.needs import why_not_confirmed
from shared.standing.recorded import InstallationStanding, MailboxProgress, Unfinished

LOOK_SECONDS: Final = 0.5
CALM_LOOKS: Final = 2
NAMED: Final = 5
"""More mails out than these are counted, not named."""

_DEAD: Final = frozenset(dead_queue(queue.name) for queue in WORK_QUEUES)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that idleness is decided by, at one look; `began` is when the run began, by the database's clock."""

    began: datetime
    mailboxes: tuple[MailboxProgress, ...]
    unfinished: Unfinished
    mails_due: tuple[MailDue, ...]
    """The oldest of them."""
    queues: Mapping[str, int]
    """Messages ready, by queue."""
    installation: InstallationStanding | None = None

    @property
    def dead_letters(self) -> int:
        """Mails, or messages of which nobody knows the mail, that wait for a person."""
        return max(self.unfinished.dead_letters, sum(count for name, count in self.queues.items() if name in _DEAD))

    def waits(self) -> Iterator[str]:
        """A sentence for each thing that is not done; none when the importer is idle."""
        if self.installation is not None and self.installation.is_held:
            why = why_not_confirmed(self.installation)[texts().language == "nl"]
            follows = _("No mailbox is read and no mail is sent: see helpdesk-importer installation show.")
            yield f"{why} {follows}"
            return
        yield from (
            _unchecked(mailbox)
            for mailbox in self.mailboxes
            if mailbox.enabled
            and mailbox.paused_since is None
            and (mailbox.last_successful_check_at is None or mailbox.last_successful_check_at < self.began)
        )
        yield from (
            ngettext(
                "The queue %(queue)s holds %(count)s message.", "The queue %(queue)s holds %(count)s messages.", count
            )
            % {"queue": name, "count": number(count)}
            for name, count in self.queues.items()
            if count and name not in _DEAD
        )
        if count := self.unfinished.without_outcome:
            sentence = ngettext(
                "%(count)s mail taken in without an outcome yet.",
                "%(count)s mails taken in without an outcome yet.",
                count,
            )
            yield sentence % {"count": number(count)}
        if count := self.unfinished.untold:
            sentence = ngettext(
                "%(count)s ticket or supplement of which the notifier has not been told.",
                "%(count)s tickets or supplements of which the notifier has not been told.",
                count,
            )
            yield sentence % {"count": number(count)}
        yield from (
            _("The mail to %(to)s about ticket %(ticket)s (%(kind)s) is still to be sent.")
            % {"to": mail.recipient_address, "ticket": mail.ticket, "kind": mail.kind}
            for mail in self.mails_due
        )
        if (more := self.unfinished.mails_due - len(self.mails_due)) > 0:
            sentence = ngettext("%(count)s more mail still to be sent.", "%(count)s more mails still to be sent.", more)
            yield sentence % {"count": number(more)}


def _unchecked(mailbox: MailboxProgress) -> str:
    said = [_("The mailbox of %(helpdesk)s had no good check since this run began.") % {"helpdesk": mailbox.helpdesk}]
    if mailbox.problem is not None and mailbox.problem_since is not None:
        problem = {"since": _moment(mailbox.problem_since), "problem": mailbox.problem}
        said.append(_("Its problem since %(since)s: %(problem)s") % problem)
        if mailbox.next_check_at is not None:
            said.append(_("The next check is at %(at)s.") % {"at": _moment(mailbox.next_check_at)})
    return " ".join(said)


def _moment(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


class IdleWatch:
    """Looks until the importer is idle. `last` is the last situation seen, `trouble` what keeps us from looking."""

    def __init__(self) -> None:
        self._database = ConsoleConfiguration.load()
        self._broker = BrokerConfiguration.load().amqp_dsn
        self._began: datetime | None = None
        self.last: Situation | None = None
        self.trouble: str | None = _("Nothing could be asked of the database and RabbitMQ yet.")

    async def until_idle(self) -> Situation:
        """The situation in which there is nothing left to do. An outage is waited out. Raises Misconfigured."""
        while True:
            try:
                return await self._look_until_idle()
            except Outage as outage:
                self.trouble = told_by(outage)
                await asyncio.sleep(LOOK_SECONDS)

    def waits(self) -> list[str]:
        """A sentence for each thing that was not done at the last look."""
        if self.trouble is not None:
            return [self.trouble]
        return [] if self.last is None else list(self.last.waits())

    async def _look_until_idle(self) -> Situation:
        calm = 0
        async with (
            open_database(self._database) as pool,
            await Session.open(self._broker, "helpdesk-importer") as session,
        ):
            channel = await session.channel()
            began = self._began or await self._begin(pool)
            while True:
                self.last = await _look(pool, channel, began)
                self.trouble = None
                calm = 0 if any(self.last.waits()) else calm + 1
                if calm == CALM_LOOKS:
                    return self.last
                await asyncio.sleep(LOOK_SECONDS)

    async def _begin(self, pool: Pool) -> datetime:
        """Give the mailboxes their turn; checks that end from now on count."""
        async with transaction(pool) as acquired:
            self._began = await recorded.now(acquired)
            await progress.check_soon(acquired)
        return self._began


async def _look(pool: Pool, channel: AbstractChannel, began: datetime) -> Situation:
    queues = {name: count.ready for name, count in (await counted(channel, QUEUES)).items()}
    async with connection(pool) as acquired:
        return Situation(
            began,
            tuple(await recorded.mailboxes(acquired)),
            await recorded.unfinished(acquired),
            tuple(await progress.mails_due(acquired, NAMED)),
            queues,
            await recorded.installation(acquired),
        )
