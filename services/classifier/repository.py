"""What the classifier asks the database: settings before a mail is read, and one look-up after it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from services.classifier.reading.values import ReadingSettings
from services.classifier.rules.facts import Asked, Known, KnownTicket, Mailbox
from services.classifier.rules.flood import Budget
from services.classifier.rules.people import AskedAddress, People
from services.classifier.rules.sender_rule import Handle, RuleVerdict, SenderKind, SenderRule
from shared.broker.wire import Delivery
from shared.database.pool import Connection, Pool, connection
from shared.errors import DeadLetter
from shared.messages import EmployeeMatch, MailId, PersonMatch

OTHER_TICKETS: Final = 2
"""In the mails of how many other tickets an image stood before it counts as a logo."""

_SETTINGS: Final = """
    -- $1 helpdesks. Markers of all helpdesks: the ticket's own counts too, and is not known before reading (D15).
    SELECT helpdesk_id, coalesce(mailbox_address, CASE WHEN username LIKE '%@%' THEN username END) AS own_address,
        marker, own_list_ids, trusted_authserv_ids, follow_threads, reply_to_is_sender, forwarded_sender,
        organisation_by_domain, strip_image_metadata, fed_by_rule, mails_per_sender_per_hour,
        ARRAY(SELECT DISTINCT marker FROM importer_settings WHERE btrim(marker) <> '' ORDER BY marker) AS markers
    FROM importer_settings WHERE helpdesk_id = ANY($1::bigint[])"""

_LOOK_UP: Final = """
    -- $1 of each mail a row: its place, its helpdesk_id, and whose address is asked about: asked_roles, asked_ranks
    -- (0: as it stands, 1: without its tag) and asked_keys, side by side; likewise domain_roles and domains. Of the
    -- mail: numbers in its subject, own_message_ids that may be ours, thread (the mails that it answers: ours, or
    -- mails that were imported, D8), and handle_kinds with handle_patterns, by which a rule may know its sender.
    -- A number counts when it is of this helpdesk, or numbers of all count, or the two helpdesks share a group (D1).
    -- A thread counts within this helpdesk and its group; of a mail that went to both, this helpdesk's ticket first.
    -- UNION ends a circle of merged tickets.
    -- Who has an address as it stands goes before who has it without its tag. Its domain names an organisation only
    -- where nobody has the address, and all who have addresses there are of that organisation.
    -- OFFSET 0 makes PostgreSQL look each address up by itself, on its index.
    SELECT given.place, known.people, known.tickets, known.sender_rules
    FROM jsonb_to_recordset($1) AS given (
            place integer, helpdesk_id bigint, asked_roles text[], asked_ranks integer[], asked_keys text[],
            domain_roles text[], domains text[], numbers text[], own_message_ids text[], thread text[],
            handle_kinds text[], handle_patterns text[]),
        LATERAL (
        WITH RECURSIVE asked AS (
            SELECT role, rank, key
            FROM unnest(given.asked_roles, given.asked_ranks, given.asked_keys) AS asked (role, rank, key)
        ), holder AS (
            SELECT asked.role, asked.rank, address.person_id, NULL::bigint AS employee_id
            FROM asked CROSS JOIN LATERAL (
                SELECT person_id FROM person_addresses WHERE address_key = asked.key OFFSET 0) AS address
            UNION
            SELECT asked.role, asked.rank, NULL, address.employee_id
            FROM asked CROSS JOIN LATERAL (
                SELECT employee_id FROM employee_addresses WHERE address_key = asked.key OFFSET 0) AS address
        ), nearest AS (
            SELECT role, rank, person_id, employee_id
            FROM (SELECT *, min(rank) OVER (PARTITION BY role) AS least FROM holder) AS ranked WHERE rank = least
        ), neighbour AS NOT MATERIALIZED (
            SELECT of.role, person.organisation_id
            FROM unnest(given.domain_roles, given.domains) AS of (role, domain)
                CROSS JOIN LATERAL (SELECT person_id FROM person_addresses
                                    WHERE split_part(address_key, '@', 2) = of.domain OFFSET 0) AS address
                CROSS JOIN LATERAL (
                    SELECT persons.organisation_id FROM persons JOIN organisations ON organisations.id = organisation_id
                    WHERE persons.id = address.person_id AND persons.active AND organisations.active OFFSET 0) AS person
        ), of_domain AS (
            SELECT unknown.role, first.organisation_id
            FROM (SELECT DISTINCT role FROM unnest(given.domain_roles) AS role
                  WHERE NOT EXISTS (SELECT FROM nearest WHERE nearest.role = role.role)) AS unknown
                CROSS JOIN LATERAL (
                    SELECT organisation_id FROM neighbour WHERE neighbour.role = unknown.role LIMIT 1) AS first
            WHERE NOT EXISTS (SELECT FROM neighbour WHERE neighbour.role = unknown.role
                              AND neighbour.organisation_id <> first.organisation_id)
        ), named AS (
            SELECT number, NULL::text AS message_id, NULL::text AS thread, ticket_id, is_alias
            FROM ticket_numbers WHERE number = ANY(given.numbers)
            UNION ALL
            SELECT NULL, message_id, NULL, ticket_id, false FROM notifications
            WHERE message_id = ANY(given.own_message_ids)
            UNION ALL
            SELECT NULL, NULL, message_id, ticket_id, false FROM notifications
            WHERE message_id = ANY(given.thread) AND collects_until IS NULL -- a summary is of many tickets
            UNION ALL
            SELECT NULL, NULL, message_id_header, ticket_id, false FROM imported_mails
            WHERE message_id_header = ANY(given.thread) AND ticket_id IS NOT NULL
        ), way AS (
            SELECT named.number, named.message_id, named.thread, named.is_alias, ticket.id, ticket.merged_into_id,
                false AS merged
            FROM named JOIN tickets AS ticket ON ticket.id = named.ticket_id
            UNION
            SELECT way.number, way.message_id, way.thread, way.is_alias, ticket.id, ticket.merged_into_id, true
            FROM way JOIN tickets AS ticket ON ticket.id = way.merged_into_id
        ), target AS (
            SELECT way.number AS named_number, way.message_id, way.thread, way.is_alias, way.merged,
                ticket.id AS ticket_id, ticket.number, ticket.helpdesk_id, coalesce(theirs.marker, '') AS marker
            FROM way
                JOIN tickets AS ticket ON ticket.id = way.id
                JOIN helpdesks AS their_helpdesk ON their_helpdesk.id = ticket.helpdesk_id
                JOIN helpdesks AS our_helpdesk ON our_helpdesk.id = given.helpdesk_id
                JOIN importer_settings AS ours ON ours.helpdesk_id = given.helpdesk_id
                LEFT JOIN importer_settings AS theirs ON theirs.helpdesk_id = ticket.helpdesk_id
            WHERE way.merged_into_id IS NULL AND (
                ticket.helpdesk_id = given.helpdesk_id OR (way.thread IS NULL AND ours.numbers_of = 'all')
                OR way.message_id IS NOT NULL OR our_helpdesk.group_id = their_helpdesk.group_id)
        )
        SELECT
            (SELECT jsonb_object_agg(role, jsonb_build_object(
                'persons', (
                    SELECT jsonb_agg(jsonb_build_object(
                            'person_id', person.id, 'organisation_id', person.organisation_id, 'active', person.active)
                        ORDER BY NOT person.active, person.created_at, person.id)
                    FROM nearest JOIN persons AS person ON person.id = nearest.person_id WHERE nearest.role = of.role),
                'employee', (
                    SELECT jsonb_build_object('employee_id', employee.id, 'active', employee.active)
                    FROM nearest JOIN employees AS employee ON employee.id = nearest.employee_id
                    WHERE nearest.role = of.role ORDER BY NOT employee.active, employee.id LIMIT 1),
                'organisation_id', (SELECT organisation_id FROM of_domain WHERE of_domain.role = of.role),
                'by_tag', coalesce((SELECT max(rank) = 1 FROM nearest WHERE nearest.role = of.role), false)))
             FROM (SELECT DISTINCT role FROM asked) AS of) AS people,
            (SELECT jsonb_agg(to_jsonb(target) ORDER BY target.helpdesk_id <> given.helpdesk_id, target.ticket_id)
             FROM target) AS tickets,
            (SELECT jsonb_agg(to_jsonb(rule))
             FROM unnest(given.handle_kinds, given.handle_patterns) AS asked (kind, pattern)
                JOIN sender_rules AS rule USING (kind, pattern)
             WHERE rule.helpdesk_id = given.helpdesk_id OR rule.helpdesk_id IS NULL) AS sender_rules
        ) AS known"""


_REPEATED: Final = """
    -- $1 helpdesk_id, $2 mail_id, $3 digests of images, $4 how many other tickets make a logo.
    -- A thread that quotes an image in each of its mails is one ticket: that makes no logo.
    SELECT encode(asked.sha256, 'hex') AS sha256
    FROM unnest($3::bytea[]) AS asked (sha256)
    WHERE (SELECT count(*) FROM (
        SELECT DISTINCT mail.ticket_id
        FROM mail_blobs AS tie JOIN imported_mails AS mail USING (mail_id)
        WHERE tie.sha256 = asked.sha256 AND mail.helpdesk_id = $1 AND mail.mail_id <> $2 AND mail.ticket_id IS NOT NULL
        LIMIT $4) AS other) >= $4"""

_HOLD_FLOODS: Final = "SELECT mail_id, held_until FROM hold_floods($1)"

_TRIED_MAIL: Final = "SELECT mail FROM service_questions WHERE id = $1"

_SENDER: Final = "sender"
_ORIGINAL: Final = "original"


class UnknownHelpdesk(DeadLetter):
    """A mail of a helpdesk without importer settings: add them, then replay the mail."""


@dataclass(frozen=True, slots=True)
class HelpdeskSettings:
    """A helpdesk's settings, for the facts and for the reader."""

    mailbox: Mailbox
    reading: ReadingSettings


async def helpdesk_settings(pool: Pool, helpdesk_ids: Sequence[int]) -> list[HelpdeskSettings | UnknownHelpdesk]:
    """The settings of each helpdesk, or why there are none. Raises what `shared.database.pool` raises."""
    async with connection(pool) as acquired:
        rows = await acquired.fetch(_SETTINGS, list(set(helpdesk_ids)))
    known = {row["helpdesk_id"]: _settings(row) for row in rows}
    return [known.get(helpdesk_id) or _unknown(helpdesk_id) for helpdesk_id in helpdesk_ids]


def _unknown(helpdesk_id: int) -> UnknownHelpdesk:
    return UnknownHelpdesk(
        f"Helpdesk {helpdesk_id} has no settings of the importer (any more): add them, then replay this mail."
    )


def _settings(row: asyncpg.Record) -> HelpdeskSettings:
    return HelpdeskSettings(
        Mailbox(
            row["helpdesk_id"],
            own_address=row["own_address"],
            marker=row["marker"],
            follow_threads=row["follow_threads"],
            reply_to_is_sender=row["reply_to_is_sender"],
            forwarded_sender=row["forwarded_sender"],
            organisation_by_domain=row["organisation_by_domain"],
            mails_per_sender_per_hour=row["mails_per_sender_per_hour"],
        ),
        ReadingSettings(
            markers=tuple(row["markers"]),
            own_list_ids=tuple(row["own_list_ids"]),
            trusted_authserv_ids=tuple(row["trusted_authserv_ids"]),
            fed_by_rule=row["fed_by_rule"],
            strip_image_metadata=row["strip_image_metadata"],
            make_copies=True,
        ),
    )


async def record_number_pattern(pool: Pool, pattern: str) -> bool:
    """Tell the database by which pattern numbers are found; True when it is another than before (D1)."""
    async with connection(pool) as acquired:
        return bool(await acquired.fetchval("SELECT record_ticket_number_pattern($1)", pattern))


async def record_dead_letter(pool: Pool, delivery: Delivery, reason: str) -> None:
    """Notes in the ledger that this mail is parked (SPEC D7)."""
    if delivery.mail_id is None:
        return
    async with connection(pool) as acquired:
        await acquired.fetchval("SELECT record_dead_letter($1, $2, $3)", delivery.mail_id, delivery.queue, reason)


async def repeated(
    connection: Connection, helpdesk_id: int, mail_id: uuid.UUID, digests: Sequence[str]
) -> frozenset[str]:
    """Which of these images (SHA-256, hexadecimal) came with mails of at least OTHER_TICKETS other tickets (D4)."""
    if not digests:
        return frozenset()
    rows = await connection.fetch(
        _REPEATED, helpdesk_id, mail_id, [bytes.fromhex(digest) for digest in digests], OTHER_TICKETS
    )
    return frozenset(row["sha256"] for row in rows)


async def look_up(pool: Pool, asked: Sequence[tuple[int, Asked]]) -> list[Known]:
    """What the database knows of each mail, with its helpdesk's id, in one statement."""
    questions = [_question(place, *each) for place, each in enumerate(asked)]
    async with connection(pool) as acquired:
        rows = await acquired.fetch(_LOOK_UP, questions)
    known = {row["place"]: _known(row) for row in rows}
    return [known[place] for place in range(len(asked))]


async def hold_floods(pool: Pool, mails: Sequence[tuple[MailId, Budget]]) -> list[datetime | None]:
    """Until when each of these waits, since its sender's number of mails an hour is used up; None: it goes on."""
    asked = [
        {"place": place, "mail_id": str(mail_id), **asdict(budget)} for place, (mail_id, budget) in enumerate(mails)
    ]
    async with connection(pool) as acquired:
        held = {row["mail_id"]: row["held_until"] for row in await acquired.fetch(_HOLD_FLOODS, asked)}
    return [held.get(mail_id) for mail_id, _ in mails]


async def tried_mail(pool: Pool, question_id: int) -> bytes | None:
    """The mail that a person tries; None where he took it back."""
    async with connection(pool) as acquired:
        mail: bytes | None = await acquired.fetchval(_TRIED_MAIL, question_id)
    return mail


def _question(place: int, helpdesk_id: int, asked: Asked) -> dict[str, object]:
    addresses = {_SENDER: asked.address, _ORIGINAL: asked.original_address}
    people = [(role, each) for role, each in addresses.items() if each is not None]
    keys = [(role, rank, key) for role, each in people for rank, key in _ranked(each)]
    domains = [(role, domain) for role, each in people for domain in each.domains]
    return {
        "place": place,
        "helpdesk_id": helpdesk_id,
        "asked_roles": [role for role, _, _ in keys],
        "asked_ranks": [rank for _, rank, _ in keys],
        "asked_keys": [key for _, _, key in keys],
        "domain_roles": [role for role, _ in domains],
        "domains": [domain for _, domain in domains],
        "numbers": [token.text for token in asked.numbers],
        "own_message_ids": list(asked.message_ids),
        "thread": list(asked.thread),
        "handle_kinds": [handle.kind for handle in asked.handles],
        "handle_patterns": [handle.pattern for handle in asked.handles],
    }


def _known(row: asyncpg.Record) -> Known:
    tickets: list[Mapping[str, Any]] = row["tickets"] or []
    people: Mapping[str, Mapping[str, Any]] = row["people"] or {}
    return Known(
        sender=_people(people.get(_SENDER)),
        original=_people(people.get(_ORIGINAL)),
        tickets={ticket["named_number"]: _ticket(ticket) for ticket in tickets if ticket["named_number"]},
        own_messages={ticket["message_id"]: _ticket(ticket) for ticket in tickets if ticket["message_id"]},
        threads={ticket["thread"]: _ticket(ticket) for ticket in reversed(tickets) if ticket["thread"]},
        sender_rules=tuple(_sender_rule(rule) for rule in row["sender_rules"] or ()),
    )


def _sender_rule(row: Mapping[str, Any]) -> SenderRule:
    return SenderRule(
        Handle(SenderKind(row["kind"]), row["pattern"]),
        verdict=RuleVerdict(row["verdict"]),
        of_helpdesk=row["helpdesk_id"] is not None,
    )


def _ranked(asked: AskedAddress) -> Iterator[tuple[int, str]]:
    """The spellings of an address: as it stands (0), and without its tag (1)."""
    yield from ((0, key) for key in asked.exact)
    yield from ((1, key) for key in asked.without_tag)


def _people(row: Mapping[str, Any] | None) -> People:
    if row is None:
        return People()
    return People(
        persons=tuple(PersonMatch.model_validate(person) for person in row["persons"] or ()),
        employee=EmployeeMatch.model_validate(row["employee"]) if row["employee"] else None,
        organisation_id=row["organisation_id"],
        by_tag=row["by_tag"],
    )


def _ticket(row: Mapping[str, Any]) -> KnownTicket:
    return KnownTicket(
        number=row["number"],
        ticket_id=row["ticket_id"],
        helpdesk_id=row["helpdesk_id"],
        marker=row["marker"],
        is_alias=row["is_alias"],
        merged=row["merged"],
    )
