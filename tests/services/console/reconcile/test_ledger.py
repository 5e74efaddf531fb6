"""Each kind of difference that the database shows, and that nothing is told of an installation that is well."""

from __future__ import annotations

import pytest

from services.console.reconcile.kinds import KINDS, Kind, Remedy
from tests.services.console.reconcile.conftest import MAIL, Installation, told

TICKET, OF_ANOTHER, SUPPLEMENT, DUPLICATE, QUARANTINED = (MAIL.format(n) for n in range(1, 6))

INJECTED = {
    "its ticket is gone": (
        "UPDATE tickets SET mail_id = NULL WHERE mail_id = 'mail:1'",
        [(Kind.NO_TICKET, "1")],
    ),
    "its supplement is gone": ("DELETE FROM supplements", [(Kind.NO_SUPPLEMENT, "3")]),
    "the original of a duplicate became nothing": (
        """UPDATE imported_mails SET outcome = 'quarantine', ticket_id = NULL, decided_replay = 0,
            reasons = '[{"id": "no-sender"}]' WHERE mail_id = 'mail:1';
            UPDATE tickets SET mail_id = NULL WHERE mail_id = 'mail:1';
            DELETE FROM notifications WHERE mail_id = 'mail:1'""",
        [(Kind.NO_ORIGINAL, "4")],
    ),
    "a ticket of a mail in quarantine": (
        "UPDATE tickets SET mail_id = 'mail:5', sender_address = 'x@y.example' WHERE id = 3",
        [(Kind.NOT_ITS_OUTCOME, "5")],
    ),
    "a ticket of a mail that the ledger never saw": (
        "UPDATE tickets SET mail_id = 'mail:9', sender_address = 'x@y.example' WHERE id = 3",
        [(Kind.NO_LEDGER_ROW, "9")],
    ),
    "a supplement of a mail that the ledger never saw": (
        """INSERT INTO supplements (id, ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id,
                visible_to_customer, expanded, status_id, recalculate_deadline, created_by_person_id,
                changed_by_employee_id, sender_address, mail_id)
            SELECT 99, ticket_id, helpdesk_id, reported_at, supplement_type_id, informant_person_id, true, true,
                status_id, false, 1, 1, 'x@y.example', 'mail:9' FROM supplements""",
        [(Kind.NO_LEDGER_ROW, "9")],
    ),
    "a ticket and a supplement of one mail": (
        "UPDATE tickets SET mail_id = 'mail:3', sender_address = 'x@y.example' WHERE id = 3",
        [(Kind.TWICE, "3")],
    ),
    "a picture that the text shows and the ticket lacks": (
        """UPDATE tickets SET body_html = '<img src="attachment:10000000-0000-0000-0000-00000000000f">' WHERE id = 1""",
        [(Kind.PICTURE_MISSING, "1")],
    ),
    "marking was refused": (
        "UPDATE imported_mails SET marked_read_at = NULL WHERE mail_id = 'mail:1'",
        [(Kind.NOT_MARKED, "1")],
    ),
    "moving was refused": (
        """UPDATE importer_settings SET after_import = 'delete';
            UPDATE imported_mails SET acted_at = NULL WHERE mail_id = 'mail:3'""",
        [(Kind.NOT_FILED, "3")],
    ),
    "the notifier was not told": (
        "UPDATE imported_mails SET event_published_at = NULL WHERE mail_id = 'mail:1'",
        [(Kind.NOT_ANNOUNCED, "1")],
    ),
    "it is not known whom to tell": (
        "DELETE FROM notifications WHERE mail_id = 'mail:1'",
        [(Kind.NOBODY_TOLD, "1")],
    ),
    "a notification about another ticket": (
        "UPDATE notifications SET ticket_id = 3 WHERE mail_id = 'mail:1'",
        [(Kind.OF_ANOTHER_TICKET, "1")],
    ),
    "perhaps sent twice": (
        "UPDATE notifications SET doubtful_tries = 1, sent_at = now() WHERE mail_id = 'mail:1'",
        [(Kind.PERHAPS_TWICE, "1")],
    ),
    "a claim whose holder is gone": (
        """UPDATE notifications SET state = 'planned', sent_at = NULL, lease_holder = 'gone',
            lease_until = now() - interval '2 hours', next_try_at = now() + interval '1 day'
            WHERE mail_id = 'mail:1'""",
        [(Kind.CLAIM_OF_NOBODY, "1")],
    ),
    "no notifier takes it": (
        "UPDATE notifications SET state = 'planned', sent_at = NULL WHERE mail_id = 'mail:1'",
        [(Kind.OVERDUE, "1")],
    ),
    "a blob that is gone": (
        "DELETE FROM blobs WHERE sha256 = (SELECT raw_sha256 FROM imported_mails WHERE mail_id = 'mail:3')",
        [(Kind.BYTES_MISSING, "3")],
    ),
    "bytes that are gone": ("DELETE FROM blob_chunks WHERE sha256 = sha256('5')", [(Kind.BYTES_MISSING, "5")]),
    "more bytes than were put in": (
        "UPDATE blob_chunks SET content = '55' WHERE sha256 = sha256('5')",
        [(Kind.BYTES_DIFFER, "5")],
    ),
    "as many bytes, and others": (
        "UPDATE blob_chunks SET content = '6' WHERE sha256 = sha256('5')",
        [(Kind.BYTES_DIFFER, "5")],
    ),
    "bytes that nothing needs and no night removed": (
        """INSERT INTO blobs VALUES (sha256('x'), 1, now() - interval '10 days');
            INSERT INTO blob_chunks VALUES (sha256('x'), 0, 'x')""",
        [(Kind.NOT_REMOVED, "")],
    ),
}


async def test_nothing_differs_where_all_is_well(sound: Installation) -> None:
    report = await sound.compare(hash_all=True)
    assert told(report) == []
    assert report.not_compared == []
    assert report.looked_at == {"mails": 5, "tickets": 3, "messages": 0, "blobs": 5, "hashed": 5}


@pytest.mark.parametrize(("injected", "expected"), INJECTED.values(), ids=INJECTED)
async def test_it_is_told(sound: Installation, injected: str, expected: list[tuple[Kind, str]]) -> None:
    await sound.sql(injected)
    report = await sound.compare(hash_all=True)
    assert told(report) == [(kind.value, mail) for kind, mail in expected]


IN_FLIGHT = {
    "it is being marked": """UPDATE imported_mails SET marked_read_at = NULL, published_at = now()
        WHERE mail_id = 'mail:1'""",
    "it is being moved": """UPDATE importer_settings SET after_import = 'delete';
        UPDATE imported_mails SET acted_at = NULL, outcome_at = now() WHERE mail_id = 'mail:1'""",
    "it is being announced": """UPDATE imported_mails SET event_published_at = NULL, outcome_at = now()
        WHERE mail_id = 'mail:1'""",
    "it is being sent": """UPDATE notifications SET state = 'planned', sent_at = NULL, lease_holder = 'me',
        lease_until = now() + interval '1 minute' WHERE mail_id = 'mail:1'""",
    "it waits for another try": """UPDATE notifications SET state = 'planned', sent_at = NULL,
        next_try_at = now() + interval '1 hour' WHERE mail_id = 'mail:1'""",
    "it is held by a person": """UPDATE notifications SET state = 'planned', sent_at = NULL WHERE mail_id = 'mail:1';
        INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (NULL, 'Verhuizing')""",
    "it is on its way": """UPDATE imported_mails SET outcome = NULL, outcome_at = NULL, decided_replay = NULL,
        reasons = '[]', published_at = now() WHERE mail_id = 'mail:5'""",
    "it waits in quarantine for a person": "SELECT",
    "the mailbox is another since": """UPDATE imported_mails SET marked_read_at = NULL WHERE mail_id = 'mail:1';
        UPDATE importer_settings SET generation = 2""",
    "the mailbox is paused": """UPDATE imported_mails SET marked_read_at = NULL WHERE mail_id = 'mail:1';
        UPDATE importer_settings SET paused_since = now(), paused_reason = 'x'""",
    "bytes go with the next night": """INSERT INTO blobs VALUES (sha256('x'), 1, now() - interval '8 days');
        INSERT INTO blob_chunks VALUES (sha256('x'), 0, 'x')""",
    "an event that a person must see": """UPDATE imported_mails SET event_published_at = NULL WHERE mail_id = 'mail:1';
        INSERT INTO dead_letters (mail_id, queue, reason) VALUES ('mail:1', 'ticket.events', 'x')""",
}


@pytest.mark.parametrize("injected", IN_FLIGHT.values(), ids=IN_FLIGHT)
async def test_what_is_on_its_way_or_waits_for_a_person_is_no_difference(sound: Installation, injected: str) -> None:
    await sound.sql(injected)
    assert told(await sound.compare()) == []


async def test_of_another_helpdesk_nothing_is_told(sound: Installation) -> None:
    await sound.sql("DELETE FROM notifications WHERE mail_id IN ('mail:1', 'mail:2')")
    assert told(await sound.compare(helpdesk_id=2)) == [("notification-missing", "2")]
    assert told(await sound.compare(helpdesk_id=1)) == [("notification-missing", "1")]


REPAIRED = {
    "marking": ("marking was refused", "SELECT next_check_at = '-infinity' FROM mailbox_states WHERE helpdesk_id = 1"),
    "moving": ("moving was refused", "SELECT next_check_at = '-infinity' FROM mailbox_states WHERE helpdesk_id = 1"),
    "a claim": (
        "a claim whose holder is gone",
        "SELECT next_try_at <= now() FROM notifications WHERE mail_id = 'mail:1'",
    ),
}
DEEDS = {"marking": ["checked-now"], "moving": ["checked-now"], "a claim": ["sent-now"]}


@pytest.mark.parametrize("what", REPAIRED)
async def test_a_repair_makes_the_services_do_it_and_is_recorded_once(sound: Installation, what: str) -> None:
    injected, is_due = REPAIRED[what]
    await sound.sql(INJECTED[injected][0])
    await sound.sql("UPDATE mailbox_states SET next_check_at = now() + interval '1 day'")
    report = await sound.compare(repairs=True)
    assert (report.repaired_count, report.left) == (1, 0)
    assert (await sound.sql(is_due))[0][0]
    assert (await sound.compare(repairs=True)).left == 0
    deeds = await sound.sql(
        "SELECT deed FROM audit_log WHERE kind = 'repair' AND database_role = 'importer_reconciler'"
    )
    assert [row["deed"] for row in deeds] == DEEDS[what]


async def test_what_a_person_must_decide_is_left(sound: Installation) -> None:
    await sound.sql(INJECTED["its ticket is gone"][0])
    report = await sound.compare(repairs=True)
    assert (report.repaired_count, report.left) == (0, 1)
    assert not await sound.sql("SELECT FROM audit_log WHERE database_role = 'importer_reconciler'")


async def test_a_kind_without_a_sentence_is_none() -> None:
    assert KINDS.keys() == set(Kind)
    repaired = {kind for kind, explanation in KINDS.items() if explanation.remedy is Remedy.REPAIR}
    assert all("--repair" in KINDS[kind].what_to_do for kind in repaired)
    injected = {kind for _, kinds in INJECTED.values() for kind, _ in kinds}
    queues_and_mailboxes = {kind for kind in Kind if KINDS[kind].part in {"queues", "mailboxes"}}
    assert injected | queues_and_mailboxes == set(Kind)
