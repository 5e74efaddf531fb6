"""A mail out that is sent once more: to the address that its recipient has now, written anew, by a person alone.

Planned as a row of its own, which the notifier takes as any other: holds, tries and claims are its own. Loops and
limits (D10) are judged by the rules that ticket_writer plans by.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import asyncpg

from shared.database.counted_mails import OWN_ADDRESSES, SENT_ABOUT_TICKET, SENT_BY_SUBJECT, SENT_TO_ADDRESS
from shared.database.pool import Connection
from shared.messages import NotificationKind
from shared.portal.counted_addresses import counted_address, counted_domain
from shared.portal.mail_limits import LIMITS, Sent, over_limit_for_address, over_limit_for_ticket
from shared.portal.reasons import NotSentReason

_IS_RESENT: Final = """EXISTS (SELECT FROM notifications AS again WHERE again.mail_id = notification.mail_id
        AND again.kind = notification.kind AND again.resend_of = notification.id)"""
_HAS_ENDED: Final = f"""(notification.state IN ('sent', 'failed')
        OR notification.state = 'not-sent' AND notification.reason = '{NotSentReason.DISCARDED_BY_PERSON}')"""
MAY_BE_RESENT: Final = f"({_HAS_ENDED} AND NOT {_IS_RESENT})"
"""Whether the mail out of which the row is called `notification` came to an end of which a person may think otherwise:
sent, failed for good, or discarded; and is the last of its kind."""

_FACTS: Final = f"""
-- $1 notification, $2 helpdesks or null
SELECT notification.id, helpdesk.name AS helpdesk, ticket.number AS ticket, notification.kind,
    notification.subject, notification.state, notification.reason, notification.sent_at,
    coalesce(nullif(notification.report_diagnostic, ''), notification.server_reply) AS server_reply,
    notification.recipient_address AS earlier_recipient, recipient.name, recipient.address AS recipient,
    helpdesk.send_import_mails, helpdesk.unknown_senders_per_hour, {_HAS_ENDED} AS has_ended, {_IS_RESENT} AS is_resent,
    num_nulls(notification.recipient_person_id, notification.recipient_employee_id) = 2 AS is_to_nobody_known
FROM notifications AS notification
JOIN helpdesks AS helpdesk ON helpdesk.id = notification.helpdesk_id
JOIN tickets AS ticket ON ticket.id = notification.ticket_id
CROSS JOIN LATERAL recipient_now(notification.id) AS recipient
WHERE notification.id = $1 AND ($2::bigint[] IS NULL OR notification.helpdesk_id = ANY($2))
"""  # noqa: S608 - our own parts

_COUNTED: Final = f"""
-- $1 to $3 periods (`shared.database.counted_mails`), $4 notification, $5 what its address is counted by, $6 the domain
-- of an address that nobody knows, $7 whether nobody does
SELECT {OWN_ADDRESSES},
    {SENT_TO_ADDRESS},
    {SENT_ABOUT_TICKET}
FROM (SELECT notification.helpdesk_id, notification.ticket_id, mail.subject, $5::text AS counted_address,
          $6::text AS domain, $7::boolean AS is_unknown
      FROM notifications AS notification JOIN imported_mails AS mail USING (mail_id)
      WHERE notification.id = $4) AS given
JOIN tickets AS ticket ON ticket.id = given.ticket_id
{SENT_BY_SUBJECT}
"""  # noqa: S608 - our own parts

_SHOWN: Final = (
    "id", "helpdesk", "ticket", "kind", "subject", "state", "reason", "sent_at", "server_reply", "earlier_recipient",
    "name", "recipient",
)  # fmt: skip

_RESEND: Final = "SELECT resend_notification($1, $2, $3, $4)"


class Bar(StrEnum):
    """Why a mail out is not sent once more, beside what the rules for mails out say (NotSentReason)."""

    ALREADY = "already-resent"
    NOT_ENDED = "not-ended"
    NO_ADDRESS = "no-address-now"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mail out as it ended, and where it would go now: what a person says yes to. `barred`: why it may not."""

    id: uuid.UUID
    helpdesk: str
    ticket: str
    kind: str
    subject: str | None
    state: str
    reason: str | None
    sent_at: datetime | None
    server_reply: str | None
    earlier_recipient: str | None
    name: str
    recipient: str | None
    barred: Bar | NotSentReason | None


async def candidate(
    connection: Connection, notification: uuid.UUID, within: Sequence[int] | None = None
) -> Candidate | None:
    """The mail out of this id; None where there is none in these helpdesks (None: all)."""
    row = await connection.fetchrow(_FACTS, notification, within)
    if row is None:
        return None
    facts: dict[str, Any] = {name: row[name] for name in _SHOWN}
    return Candidate(**facts, barred=await _barred(connection, row))


async def resend(
    connection: Connection, notification: uuid.UUID, recipient: str, within: Sequence[int] | None = None
) -> bool:
    """Plan it once more, to the `recipient` whom a person has seen; False where it may not be, or would go elsewhere.

    Asked twice, or by two at once, it is planned once.
    """
    found = await candidate(connection, notification, within)
    if found is None or found.barred is not None or found.recipient != recipient:
        return False
    counted = (counted_address(recipient), counted_domain(recipient))
    return await connection.fetchval(_RESEND, notification, recipient, *counted) is not None


async def _barred(connection: Connection, row: asyncpg.Record) -> Bar | NotSentReason | None:
    if row["is_resent"]:
        return Bar.ALREADY
    if not row["has_ended"]:
        return Bar.NOT_ENDED
    return Bar.NO_ADDRESS if row["recipient"] is None else await _barred_by_rules(connection, row)


async def _barred_by_rules(connection: Connection, row: asyncpg.Record) -> NotSentReason | None:
    """The first reason of those for which ticket_writer would plan no mail, as things stand now."""
    to_customer = row["kind"] == NotificationKind.TICKET_ADDED_CUSTOMER
    if not to_customer and not row["send_import_mails"]:
        return NotSentReason.MAILS_OFF
    counted_as = counted_address(row["recipient"])
    is_unknown = to_customer and row["is_to_nobody_known"]
    counted = await connection.fetchrow(
        _COUNTED, LIMITS.period, LIMITS.after_unknown_recipient, LIMITS.unknown_period, row["id"], counted_as,
        counted_domain(row["recipient"]) if is_unknown else None, is_unknown,
    )  # fmt: skip
    assert counted is not None  # noqa: S101 - of a row that was just read
    if row["recipient"].lower() in counted["own_addresses"]:
        return NotSentReason.OWN_ADDRESS
    if to_customer:
        sent = Sent(**{each.name: counted[each.name] for each in fields(Sent)})
        return over_limit_for_address(sent, row["unknown_senders_per_hour"])
    return over_limit_for_ticket((counted["sent"] or {}).get(counted_as, 0))
