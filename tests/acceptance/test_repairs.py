"""What people do with the command line, and what the real services then make of it (SPEC D7, D13, D17, D18, D20)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from shared.broker.topology import MAIL_CLASSIFIED
from tests.acceptance.command_line import CommandLine
from tests.acceptance.pipeline import Pipeline, a_mail, eventually

OLD = timedelta(days=30)


@pytest.fixture
def importer(pipeline: Pipeline) -> CommandLine:
    return CommandLine(pipeline)


async def later_outcome(pipeline: Pipeline, mail_id: Any, outcome: str) -> Any:
    """The ledger's row of a mail once it has this outcome and awaits no other."""
    return await pipeline.row(
        "SELECT * FROM helpdesk.imported_mails WHERE mail_id = $1 AND outcome = $2 AND NOT awaits_outcome",
        mail_id,
        outcome,
    )


async def test_D13_a_person_forces_a_second_ticket_and_a_copy_alone_makes_none(
    pipeline: Pipeline, importer: CommandLine
) -> None:
    mail = a_mail(subject="Nogmaals", sender="nogmaals@elders.example")
    first = await pipeline.ticket(mail)
    assert (await pipeline.outcome(pipeline.drop(mail)))["outcome"] == "duplicate"

    await importer("mails", "force", str(first["mail_id"]), "--without-mails")
    forced = await pipeline.row(
        "SELECT * FROM helpdesk.imported_mails WHERE forced_from = $1 AND outcome IS NOT NULL", first["mail_id"]
    )
    assert forced["outcome"] == "ticket"
    assert forced["ticket_id"] != first["id"]
    assert "forced" in [reason["id"] for reason in json.loads(forced["reasons"])]
    sent = await pipeline.notifications(forced["mail_id"])
    assert {row["reason"] for row in sent.values()} == {"without-mails"}
    shown = await importer.json("mails", "show", str(first["mail_id"]))
    assert [each["mail_id"] for each in shown["forced_imports"]] == [str(forced["mail_id"])]


async def test_D17_a_blocked_sender_is_quarantined_and_imported_once_he_is_allowed(
    pipeline: Pipeline, importer: CommandLine
) -> None:
    await importer("senders", "block", "opdringerig.example")
    mail = a_mail(subject="Koop nu", sender="Verkoop <verkoop@mail.opdringerig.example>")
    quarantined = await pipeline.outcome(pipeline.drop(mail))
    assert quarantined["outcome"] == "quarantine"
    (reason,) = json.loads(quarantined["reasons"])[:1]
    assert reason == {"id": "sender-blocked", "detail": "opdringerig.example"}
    mail_id = str(quarantined["mail_id"])
    listed = await importer.json("quarantine", "list", "--reason", "sender-blocked")
    assert mail_id in [each["mail_id"] for each in listed]

    await importer("senders", "allow", "verkoop@mail.opdringerig.example", "--helpdesk", "ICT-servicedesk")
    await importer("quarantine", "replay", mail_id)
    replayed = await later_outcome(pipeline, quarantined["mail_id"], "ticket")
    assert "sender-allowed" in [reason["id"] for reason in json.loads(replayed["reasons"])]
    shown = await importer.json("mails", "show", mail_id)
    assert [each["outcome"] for each in shown["earlier_outcomes"]] == ["quarantine"]
    assert shown["replays"] == 1


async def test_D17_a_blocked_mailing_list_is_quarantined_and_its_sender_is_not(
    pipeline: Pipeline, importer: CommandLine
) -> None:
    await importer("senders", "block", "<nieuws.goudenaar.example>")
    sender = "nieuws@goudenaar.example"
    news = a_mail(subject="Nieuwsbrief", sender=sender, list_id="Ons nieuws <Nieuws.Goudenaar.Example>")
    assert (await pipeline.reasons(pipeline.drop(news)))[0] == "list-blocked"
    assert (await pipeline.ticket(a_mail(subject="Vraag van de redactie", sender=sender)))["title"]


async def test_D7_a_quarantined_mail_that_is_replayed_in_vain_stays_and_is_discarded(
    pipeline: Pipeline, importer: CommandLine
) -> None:
    quarantined = await pipeline.outcome(pipeline.drop(b"Subject: van niemand, opnieuw\n\nHallo\n"))
    mail_id = quarantined["mail_id"]
    await importer("quarantine", "replay", str(mail_id))
    again = await pipeline.row(
        "SELECT * FROM helpdesk.imported_mails WHERE mail_id = $1 AND decided_replay = 1", mail_id
    )
    assert (again["outcome"], again["awaits_outcome"]) == ("quarantine", False)
    await importer("quarantine", "discard", str(mail_id))
    assert str(mail_id) not in [each["mail_id"] for each in await importer.json("quarantine", "list", "--limit", "999")]
    assert await importer("mails", "export", str(mail_id)) == "Subject: van niemand, opnieuw\n\nHallo\n"


async def test_D7_a_dead_letter_is_replayed_into_a_ticket_once_its_cause_is_mended(
    pipeline: Pipeline, importer: CommandLine
) -> None:
    ticket = await pipeline.ticket(a_mail(subject="De lamp flikkert", sender="lamp@elders.example"), "facilitair")
    await importer("importer", "set", "Facilitair", "--no-enabled", "--default-employee", "")
    await importer("mails", "force", str(ticket["mail_id"]))
    parked = await pipeline.row(
        "SELECT mail_id, decided_replay FROM helpdesk.imported_mails WHERE forced_from = $1 AND outcome = 'quarantine'",
        ticket["mail_id"],
    )
    letter = await eventually(lambda: letter_of(parked, importer), "the dead letter")
    assert letter["queue"] == MAIL_CLASSIFIED
    assert "«Standaard werknemer»" in letter["reason"]

    await importer("importer", "set", "Facilitair", "--default-employee", "E-mail importer", "--enabled")
    await importer("dead-letters", "replay", letter["mail_id"])
    row = await later_outcome(pipeline, parked["mail_id"], "ticket")
    assert (row["replay_number"], row["decided_replay"]) == (0, 0)
    assert await letter_of(parked, importer) is None


async def letter_of(mail: Any, importer: CommandLine) -> Any:
    """The one dead letter of a mail, None while there is none."""
    letters = await importer.json("dead-letters", "list")
    of_mail = [letter for kind in letters.values() for letter in kind if letter["mail_id"] == str(mail["mail_id"])]
    assert len(of_mail) <= 1
    return of_mail[0] if of_mail else None


async def test_D20_a_stranger_who_is_held_counts_once_he_is_accepted(pipeline: Pipeline, importer: CommandLine) -> None:
    ticket = await pipeline.ticket(a_mail(subject="Vasthouden"))
    await importer("importer", "set", "ICT-servicedesk", "--hold-strangers")
    held = await pipeline.supplement(
        a_mail(subject=f"Re: Ticket {ticket['number']}", sender="Vreemd <vreemd@vreemd.example>")
    )
    await importer("importer", "set", "ICT-servicedesk", "--no-hold-strangers")
    assert (held["held_for_review"], held["visible_to_customer"]) == (True, False)
    (waits,) = [each for each in await importer.json("review", "list") if each["mail_id"] == str(held["mail_id"])]
    assert (waits["held"], waits["ticket"]) == (True, ticket["number"])
    await importer("review", "accept", str(held["mail_id"]))
    accepted = await pipeline.row(
        "SELECT supplement.*, ticket.status_id AS ticket_status_id,"
        " ticket_helpdesk.portal_supplement_status_id AS setting"
        " FROM helpdesk.supplements AS supplement JOIN helpdesk.tickets AS ticket ON ticket.id = supplement.ticket_id"
        " JOIN helpdesk.helpdesks AS ticket_helpdesk ON ticket_helpdesk.id = ticket.helpdesk_id"
        " WHERE supplement.id = $1",
        held["id"],
    )
    assert not accepted["held_for_review"]
    assert accepted["status_id"] == accepted["ticket_status_id"] == accepted["setting"]


def an_old_mail(subject: str) -> EmailMessage:
    return a_mail(subject=subject, sender=f"{subject.replace(' ', '.')}@backlog.example".lower())


@pytest.fixture
async def small_backlog(importer: CommandLine) -> AsyncIterator[None]:
    """More than one old mail at once waits, for the time of a test; off, until the test has delivered them all."""
    await importer("importer", "set", "ICT-servicedesk", "--backlog-limit", "1", "--no-enabled")
    yield
    await importer("importer", "set", "ICT-servicedesk", "--backlog-limit", "200", "--enabled")


@pytest.mark.usefixtures("small_backlog")
@pytest.mark.parametrize(
    ("choice", "outcome", "reasons"),
    [
        pytest.param("mark-read", "quarantine", {"marked-read-by-person"}, id="mark read"),
        pytest.param("import-without-mails", "ticket", {"without-mails"}, id="import without mails"),
        pytest.param("import", "ticket", set(), id="import"),
    ],
)
async def test_D18_a_person_chooses_for_the_old_mail_that_waits(
    pipeline: Pipeline, importer: CommandLine, choice: str, outcome: str, reasons: set[str]
) -> None:
    arrived = (datetime.now(UTC) - OLD).timestamp()
    names = [pipeline.drop(an_old_mail(f"Oud {number} {choice}"), arrived=arrived + number) for number in (1, 2, 3)]
    await importer("importer", "set", "ICT-servicedesk", "--enabled")
    await pipeline.row("SELECT 1 FROM helpdesk.mailbox_states JOIN helpdesk.helpdesks ON helpdesks.id = helpdesk_id"
                       " WHERE name = 'ICT-servicedesk' AND backlog_waiting = 3")  # fmt: skip
    # the newer mail goes on meanwhile
    await pipeline.ticket(a_mail(subject=f"Nieuw {choice}", sender="nieuw@backlog.example"))
    assert await waiting(importer) == [3]

    await importer("backlog", "choose", "ICT-servicedesk", choice)
    rows = [await pipeline.outcome(name) for name in names]
    assert {row["outcome"] for row in rows} == {outcome}
    await pipeline.row("SELECT 1 FROM helpdesk.mailbox_states WHERE helpdesk_id = $1 AND backlog_choice IS NULL"
                       " AND backlog_waiting = 0", rows[0]["helpdesk_id"])  # fmt: skip
    for name, row in zip(names, rows, strict=True):
        assert row["choice"] == choice
        await pipeline.row("SELECT 1 FROM helpdesk.imported_mails WHERE mail_id = $1 AND marked_read_at IS NOT NULL",
                           row["mail_id"])  # fmt: skip
        if outcome == "quarantine":
            assert set((await pipeline.reasons(name))[:1]) == reasons
        else:
            sent = await pipeline.notifications(row["mail_id"])
            customer = sent["ticket-added-customer"]
            assert {customer["reason"]} - {None} == reasons
            assert customer["state"] == ("not-sent" if reasons else "sent")
    assert await waiting(importer) == []


async def waiting(importer: CommandLine) -> list[int]:
    """How much old mail of the helpdesk waits for a person, if any does."""
    backlogs = await importer.json("backlog", "list")
    return [backlog["waiting"] for backlog in backlogs if backlog["helpdesk"] == "ICT-servicedesk"]
