"""One mail, one result (D7, D13): duplicates, look-alikes, mails to two helpdesks, forced imports, replays."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ticket_writer.writing import UnknownMail
from shared.messages import ClassifiedMail, ContentKey, Outcome
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import candidate, digest, mail

LETTER = ContentKey(key=digest("letter"), text_digest=digest("text"))
SAME_KEY = ContentKey(key=digest("letter"), text_digest=digest("another text"))
OTHER_KEY = ContentKey(key=digest("letter of another date"), text_digest=digest("text"))


def letter(**changes: Any) -> ClassifiedMail:
    """The same letter every time, as another item of a mailbox."""
    return mail(**{"content_key": LETTER, "message_id": "letter@klant.example", **changes})


async def test_D13_the_second_copy_in_a_mailbox_is_a_duplicate(desk: Desk) -> None:
    first, second = letter(), letter()
    assert await desk.take_in(first) is Outcome.TICKET
    before = await desk.everything()
    assert await desk.take_in(second) is Outcome.DUPLICATE
    row = await desk.ledger_of(second)
    assert (row["duplicate_of"], row["ticket_id"]) == (first.mail_id, (await desk.ticket_of(first))["id"])
    assert row["reasons"][0] == {"id": "duplicate-content", "detail": "1000001"}
    assert await desk.everything() == before


@pytest.mark.parametrize("key", [SAME_KEY, OTHER_KEY], ids=["another text", "another date"])
async def test_D13_the_same_message_id_with_other_content_is_imported_and_listed(desk: Desk, key: ContentKey) -> None:
    await desk.take_in(letter())
    differs = letter(content_key=key)
    assert await desk.take_in(differs) is Outcome.TICKET
    assert (await desk.ticket_of(differs))["needs_review"]
    assert {"id": "same-message-id-differs", "detail": ""} in (await desk.ledger_of(differs))["reasons"]


async def test_D13_a_mail_to_two_helpdesks_is_a_ticket_in_each_and_they_name_each_other(desk: Desk) -> None:
    at_ict, at_facilities = letter(), letter(helpdesk_id=2)
    assert await desk.take_in(at_ict) is Outcome.TICKET
    assert await desk.take_in(at_facilities) is Outcome.TICKET
    notes = await desk.rows(
        """SELECT tickets.number, description FROM ticket_history JOIN tickets ON tickets.id = ticket_id
           WHERE kind = 'note' ORDER BY number"""
    )
    assert [tuple(note) for note in notes] == [
        ("1000001", "Dezelfde e-mail is ook naar helpdesk «Facilitair» gestuurd en is daar ticket 1000002."),
        ("1000002", "Dezelfde e-mail is ook naar helpdesk «ICT» gestuurd en is daar ticket 1000001."),
    ]


async def test_D13_one_ticket_takes_a_content_once_whichever_mailbox_brings_it(desk: Desk) -> None:
    await desk.take_in(mail())
    reply = letter(candidates=(candidate(),))
    copy = letter(candidates=(candidate(),), helpdesk_id=2)
    assert await desk.take_in(reply) is Outcome.SUPPLEMENT
    assert await desk.take_in(copy) is Outcome.DUPLICATE
    row = await desk.ledger_of(copy)
    assert row["duplicate_of"] == reply.mail_id
    assert row["reasons"][0] == {"id": "ticket-has-content", "detail": "1000001"}


async def test_D13_a_forced_import_is_exempt_and_claims_nothing(desk: Desk) -> None:
    first = letter()
    await desk.take_in(first)
    forced = letter(forced=True)
    await desk.fetch(forced, forced_from=first)
    assert await desk.write(forced) is Outcome.TICKET
    assert {"id": "forced", "detail": ""} in (await desk.ledger_of(forced))["reasons"]
    assert await desk.value("SELECT count(*) FROM content_keys") == 1


async def test_D13_a_quarantined_copy_never_swallows_the_good_one(desk: Desk) -> None:
    assert await desk.take_in(letter(sender=None)) is Outcome.QUARANTINE
    assert await desk.take_in(letter()) is Outcome.TICKET


async def test_D13_writers_racing_on_one_content_make_one_ticket(desk: Desk) -> None:
    copies = [await desk.fetch(letter()) for _ in range(8)]
    outcomes = await asyncio.gather(*(desk.write(copy) for copy in copies))
    assert sorted(outcomes) == [Outcome.DUPLICATE] * 7 + [Outcome.TICKET]
    assert await desk.value("SELECT count(*) FROM tickets") == 1


async def test_D13_two_helpdesks_racing_name_each_other_too(desk: Desk) -> None:
    copies = [await desk.fetch(letter(helpdesk_id=helpdesk)) for helpdesk in (1, 2)]
    assert await asyncio.gather(*(desk.write(copy) for copy in copies)) == [Outcome.TICKET] * 2
    assert await desk.value("SELECT count(DISTINCT ticket_id) FROM ticket_history WHERE kind = 'note'") == 2


async def test_D13_look_alikes_racing_are_listed_whichever_comes_second(desk: Desk) -> None:
    alikes = [await desk.fetch(letter(content_key=key)) for key in (LETTER, SAME_KEY, OTHER_KEY)]
    assert await asyncio.gather(*(desk.write(alike) for alike in alikes)) == [Outcome.TICKET] * 3
    assert await desk.value("SELECT count(*) FROM tickets WHERE needs_review") == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="ticket"),
        pytest.param({"candidates": (candidate(),)}, id="supplement"),
        pytest.param({"content_key": LETTER}, id="duplicate"),
        pytest.param({"sender": None}, id="quarantine"),
    ],
)
async def test_D7_writing_every_mail_twice_changes_nothing(desk: Desk, changes: dict[str, Any]) -> None:
    await desk.take_in(letter())
    given = mail(**changes)
    outcome = await desk.take_in(given)
    before, ledger = await desk.everything(), await desk.ledger_of(given)
    assert await desk.write(given) is outcome
    assert await desk.everything() == before
    assert await desk.ledger_of(given) == ledger
    assert await desk.value("SELECT count(*) FROM imported_mail_outcomes") == 0


async def test_D7_one_mail_in_two_hands_at_once_is_written_once(desk: Desk) -> None:
    given = await desk.fetch(mail())
    assert await asyncio.gather(*(desk.write(given) for _ in range(4))) == [Outcome.TICKET] * 4
    assert await desk.value("SELECT count(*) FROM tickets") == 1


async def test_D7_a_replay_gives_a_quarantined_mail_another_outcome_with_history(desk: Desk) -> None:
    given = mail(from_own_address=True)
    await desk.take_in(given)
    await desk.execute("UPDATE imported_mails SET replay_number = 1 WHERE mail_id = $1", given.mail_id)
    assert (await desk.ledger_of(given))["awaits_outcome"]
    assert await desk.write(given.model_copy(update={"from_own_address": False, "replay": 1})) is Outcome.TICKET
    assert not (await desk.ledger_of(given))["awaits_outcome"]
    assert (await desk.ledger_of(given))["outcome"] == "ticket"
    before = await desk.row("SELECT outcome, reasons FROM imported_mail_outcomes WHERE mail_id = $1", given.mail_id)
    assert (before["outcome"], before["reasons"][0]["id"]) == ("quarantine", "own-address")


async def test_D7_a_copy_of_a_quarantined_mail_that_grew_old_meanwhile_changes_nothing(desk: Desk) -> None:
    given = mail(sender=None, received_at=datetime.now(UTC))
    await desk.take_in(given)
    before = await desk.ledger_of(given)
    await desk.write(given.model_copy(update={"received_at": datetime(2026, 1, 1, tzinfo=UTC)}))
    assert await desk.ledger_of(given) == before


async def test_D7_a_redelivery_of_a_quarantined_mail_changes_nothing_and_each_replay_counts_once(desk: Desk) -> None:
    given = mail(from_own_address=True)
    await desk.take_in(given)
    usable = given.model_copy(update={"from_own_address": False})
    assert await desk.write(usable) is Outcome.QUARANTINE
    await desk.execute("UPDATE imported_mails SET replay_number = 2 WHERE mail_id = $1", given.mail_id)
    assert await desk.write(given.model_copy(update={"replay": 2})) is Outcome.QUARANTINE
    for late in (0, 1, 2):
        assert await desk.write(usable.model_copy(update={"replay": late})) is Outcome.QUARANTINE
    assert await desk.value("SELECT count(*) FROM imported_mail_outcomes WHERE mail_id = $1", given.mail_id) == 1


async def test_D7_a_dead_letter_that_is_replayed_becomes_a_ticket(desk: Desk) -> None:
    given = await desk.fetch(mail())
    await desk.repository.record_dead_letter(given.mail_id, "mail.classified", "our bug")
    assert (await desk.ledger_of(given))["outcome"] == "quarantine"
    assert await desk.write(given) is Outcome.TICKET
    assert await desk.value("SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL") == 0


async def test_a_mail_that_the_ledger_does_not_know_is_a_dead_letter(desk: Desk) -> None:
    with pytest.raises(UnknownMail, match="helpdesk-importer installation restored"):
        await desk.write(mail())
