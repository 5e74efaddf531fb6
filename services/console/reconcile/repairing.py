"""`--repair`: makes due what the services then do as ever, and throws away messages of which nothing is wanted.

Nothing here writes a ticket, an outcome or a mail. Each repair is a row of the audit log, changes nothing when it is
done again, and looks once more whether it is still needed: the pipeline goes on meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from services.console.audit import Kind as AuditKind
from services.console.audit import record
from services.console.queues import BrokerConfiguration
from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import Kind
from services.console.reconcile.queues import done_by
from services.console.repairs.dead_letters import all_queues, drop, letters
from shared.broker.session import broker_trouble
from shared.database.pool import Pool, transaction
from shared.sentences import Sentence

BY_A_CHECK: Final = frozenset({Kind.NOT_TAKEN_IN, Kind.NOT_MARKED, Kind.NOT_FILED})

_CHECK_NOW: Final = """
    UPDATE mailbox_states SET next_check_at = '-infinity' WHERE helpdesk_id = ANY($1) AND next_check_at > now()
    RETURNING helpdesk_id"""
_PUBLISH_AGAIN: Final = """
    UPDATE imported_mails SET next_republish_at = now()
    WHERE mail_id = ANY($1) AND awaits_outcome AND next_republish_at > now() RETURNING mail_id, helpdesk_id"""
_SEND_NOW: Final = """
    UPDATE notifications SET next_try_at = now()
    WHERE id = ANY($1) AND state = 'planned' AND lease_until < now() AND next_try_at > now()"""


async def repair(
    pool: Pool, broker: BrokerConfiguration | None, differences: Sequence[Difference]
) -> Collection[Difference]:
    """Mend these, of which a repair is the remedy; those that are mended, or were meanwhile. Raises Outage, TryAgain.

    Without a `broker` the queues were not looked at either.
    """
    leftovers = [each for each in differences if each.kind is Kind.LEFTOVER]
    others = [each for each in differences if each.kind is not Kind.LEFTOVER]
    async with transaction(pool) as acquired:
        checked = sorted({each.helpdesk_id for each in others if each.kind in BY_A_CHECK and each.helpdesk_id})
        for row in await acquired.fetch(_CHECK_NOW, checked):
            mailbox = row["helpdesk_id"]
            await record(
                acquired, AuditKind.REPAIR, "checked-now", "mailbox_states", thing_id=str(mailbox), helpdesk_id=mailbox
            )
        for row in await acquired.fetch(_PUBLISH_AGAIN, [each.mail_id for each in others if each.kind is Kind.STUCK]):
            mail = row["mail_id"]
            await record(
                acquired, AuditKind.REPAIR, "published-again", "imported_mails", thing_id=str(mail),
                helpdesk_id=row["helpdesk_id"], mail_id=mail,
            )  # fmt: skip
        claims = [uuid.UUID(each.thing) for each in others if each.kind is Kind.CLAIM_OF_NOBODY and each.thing]
        await acquired.execute(_SEND_NOW, claims)  # a trigger records it
    if leftovers and broker is not None:
        return [*others, *await _throw_away(pool, broker, leftovers)]
    return others


async def _throw_away(
    pool: Pool, broker: BrokerConfiguration, leftovers: Sequence[Difference]
) -> Collection[Difference]:
    """Acknowledge the messages in the `.dead` queues, the ledger's note first; those that are gone now."""
    wanted = {each.thing: each for each in leftovers}
    async with letters(broker, all_queues()) as parked:
        for letter in parked:
            if letter.delivery.message_id not in wanted or letter.mail_id is None:
                continue
            async with transaction(pool) as acquired:
                if not await done_by(acquired, letter.mail_id, letter.delivery.queue):
                    del wanted[letter.delivery.message_id]
                    continue
                await drop(acquired, letter)
            with broker_trouble(Sentence("acknowledging a dead letter")):
                await letter.message.ack()
    return list(wanted.values())
