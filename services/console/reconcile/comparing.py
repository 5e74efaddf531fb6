"""The story of a comparison: each part in its turn, then the repairs; what could not be compared is told, and no more.

    mailboxes       what they have and the ledger has not; by a process of the fetcher
    ledger          what each mail became, beside tickets, supplements, pictures and notifications
    queues          messages, beside the mails that still have no outcome
    blobs           bytes that are needed, and bytes that nothing needs

What a running importer does within `grace` is no difference, so that a busy one that is well has none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from services.console.queues import BrokerConfiguration
from services.console.reconcile import blobs, ledger, mailboxes
from services.console.reconcile.blobs import Hashed
from services.console.reconcile.differences import Difference, Found
from services.console.reconcile.kinds import Remedy
from services.console.reconcile.queues import Queues
from services.console.reconcile.repairing import repair
from services.console.texts import N_
from shared.broker.administration import ManagementRefused
from shared.broker.session import BrokerOutage
from shared.database.pool import Pool, connection
from shared.errors import Misconfigured, Outage
from shared.sentences import Sentence, said_by

GRACE: Final = timedelta(hours=1)
"""What is younger is on its way: a fetcher publishes again within an hour what has no outcome."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is compared; `since`: read mail in the mailboxes too, from then on."""

    grace: timedelta = GRACE
    helpdesk_id: int | None = None
    since: datetime | None = None
    hash_all: bool = False
    repairs: bool = False


@dataclass(frozen=True, slots=True)
class Servers:
    """Whom to ask; `queues` None: RabbitMQ is left out, `with_mailboxes` false: so are they."""

    pool: Pool
    queues: Queues | None
    broker: BrokerConfiguration | None = None
    with_mailboxes: bool = True


@dataclass(slots=True)
class Report:
    """What a comparison came to, `at` a moment of the database's clock; `repaired` are among the differences."""

    at: datetime
    wanted: Wanted
    helpdesks: Mapping[int, str]
    looked_at: dict[str, int] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    not_compared: list[str] = field(default_factory=list)
    repaired: frozenset[Difference] = frozenset()

    @property
    def repaired_count(self) -> int:
        """How many differences were repaired."""
        return sum(difference.count for difference in self.repaired)

    @property
    def left(self) -> int:
        """How many differences are left that somebody must do something about."""
        return self.found.count_of(Remedy.REPAIR, Remedy.PERSON) - self.repaired_count

    @property
    def summary(self) -> dict[str, Any]:
        """What is kept of it: numbers alone."""
        return {
            "differences": self.left + self.repaired_count,
            "repaired": self.repaired_count,
            "left": self.left,
            "harmless": self.found.count_of(Remedy.NOTHING),
            "not_compared": len(self.not_compared),
            **self.looked_at,
        }


async def compare(servers: Servers, wanted: Wanted) -> Report:
    """Compare, and repair where that is wanted. Raises Outage or TryAgain where the database does not answer."""
    pool, grace, helpdesk_id = servers.pool, wanted.grace, wanted.helpdesk_id
    report = await _begun(pool, wanted)
    if servers.with_mailboxes:
        seen = await mailboxes.compare(pool, grace, wanted.since, helpdesk_id)
        report.looked_at |= {"mailboxes": seen.compared, "mails_in_mailboxes": seen.mails}
        report.found.add(seen.differences)
        report.not_compared += seen.not_compared
    await _count(report, "mails", ledger.of_mails(pool, grace, helpdesk_id))
    await _count(report, "tickets", ledger.of_tickets(pool, helpdesk_id))
    report.found.add(await ledger.of_notifications(pool, grace, helpdesk_id))
    if servers.queues is not None:
        await _compare_queues(servers.queues, pool, report)
    await _compare_blobs(pool, report)
    if wanted.repairs:
        report.repaired = await _repair(servers, report)
    return report


async def _begun(pool: Pool, wanted: Wanted) -> Report:
    async with connection(pool) as acquired:
        at = await acquired.fetchval("SELECT now()")
        helpdesks = {row["id"]: row["name"] for row in await acquired.fetch("SELECT id, name FROM helpdesks")}
    return Report(at, wanted, helpdesks)


async def _count(report: Report, what: str, pages: AsyncIterator[tuple[int, Sequence[Difference]]]) -> None:
    report.looked_at[what] = 0
    async for count, differences in pages:
        report.looked_at[what] += count
        report.found.add(differences)


async def _compare_queues(queues: Queues, pool: Pool, report: Report) -> None:
    try:
        seen, differences, notes = await queues.compare(pool, report.wanted.grace, report.wanted.helpdesk_id)
    except (Outage, ManagementRefused, Misconfigured) as trouble:
        report.not_compared.append(Sentence(N_("The queues: %(problem)s"), problem=said_by(trouble)))
        return
    report.looked_at["messages"] = seen
    report.found.add(differences)
    report.not_compared += notes


async def _compare_blobs(pool: Pool, report: Report) -> None:
    hashed = Hashed.all() if report.wanted.hash_all else Hashed.on(report.at.date())
    report.looked_at |= {"blobs": 0, "hashed": 0}
    async for count, hashed_ones, differences in blobs.damaged(pool, hashed, report.wanted.helpdesk_id):
        report.looked_at["blobs"] += count
        report.looked_at["hashed"] += hashed_ones
        report.found.add(differences)
    if report.wanted.helpdesk_id is None:
        report.found.add(await blobs.not_removed(pool))


async def _repair(servers: Servers, report: Report) -> frozenset[Difference]:
    try:
        return frozenset(await repair(servers.pool, servers.broker, report.found.of(Remedy.REPAIR)))
    except BrokerOutage as outage:
        report.not_compared.append(Sentence(N_("Not all was repaired: %(problem)s"), problem=said_by(outage)))
        return frozenset()
