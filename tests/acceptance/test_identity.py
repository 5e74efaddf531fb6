"""Mails that have to do with one another: copies, two helpdesks, limits, our own (D1, D6, D7, D10, D12, D13, D15)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import asyncpg
import pytest

from deploy.demo.maildir import Maildir
from tests.acceptance.desks import Desk, add_contact, add_employee, add_ticket, change_desk, invite, open_desk
from tests.acceptance.pipeline import Pipeline, a_mail
from tests.acceptance.rules.deadlines import clock
from tests.acceptance.story import Mail, dropped, facts_of, one, says


@pytest.fixture(scope="module")
async def desk(pipeline: Pipeline) -> Desk:
    """A helpdesk with the settings of the sample organisation's ICT-servicedesk."""
    return await open_desk(pipeline)


async def test_D1_imported_aliases_move_the_sequence_past_them(pipeline: Pipeline, desk: Desk) -> None:
    cast = await invite(pipeline)
    number = int(await add_ticket(pipeline, desk, cast)) + 40
    console = await asyncpg.connect(pipeline.installation.database.dsn("console").get_secret_value())
    try:
        await console.execute(
            "INSERT INTO helpdesk.ticket_numbers (number, ticket_id) SELECT $1, max(id) FROM helpdesk.tickets",
            str(number),
        )
    finally:
        await console.close()
    assert int((await one(pipeline, desk, Mail()))["number"]) > number


async def test_D1_numbers_of_a_group_of_helpdesks_are_known_within_it(pipeline: Pipeline) -> None:
    await pipeline.connection.execute("INSERT INTO helpdesk.helpdesk_groups (name) VALUES ('Samen')")
    ours, theirs = [await open_desk(pipeline, group="Samen", numbers_of="group") for _ in range(2)]
    number = await add_ticket(pipeline, theirs, await invite(pipeline))
    found = await one(pipeline, ours, Mail(subject="Ticket {number}"), number=number)
    assert (found["outcome"], found["number"]) == ("supplement", number)


async def test_A8_the_closed_ticket_names_the_new_one_too(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, new_ticket_after_days=1)
    closed = {"status": "Gereed", "completed_at": datetime.now(UTC) - timedelta(days=2)}
    old = await add_ticket(pipeline, desk, await invite(pipeline), **closed)
    new = await one(pipeline, desk, Mail(subject="Ticket {old}"), old=old)
    history = await pipeline.connection.fetchval(
        "SELECT string_agg(description, ' ') FROM helpdesk.ticket_history JOIN helpdesk.tickets AS ticket"
        " ON ticket.id = ticket_id WHERE ticket.number = $1",
        old,
    )
    assert history == says(f"als nieuw ticket {new['number']} ingelezen")


async def test_D6_our_own_mail_that_comes_back_is_a_supplement_and_is_not_answered(
    pipeline: Pipeline, desk: Desk
) -> None:
    asked = await one(pipeline, desk, Mail(sender="Lus <lus@elders.example>"))
    [confirmation] = pipeline.received(asked["confirmation"])
    back = (await facts_of(pipeline, [name := pipeline.drop(confirmation.content, desk.name)]))[name]
    assert (back["outcome"], back["number"], back["automatic"]) == ("supplement", asked["number"], "own")
    assert (back["status"], back["executor"]) == ("E-mail Geïmporteerd", "not-sent: automatic")


async def test_D6_D10_a_confirmation_that_bounces_is_failed_and_its_address_left_alone(
    pipeline: Pipeline, desk: Desk
) -> None:
    mail = Mail(sender="weg@elders.example")
    asked = await one(pipeline, desk, mail)
    bounce = Mail(
        file="automatic/bounce-rfc3464.eml",
        replaced={"ons.0f3a@helpdesk.example": "{confirmation}", "bounce.1@": "bounce.weg@"},
    )
    name = pipeline.drop(dropped(bounce, confirmation=asked["confirmation"]), desk.name)
    reported = (await facts_of(pipeline, [name]))[name]
    assert (reported["outcome"], reported["number"]) == ("supplement", asked["number"])
    assert reported["history"] == says("Onze e-mail aan weg@elders.example is niet afgeleverd (5.1.1)")
    sent = await pipeline.row(
        "SELECT * FROM ui_v1.notifications WHERE mail_id = $1 AND kind = 'ticket-added-customer'", asked["mail_id"]
    )
    assert (sent["state"], sent["reason"], sent["report_status"]) == ("failed", "unknown-recipient", "5.1.1")
    assert sent["report_mail_id"] == reported["mail_id"]
    assert (await one(pipeline, desk, mail))["customer"] == "not-sent: unknown-recipient"


async def test_D6_a_rule_lets_the_automatic_mail_of_a_domain_be_a_persons(pipeline: Pipeline, desk: Desk) -> None:
    await pipeline.connection.execute(
        "INSERT INTO helpdesk.sender_rules (kind, pattern, verdict)"
        " VALUES ('domain', 'systeem.example', 'allow-automatic')"
    )
    mail = Mail(sender="storing@west.systeem.example", headers={"Precedence": "bulk", "List-Id": "<x.systeem.example>"})
    found = await one(pipeline, desk, mail)
    assert (found["automatic"], found["customer"]) == (None, "sent to storing@west.systeem.example")
    assert "automatic-allowed" in found["reasons"]


async def test_D10_a_customer_gets_ten_mails_in_three_hours(pipeline: Pipeline, desk: Desk) -> None:
    names = [pipeline.drop(a_mail(sender="druk@elders.example"), desk.name) for _ in range(12)]
    told = Counter(facts["customer"] for facts in (await facts_of(pipeline, names)).values())
    assert told == {"sent to druk@elders.example": 10, "not-sent: over-limit": 2}


async def test_D10_a_customer_gets_two_mails_about_one_subject(pipeline: Pipeline, desk: Desk) -> None:
    names = [pipeline.drop(a_mail(sender="lus2@elders.example", subject="Steeds weer"), desk.name) for _ in range(4)]
    told = Counter(facts["customer"] for facts in (await facts_of(pipeline, names)).values())
    assert told == {"sent to lus2@elders.example": 2, "not-sent: over-limit-same-subject": 2}


async def test_D10_an_executor_gets_ten_mails_about_one_ticket(pipeline: Pipeline, desk: Desk) -> None:
    cast = await invite(pipeline)
    number = await add_ticket(pipeline, desk, cast)
    mails = [a_mail(sender=cast.senders["contact"], subject=f"Ticket {number}", text=f"Nr {n}") for n in range(12)]
    told = Counter(
        facts["executor"]
        for facts in (await facts_of(pipeline, [pipeline.drop(mail, desk.name) for mail in mails])).values()
    )
    assert told == {"sent to tom.jansen@oosterdam-services.example": 10, "not-sent: over-limit": 2}


async def test_D10_an_address_that_a_server_does_not_know_is_left_alone(pipeline: Pipeline, desk: Desk) -> None:
    pipeline.smtp.refused["bestaat.niet@elders.example"] = "550 5.1.1 User unknown"
    mail = Mail(sender="bestaat.niet@elders.example")
    assert (await one(pipeline, desk, mail))["customer"] == "failed: unknown-recipient"
    assert (await one(pipeline, desk, mail))["customer"] == "not-sent: unknown-recipient"


SEVERAL = {
    "an active contact goes before an inactive one": ([("Oud", False), ("Jong", True)], None, "Jong"),
    "else a participant of the ticket": ([("Oud", True), ("Jong", True)], "Jong", "Jong"),
    "else the oldest": ([("Oud", True), ("Jong", True)], None, "Oud"),
}


@pytest.mark.parametrize("case", SEVERAL)
async def test_D12_of_several_contacts_with_one_address(case: str, pipeline: Pipeline, desk: Desk) -> None:
    contacts, of_ticket, chosen = SEVERAL[case]
    cast = await invite(pipeline)
    address = f"gedeeld{cast.number}@bedrijf.example"
    for age, (name, active) in enumerate(contacts):
        key = await add_contact(
            pipeline.connection, cast.organisation_id, f"{name} {cast.number}", address, active=active
        )
        await pipeline.connection.execute(
            "UPDATE helpdesk.persons SET created_at = now() - $2::interval WHERE id = $1", key, timedelta(days=9 - age)
        )
    contact = f"{of_ticket} {cast.number}" if of_ticket else None
    number = await add_ticket(pipeline, desk, cast, **({"contact": contact} if contact else {}))
    found = await one(pipeline, desk, Mail(sender=address, subject="Ticket {number}"), number=number)
    assert found["informant"] == f"{chosen} {cast.number}"
    assert "several-contacts" in found["reasons"]


async def test_D12_an_address_that_is_a_contacts_and_an_employees_is_the_contacts(
    pipeline: Pipeline, desk: Desk
) -> None:
    cast = await invite(pipeline)
    address = f"beide{cast.number}@bedrijf.example"
    await add_contact(pipeline.connection, cast.organisation_id, f"Beide {cast.number}", address)
    await add_employee(pipeline.connection, f"Ook {cast.number}", address)
    found = await one(pipeline, desk, Mail(sender=address))
    assert (found["contact"], found["customer"]) == (f"Beide {cast.number}", f"sent to {address}")


async def test_D12_a_domain_is_the_same_in_either_spelling(pipeline: Pipeline, desk: Desk) -> None:
    cast = await invite(pipeline)
    unicode = f"bücher{cast.number}.example"
    ascii_ = unicode.encode("idna").decode()
    await add_contact(pipeline.connection, cast.organisation_id, f"Jan {cast.number}", f"jan@{unicode}")
    await add_contact(pipeline.connection, cast.organisation_id, f"Piet {cast.number}", f"piet@{ascii_}")
    assert (await one(pipeline, desk, Mail(sender=f"Jan@{ascii_.upper()}")))["contact"] == f"Jan {cast.number}"
    raw = a_mail(sender="x@elders.example").as_bytes().replace(b"x@elders.example", f"piet@{unicode}".encode())
    found = (await facts_of(pipeline, [name := pipeline.drop(raw, desk.name)]))[name]
    assert found["contact"] == f"Piet {cast.number}"


async def test_S5_a_domain_that_two_organisations_use_tells_none(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, organisation_by_domain=True)
    casts = [await invite(pipeline) for _ in range(2)]
    for cast, active in zip(casts, (True, False), strict=True):
        await add_contact(
            pipeline.connection,
            cast.organisation_id,
            f"Jan {cast.number}",
            f"jan{cast.number}@samen.example",
            active=active,
        )
    mail = Mail(sender="nieuw@samen.example")
    assert (await one(pipeline, desk, mail))["organisation"] == f"Bedrijf {casts[0].number}", "who left counts no more"
    await pipeline.connection.execute(
        "UPDATE helpdesk.persons SET active = true WHERE name = $1", f"Jan {casts[1].number}"
    )
    assert (await one(pipeline, desk, mail))["organisation"] == "Onbekende afzenders"


async def test_S7_D12_the_marker_line_heads_M2_M3_and_M4(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, marker="#-#-# antwoord hierboven #-#-#")
    asked = await one(pipeline, desk, Mail(sender="kop@elders.example"))
    added = await one(pipeline, desk, Mail(sender="kop@elders.example", subject="Ticket {n}"), n=asked["number"])
    sent = await pipeline.connection.fetch(
        "SELECT kind, message_id FROM helpdesk.notifications WHERE mail_id = ANY($1)",
        [asked["mail_id"], added["mail_id"]],
    )
    assert len(sent) == 3
    for row in sent:
        received = [message_from_bytes(each.content, policy=default) for each in pipeline.received(row["message_id"])]
        [mail] = [each for each in received if each["Message-ID"] == f"<{row['message_id']}>"]
        body = mail.get_body(("plain",))
        assert body is not None
        assert body.get_content().lstrip().startswith("#-#-# antwoord hierboven #-#-#"), row["kind"]


async def test_M4_D6_a_confirmation_is_threaded_and_says_that_it_is_automatic(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline, reply_to_address="antwoord@oosterdam-services.example")
    asked = await one(pipeline, desk, Mail(sender="kop2@elders.example", subject="Kopregels"))
    [delivery] = pipeline.received(asked["confirmation"])
    mail = message_from_bytes(delivery.content, policy=default)
    assert mail["Message-ID"] == f"<{asked['confirmation']}>"
    assert mail["In-Reply-To"] == f"<{asked['message_id']}>"
    assert mail["References"] == says(f"<{asked['message_id']}>")
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"]
    assert (mail["From"].addresses[0].display_name, mail["From"].addresses[0].addr_spec) == (
        asked["helpdesk"],
        desk.address,
    )
    assert mail["Reply-To"].addresses[0].addr_spec == "antwoord@oosterdam-services.example"
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}


async def test_D13_a_copy_in_the_same_mailbox_is_a_duplicate(pipeline: Pipeline, desk: Desk) -> None:
    mail = a_mail()
    first, again = pipeline.drop(mail, desk.name), pipeline.drop(mail, desk.name)
    facts = await facts_of(pipeline, [first, again])
    assert {each["outcome"] for each in facts.values()} == {"ticket", "duplicate"}
    assert len({each["number"] for each in facts.values()}) == 1
    assert "duplicate-content" in [reason for each in facts.values() for reason in each["reasons"]]


async def test_D13_a_mail_that_moved_with_its_mailbox_is_a_duplicate(pipeline: Pipeline) -> None:
    desk = await open_desk(pipeline)
    mail = a_mail()
    first = (await facts_of(pipeline, [name := pipeline.drop(mail, desk.name)]))[name]
    migrated = Maildir(pipeline.mailboxes / f"{desk.name}.migrated")
    copy = migrated.deliver(mail.as_bytes()).unique_name
    await change_desk(pipeline, desk, server=str(migrated.path))
    moved = (await facts_of(pipeline, [copy]))[copy]
    assert (moved["outcome"], moved["number"]) == ("duplicate", first["number"])


CHANGED: dict[str, dict[str, Any]] = {
    "text": {"text": "Een heel andere tekst."},
    "subject": {"subject": "Een ander onderwerp"},
    "sender": {"sender": "iemand.anders@elders.example"},
    "date": {"date": "Mon, 02 Jun 2025 10:00:00 +0200"},
}


@pytest.mark.parametrize("part", CHANGED)
async def test_D13_a_message_id_with_something_else_is_imported_and_listed(
    part: str, pipeline: Pipeline, desk: Desk
) -> None:
    given: dict[str, Any] = {"subject": f"Hetzelfde id {part}", "sender": "zelfde@elders.example"}
    first = a_mail(**given)
    await facts_of(pipeline, [pipeline.drop(first, desk.name)])
    changes = CHANGED[part]
    other = a_mail(**given | {name: value for name, value in changes.items() if name != "date"})
    for header, value in (("Message-ID", first["Message-ID"]), ("Date", changes.get("date", first["Date"]))):
        del other[header]
        other[header] = value
    found = (await facts_of(pipeline, [name := pipeline.drop(other, desk.name)]))[name]
    assert (found["outcome"], found["review"]) == ("ticket", True)
    assert "same-message-id-differs" in found["reasons"]


async def test_D13_a_mail_to_two_helpdesks_is_a_ticket_in_each_and_they_name_each_other(pipeline: Pipeline) -> None:
    desks = [await open_desk(pipeline) for _ in range(2)]
    mail = a_mail()
    names = [pipeline.drop(mail, desk.name) for desk in desks]
    facts = await facts_of(pipeline, names)
    one_, other = (facts[name] for name in names)
    assert one_["number"] != other["number"]
    for this, that in ((one_, other), (other, one_)):
        history = await pipeline.connection.fetchval(
            "SELECT string_agg(description, ' ') FROM helpdesk.ticket_history WHERE ticket_id = $1", this["ticket_id"]
        )
        assert history == says(f"naar helpdesk «{that['helpdesk']}» gestuurd en is daar ticket {that['number']}")


async def test_D13_one_ticket_takes_a_mail_once_whichever_mailbox_brings_it(pipeline: Pipeline, desk: Desk) -> None:
    other = await open_desk(pipeline)
    cast = await invite(pipeline)
    number = await add_ticket(pipeline, desk, cast)
    mail = a_mail(subject=f"Ticket {number}", sender=cast.senders["contact"])
    facts = await facts_of(pipeline, [pipeline.drop(mail, desk.name), pipeline.drop(mail, other.name)])
    assert {each["outcome"] for each in facts.values()} == {"supplement", "duplicate"}
    [duplicate] = [each for each in facts.values() if each["outcome"] == "duplicate"]
    assert "ticket-has-content" in duplicate["reasons"]
    assert duplicate["number"] == number


async def test_D15_the_tickets_helpdesk_decides_and_the_mailboxs_gives_contact_and_employee(
    pipeline: Pipeline,
) -> None:
    theirs = await open_desk(
        pipeline,
        marker="-- hun regel --",
        calendar="Gebouwbeheer",
        portal_supplement_status="Wacht op klant",
        templates={"supplement-added-executor": "Hun onderwerp [ticketnummer]"},
    )
    ours = await open_desk(pipeline, marker="-- onze regel --", default_employee="Fatima el Amrani")
    number = await add_ticket(
        pipeline, theirs, await invite(pipeline), priority="Hoog", recalculate_deadline=True, executor="Tom Jansen"
    )
    saturday = clock("2025-06-14 10:00")
    for marker in ("-- hun regel --", "-- onze regel --"):
        text = f"Ons antwoord.\n\n> {marker}\n> De vraag"
        mail = Mail(sender="{stranger}", subject="Ticket {number}", text=text, arrived=saturday)
        found = await one(pipeline, ours, mail, number=number, stranger=f"vreemd{len(marker)}@elders.example")
        assert (found["outcome"], found["reasons"]) == ("supplement", says("other-helpdesk"))
        assert found["body"] == says("Ons antwoord.", but_not=("De vraag",)), marker
        assert (found["status"], found["deadline"]) == ("Wacht op klant", clock("2025-06-14 14:00"))
        assert (found["changed_by"], found["informant"]) == ("Fatima el Amrani", "Onbekende afzender (ICT)")
    fresh = await one(
        pipeline, ours, Mail(sender="{stranger}", subject="Ticket {number}"), number=number, stranger="v@e.nl"
    )
    sent = await pipeline.connection.fetchval(
        "SELECT subject FROM helpdesk.notifications WHERE mail_id = $1", fresh["mail_id"]
    )
    assert sent == f"Hun onderwerp {number}"
