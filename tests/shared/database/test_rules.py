"""What the schema makes impossible: each case is refused by the constraint that bears the rule's name."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.classifier.rules import number_pattern
from shared.broker.topology import MAIL_QUEUES, WORK_QUEUES
from shared.database.pool import Connection
from tests.shared.database.cases import cases

MAILS = [uuid.UUID(int=number) for number in range(6)]
"""The mails of every_table.sql, by number."""
SUPPLEMENT = (
    "INSERT INTO supplements (ticket_id, reported_at, supplement_type_id, informant_person_id, visible_to_customer,"
    " expanded, status_id, recalculate_deadline, created_by_person_id, changed_by_employee_id)"
    " VALUES (1, now(), 1, 1, true, false, 2, false, 1, 1)"
)
TICKET = (
    "INSERT INTO tickets (helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,"
    " reported_at, title, status_id) VALUES (1, 1, 1, 1, 1, now(), 'Titel', 1) RETURNING number"
)


CASES = cases("impossible.sql")


@pytest.mark.parametrize(("statements", "rule"), CASES.values(), ids=CASES.keys())
async def test_impossible(filled: Connection, statements: str, rule: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await filled.execute(statements)
    assert refused.value.as_dict().get("constraint_name", "not null") == rule


async def test_D14_made_inactive_elsewhere_leaves_other_settings_changeable(owner: Connection) -> None:
    await owner.execute("UPDATE employees SET active = false WHERE id = 1")
    await owner.execute("UPDATE importer_settings SET marker = '=== boven deze regel ===' WHERE helpdesk_id = 1")
    assert await owner.fetchval("SELECT enabled FROM importer_settings WHERE helpdesk_id = 1")


async def test_D14_enabling_finds_the_imported_status_and_disabling_lets_it_go(owner: Connection) -> None:
    bound = "SELECT imported_status_id FROM importer_settings WHERE helpdesk_id = 1"
    assert await owner.fetchval(bound) == 1
    await owner.execute("UPDATE importer_settings SET enabled = false WHERE helpdesk_id = 1")
    assert await owner.fetchval(bound) is None
    await owner.execute("UPDATE statuses SET flag = NULL WHERE id = 1")
    await owner.execute("UPDATE statuses SET flag = 'imported' WHERE id = 2")
    await owner.execute("UPDATE importer_settings SET enabled = true WHERE helpdesk_id = 1")
    assert await owner.fetchval(bound) == 2


@pytest.mark.parametrize(
    ("change", "another_mailbox"),
    [
        ("server = '/mail/other'", True),
        ("folder = 'Support'", True),
        ("mailbox_address = 'support@helpdesk.example'", True),
        ("kind = 'imap', username = 'x', password_encrypted = ''", True),
        ("kind = NULL", False),
        ("folder = 'inbox'", False),
        ("marker = '==='", False),
        ("password_encrypted = NULL", False),
    ],
    ids=["server", "folder", "address", "kind", "a kind that says the same", "inbox", "marker", "password"],
)
async def test_D13_another_mailbox_is_a_new_generation(
    owner: Connection, change: str, *, another_mailbox: bool
) -> None:
    await owner.execute("UPDATE mailbox_states SET sync_state = '{}', last_successful_check_at = now()")
    await owner.execute(f"UPDATE importer_settings SET {change} WHERE helpdesk_id = 1")  # noqa: S608 - ours
    assert await owner.fetchval("SELECT generation FROM importer_settings WHERE helpdesk_id = 1") == 1 + another_mailbox
    forgotten = await owner.fetchval(
        "SELECT sync_state IS NULL AND last_successful_check_at IS NULL FROM mailbox_states WHERE helpdesk_id = 1"
    )
    assert forgotten is another_mailbox


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"server": "/mail/verkoop"}, "maildir"),
        ({"server": "imaps://mail.desk.example/", "tenant": "desk.example"}, "imap"),
        ({"server": "IMAP://mail.desk.example:1143"}, "imap"),
        ({"server": "mail.desk.example:993"}, "imap"),
        ({"server": "mail.desk.example:143"}, "imap"),
        ({"server": "imap.desk.example"}, "imap"),
        ({"server": "outlook.office365.com:993", "tenant": "desk.example"}, "imap"),
        ({"tenant": "desk.example", "username": "app"}, "graph"),
        ({"server": "Outlook.Office365.com", "username": "help@desk.example"}, "graph"),
        ({"server": "https://outlook.office365.com/EWS/Exchange.asmx"}, "graph"),
        ({"server": "https://graph.microsoft.us/v1.0"}, "graph"),
        ({"server": "microsoftgraph.chinacloudapi.cn:443"}, "graph"),
        ({"server": "mail.desk.example"}, "ews"),
        ({"server": "mail.desk.example:9931"}, "ews"),
        ({"server": "https://mail.desk.example:443/EWS/Exchange.asmx"}, "ews"),
        ({"server": "https://mail.desk.example/imap."}, "ews"),
        ({"server": "outlook.office365.com.desk.example"}, "ews"),
        ({"username": "DESK\\help"}, "ews"),
        ({}, None),
        ({"kind": "ews", "server": "imap.desk.example"}, "ews"),
    ],
    ids=str,
)
async def test_S4_the_kind_is_the_chosen_one_or_what_server_and_login_tell(
    owner: Connection, told: dict[str, str], kind: str | None
) -> None:
    values = [told.get(name) for name in ("kind", "server", "username", "tenant")]
    await owner.execute(
        "UPDATE importer_settings SET kind = $1, server = $2, username = $3, tenant = $4 WHERE helpdesk_id = 2", *values
    )
    assert await owner.fetchval("SELECT mailbox_kind FROM importer_settings WHERE helpdesk_id = 2") == kind


async def test_S3_D9_the_login_ends_with_its_certificate_or_on_the_day_of_its_secret(owner: Connection) -> None:
    ends = "SELECT login_expires_at FROM importer_settings WHERE helpdesk_id = 2"
    assert await owner.fetchval(ends) is None
    await owner.execute("UPDATE importer_settings SET secret_expires_on = '2027-03-28' WHERE helpdesk_id = 2")
    assert await owner.fetchval(ends) == datetime(2027, 3, 28, tzinfo=UTC)
    await owner.execute(
        "UPDATE importer_settings SET certificate_encrypted = '', certificate_expires_at = '2027-03-01 12:00+01'"
        " WHERE helpdesk_id = 2"
    )
    assert await owner.fetchval(ends) == datetime(2027, 3, 1, 11, tzinfo=UTC)


REFUSED = "refused_logins = 3, refused_since = now(), probe_at = now() + interval '4 hours', problem = '535'"
OF_MAILBOX = "FROM login_states WHERE login_id = (SELECT login_id FROM importer_settings WHERE helpdesk_id = 1)"
OF_ACCOUNT = "FROM login_states WHERE login_id = (SELECT login_id FROM outgoing_accounts)"


@pytest.mark.parametrize(
    ("change", "tried_again"),
    [
        ("password_encrypted = '\\x07'", True),
        ("username = 'anders'", True),
        ("server = '/mail/elders'", True),
        ("tenant = 'desk.example'", True),
        ("secret_expires_on = '2030-01-01'", True),
        ("marker = '==='", False),
        ("check_interval_seconds = 60", False),
    ],
)
async def test_a_refused_login_of_a_mailbox_rests_until_it_is_changed(
    owner: Connection, change: str, *, tried_again: bool
) -> None:
    await owner.execute(f"UPDATE login_states SET {REFUSED}")  # noqa: S608 - ours
    await owner.execute(
        "UPDATE mailbox_states SET next_check_at = now() + interval '4 hours', problem = 'Geweigerd.',"
        " problem_kind = 'login-refused', problem_since = now()"
    )
    await owner.execute(f"UPDATE importer_settings SET {change} WHERE helpdesk_id = 1")  # noqa: S608 - ours
    state = await owner.fetchrow(f"SELECT refused_logins, probe_at {OF_MAILBOX}")
    assert state is not None
    assert (state["refused_logins"], state["probe_at"] is None) == ((0, True) if tried_again else (3, False))
    due = "SELECT next_check_at <= now() FROM mailbox_states WHERE helpdesk_id = 1"
    assert await owner.fetchval(due) is tried_again
    assert await owner.fetchval(f"SELECT refused_logins {OF_ACCOUNT}") == 3


@pytest.mark.parametrize(
    ("change", "tried_again"),
    [
        ("password_encrypted = '\\x07'", True),
        ("host = 'elders.example', password_encrypted = '\\x07'", True),
        ("name = 'Anders'", False),
    ],
)
async def test_a_refused_login_of_an_account_rests_until_it_is_changed(
    owner: Connection, change: str, *, tried_again: bool
) -> None:
    await owner.execute(f"UPDATE login_states SET {REFUSED}")  # noqa: S608 - ours
    await owner.execute(f"UPDATE outgoing_accounts SET {change}")  # noqa: S608 - ours
    assert await owner.fetchval(f"SELECT refused_logins {OF_ACCOUNT}") == (0 if tried_again else 3)


async def test_a_login_under_another_key_is_the_same_login(owner: Connection) -> None:
    await owner.execute(f"UPDATE login_states SET {REFUSED}, fingerprint = sha256('x')")  # noqa: S608 - ours
    async with owner.transaction():
        await owner.execute("SET LOCAL helpdesk.reencrypting = 'on'")
        await owner.execute("UPDATE logins SET password_encrypted = '\\x07' WHERE password_is_set")
    assert await owner.fetchval(f"SELECT refused_logins {OF_MAILBOX}") == 3
    copies = "SELECT bool_and(password_encrypted = '\\x07') FROM importer_settings WHERE password_is_set"
    assert await owner.fetchval(copies)


async def test_D1_numbers_start_at_1000001_and_are_registered(owner: Connection) -> None:
    assert await owner.fetchval("SELECT number FROM tickets WHERE id = 1") == "1000001"
    assert await owner.fetchval("SELECT ticket_id FROM ticket_numbers WHERE number = '1000001' AND NOT is_alias") == 1


ANY_NUMBER = "[0-9]{1,30}|[0-9]{4}-[0-9]{4}"


@pytest.mark.parametrize(
    ("pattern", "aliases", "next_number"),
    [
        pytest.param(ANY_NUMBER, ["1000050", "1000020"], "1000051", id="above"),
        pytest.param(ANY_NUMBER, ["1000004"], "1000005", id="the next"),
        pytest.param(ANY_NUMBER, ["999"], "1000004", id="below"),
        pytest.param(ANY_NUMBER, ["0099999999"], "1000004", id="leading zeros"),
        pytest.param(ANY_NUMBER, ["2022-0456"], "1000004", id="not a number"),
        pytest.param(ANY_NUMBER, ["9999999999999999999999"], "1000004", id="never reached"),
        pytest.param(ANY_NUMBER, ["20220125001"], "20220125002", id="far above"),
        pytest.param("[1-9][0-9]{6,9}", ["9999999999"], "1000004", id="behind it nothing is found"),
        pytest.param("[1-9][0-9]{6,9}", ["9999999000"], "1000004", id="behind it is no room"),
        pytest.param("[1-9][0-9]{6,9}", ["9998000000"], "9998000001", id="behind it is room for a million"),
        pytest.param("[1-9][0-9]{6,9}", ["9999999000", "1000050"], "1000051", id="one that pushes, one that does not"),
        pytest.param("10[0-9]{5}", ["1000050"], "1000051", id="little room is better than none"),
    ],
)
async def test_D1_importing_aliases_moves_the_sequence_past_them(
    owner: Connection, pattern: str, aliases: list[str], next_number: str
) -> None:
    await owner.execute("SELECT record_ticket_number_pattern($1)", pattern)
    await owner.execute("INSERT INTO ticket_numbers (number, ticket_id) SELECT unnest($1::text[]), 1", aliases)
    assert await owner.fetchval(TICKET) == next_number


@pytest.mark.parametrize(
    "alias", ["99999999999", "123456", "01000005", "OUD-17", "1000005a", "x1000005", "10000\u0665"]
)
async def test_D1_an_alias_that_the_pattern_does_not_find_is_refused_with_a_sentence(
    owner: Connection, alias: str
) -> None:
    await owner.execute("SELECT record_ticket_number_pattern('[1-9][0-9]{6,9}')")
    with pytest.raises(asyncpg.CheckViolationError, match="would not be found in a subject") as refused:
        await owner.execute("INSERT INTO ticket_numbers (number, ticket_id) VALUES ($1, 1)", alias)
    assert "IMPORTER_TICKET_NUMBER_PATTERN" in (refused.value.hint or "")
    assert await owner.fetchval(TICKET) == "1000004"


PATTERNS = (
    "[1-9][0-9]{6,9}",
    r"(?:CW-)?\d{4,9}",
    r"HD-[0-9]{4}\.[0-9]+|1\d+",
    "(1|2)0*1?0{0,5}1|[A-Z]{2}[0-9]{5}",
    r"[^a-z]{7}|\w+-\D\d",
    "(?:[0-9]+)+x?",
    "[0-9]{7,}?|[[:alpha:]]{3}[0-9]{2}",
)
NUMBERS = (
    *("1000001", "1000001 ", "x1000001", "10000010000", "CW-1234", "cw-1234", "CW-", "HD-2019.42", "HD-2019-42"),
    *("20000001", "AB12345", "ab12345", "abc12", "x-y1", "1", "1" * 40 + "y", "1" * 40 + "x", "2000-12"),
)


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_D1_the_database_reads_the_pattern_as_the_classifier_does(owner: Connection, pattern: str) -> None:
    assert number_pattern.checked(pattern)
    await owner.execute("SELECT record_ticket_number_pattern($1)", pattern)
    found = number_pattern.compiled(pattern)
    for number in NUMBERS:
        by_database = await owner.fetchval("SELECT is_found_as_number($1)", number)
        assert by_database is (found.fullmatch(number, 0, len(number)) is not None), number


async def test_D1_tickets_made_while_aliases_are_imported_get_free_numbers(owner: Connection, database: Any) -> None:
    async def import_aliases(start: int) -> None:
        async with database.connect("console") as connection:
            for number in range(start, start + 20_000, 1000):
                await connection.execute("INSERT INTO ticket_numbers (number, ticket_id) VALUES ($1, 1)", str(number))

    async def make_tickets() -> None:
        async with database.connect("ticket_writer") as connection:
            for _ in range(30):
                await connection.execute(TICKET)

    await asyncio.gather(import_aliases(1_001_000), import_aliases(1_001_500), make_tickets(), make_tickets())
    assert await owner.fetchval("SELECT count(*) FROM tickets") == 63
    assert await owner.fetchval("SELECT count(*) FROM ticket_numbers") == 63 + 1 + 40


async def test_every_change_moves_the_row_version(owner: Connection) -> None:
    changed = await owner.fetchval(
        "UPDATE tickets SET title = 'Anders', row_version = 99 WHERE id = 1 AND row_version = 1 RETURNING row_version"
    )
    assert changed == 2
    late = await owner.fetchval("UPDATE tickets SET title = 'Te laat' WHERE id = 1 AND row_version = 1 RETURNING id")
    assert late is None


async def test_A2_a_supplement_takes_the_helpdesk_of_its_ticket(owner: Connection) -> None:
    assert await owner.fetchval("SELECT helpdesk_id FROM supplements WHERE id = 1") == 1


async def test_D7_a_replay_replaces_quarantine_and_keeps_what_was(owner: Connection) -> None:
    earlier = await owner.fetch("SELECT outcome, reasons FROM imported_mail_outcomes")
    assert [tuple(row) for row in earlier] == [("quarantine", [{"id": "no-sender"}])]
    assert await owner.fetchval("SELECT outcome FROM imported_mails WHERE item_key = 'item-4'") == "duplicate"


DEAD_LETTER = "SELECT record_dead_letter($1, $2, $3)"


async def test_D7_a_dead_letter_is_quarantine_with_its_own_reason(owner: Connection) -> None:
    mail = await owner.fetchrow("SELECT outcome, reasons FROM imported_mails WHERE item_key = 'item-5'")
    assert mail is not None
    assert tuple(mail) == ("quarantine", [{"id": "dead-letter", "detail": "onze fout"}])


async def test_D7_a_dead_letter_after_the_ticket_leaves_the_outcome(owner: Connection) -> None:
    mail_id = MAILS[1]
    assert await owner.fetchval(DEAD_LETTER, mail_id, "ticket.events", "kapot sjabloon")
    assert await owner.fetchval(DEAD_LETTER, mail_id, "ticket.events", "nog eens")
    assert await owner.fetchval("SELECT outcome FROM imported_mails WHERE mail_id = $1", mail_id) == "ticket"
    letters = await owner.fetch("SELECT queue, reason, resolved_at FROM dead_letters WHERE mail_id = $1", mail_id)
    assert [tuple(row) for row in letters] == [("ticket.events", "kapot sjabloon", None)]


async def test_D7_an_outcome_resolves_the_dead_letters_of_the_queues_on_the_way_to_it_alone(owner: Connection) -> None:
    mail_id = MAILS[5]
    for queue in WORK_QUEUES:
        assert await owner.fetchval(DEAD_LETTER, mail_id, queue.name, "onze fout")
    await owner.execute(
        "UPDATE imported_mails SET outcome = 'duplicate', outcome_at = now(), duplicate_of = $1 WHERE mail_id = $2",
        MAILS[1],
        mail_id,
    )
    resolved = "SELECT DISTINCT queue FROM dead_letters WHERE mail_id = $1 AND resolved_at IS NOT NULL"
    assert {row["queue"] for row in await owner.fetch(resolved, mail_id)} == set(MAIL_QUEUES)


async def test_D7_a_replay_that_succeeds_resolves_the_dead_letter(owner: Connection) -> None:
    await owner.execute(
        "UPDATE imported_mails SET outcome = 'duplicate', outcome_at = now(), duplicate_of = $1 WHERE mail_id = $2",
        MAILS[1],
        MAILS[5],
    )
    assert await owner.fetchval("SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL") == 0


async def test_a_dead_letter_of_an_unknown_mail_is_refused_quietly(owner: Connection) -> None:
    assert await owner.fetchval(DEAD_LETTER, uuid.uuid4(), "mail.raw", "?") is False


async def heard(owner: Connection, database: Any, *statements: str) -> list[dict[str, Any]]:
    """What a screen hears of these statements, each a transaction; a last NOTIFY says that nothing more comes."""
    notices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def hear(_connection: Any, _pid: Any, _channel: Any, payload: object) -> None:
        notices.put_nowait(json.loads(str(payload)))

    async with database.connect("ui") as screen:
        await screen.add_listener("helpdesk_changes", hear)
        for statement in statements:
            await owner.execute(statement)
        await owner.execute("SELECT pg_notify('helpdesk_changes', '{\"table\": \"end\"}')")
        collected = []
        async with asyncio.timeout(10):
            while (notice := await notices.get()) != {"table": "end"}:
                collected.append(notice)
        await screen.remove_listener("helpdesk_changes", hear)
    return collected


async def test_screens_hear_what_changed(owner: Connection, database: Any) -> None:
    notices = await heard(
        owner, database,
        "UPDATE tickets SET title = 'Anders' WHERE id = 2",
        SUPPLEMENT,
        "INSERT INTO ticket_history (ticket_id, kind, description) VALUES (2, 'note', 'Gebeld')",
        "UPDATE notifications SET lease_holder = 'n', lease_until = now()",
        "UPDATE notifications SET state = 'failed', reason = 'adres bestaat niet'",
        "UPDATE imported_mails SET republish_count = 1",
    )  # fmt: skip
    said = [(n["table"], n["ticket_id"], n["helpdesk_id"], n["operation"], n["row_version"]) for n in notices]
    assert said == [
        ("tickets", 2, 2, "update", 2),
        ("supplements", 1, 1, "insert", 1),
        ("ticket_history", 2, 2, "insert", None),
        ("notifications", 1, 1, "update", None),
    ]


async def test_a_mass_change_is_told_once(owner: Connection, database: Any) -> None:
    many = (
        "INSERT INTO ticket_history (ticket_id, kind, description)"
        " SELECT 1, 'note', number::text FROM generate_series(1, 201) AS number"
    )
    assert await heard(owner, database, many) == [{"table": "ticket_history", "operation": "bulk"}]


@pytest.mark.parametrize("words", ["bonnenprinter", "KASSA", "hapert kassa -portaal"], ids=["stem", "case", "words"])
async def test_dutch_full_text_finds_other_forms(owner: Connection, words: str) -> None:
    found = await owner.fetch(
        "SELECT id FROM tickets WHERE search_document @@ websearch_to_tsquery('dutch', $1)", words
    )
    assert [row["id"] for row in found] == [1]
