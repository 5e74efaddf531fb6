"""`status` and `notifications`: what the importer has to say of itself, and mail that is let go."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage

from shared.broker.session import Session
from shared.database.migrate import newest_revision
from shared.messages import NotificationKind
from tests.databases import Database
from tests.services.notifier.house import House
from tests.vhosts import Vhost

ROOT = Path(__file__).parents[3]


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    async def says(self, *arguments: str, code: int = 0) -> str: ...

    async def answers(self, *arguments: str, code: int = 0) -> Any: ...


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with House.of(database) as house:
        yield house


@pytest.fixture
def watched(importer: CommandLine, vhost: Vhost) -> CommandLine:
    """The command line, with a RabbitMQ that has every queue and no reader of them."""
    user = next(user.name for user in vhost.topology.users if user.service == "console")
    password = vhost.passwords["console"].get_secret_value()
    importer.environment["IMPORTER_AMQP_URL"] = vhost.dsn("console").get_secret_value()
    importer.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = vhost.empty.server.management_url.replace(
        vhost.empty.server.management_url.partition("//")[2].partition("@")[0], f"{user}:{password}"
    )
    return importer


@pytest.fixture(autouse=True)
def patience(importer: CommandLine) -> None:
    """A machine that does much else is waited for, save where a test is about how long."""
    importer.environment["IMPORTER_STATUS_SECONDS"] = "30"


async def postponed(house: House, reason: str, *, hours: int = 4) -> uuid.UUID:
    """A notification that waits for another try, because of `reason`."""
    notification = await house.plan()
    await house.owner.execute(
        "UPDATE notifications SET reason = $2, server_reply = '535 no', tries = 9,"
        " next_try_at = now() + $3 * interval '1 hour' WHERE id = $1",
        notification, reason, hours,
    )  # fmt: skip
    return notification


async def test_S8_status_shows_the_last_check_and_the_problem_of_each_mailbox(
    watched: CommandLine, house: House
) -> None:
    await house.owner.execute("""
        INSERT INTO employees (id, name) VALUES (7, 'Importer');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 7;
        UPDATE mailbox_states SET last_successful_check_at = '2026-11-23 08:00:00+00',
            problem = 'De map is weg.', problem_kind = 'mailbox-missing', problem_since = '2026-11-23 08:30:00+00'""")
    told = await watched.answers("status", code=3)
    [mailbox] = told["mailboxes"]
    assert mailbox["helpdesk"] == "ICT"
    assert mailbox["enabled"] is True
    assert mailbox["last_successful_check_at"] == "2026-11-23T08:00:00Z"
    assert (mailbox["problem"], mailbox["problem_since"]) == ("De map is weg.", "2026-11-23T08:30:00Z")
    [sentence] = [said for said in told["needs_a_person"] if said.startswith("The mailbox of ICT: Server, address, ")]
    assert sentence.endswith("«De map is weg.»")
    assert told["schema_revision"] == newest_revision()


async def test_D1_status_tells_which_numbers_the_pattern_does_not_find(watched: CommandLine, house: House) -> None:
    ticket = await house.ticket()
    await house.owner.execute("INSERT INTO ticket_numbers (number, ticket_id) VALUES ('2000417', $1)", ticket)
    numbers = (await watched.answers("status", code=3))["ticket_numbers"]
    assert (numbers["newest_is_found"], numbers["next_is_found"], numbers["aliases_not_found"]) == (True, True, 0)
    assert numbers["next_number"] == "2000418"
    await house.owner.execute("UPDATE ticket_number_pattern SET pattern = '1[0-9]{6}'")
    told = await watched.answers("status", code=3)
    assert (told["ticket_numbers"]["newest_number"], told["ticket_numbers"]["alias_not_found"]) == (
        "1000001",
        "2000417",
    )
    [next_one] = [each for each in told["needs_a_person"] if "next ticket, 2000418" in each]
    assert "IMPORTER_TICKET_NUMBER_PATTERN" in next_one
    assert [each for each in told["needs_a_person"] if "1 old number of tickets (such as 2000417)" in each]
    await house.owner.execute("UPDATE ticket_number_pattern SET pattern = '7[0-9]{6}|1000001x?y'")
    told = await watched.answers("status", code=3)
    assert [each for each in told["needs_a_person"] if "Answers to ticket 1000001 become new tickets" in each]


async def test_D8_status_counts_the_tickets_that_threads_would_have_saved(watched: CommandLine, house: House) -> None:
    assert (await watched.answers("status", code=3))["tickets_that_threads_would_have_saved"] == {}
    ticket = await house.ticket()
    await house.owner.execute(
        """UPDATE imported_mails AS mail SET outcome = 'ticket', outcome_at = now(), ticket_id = $1,
               received_at = now(), reasons = '[{"id": "thread-not-followed", "detail": "1000009"}]'
           FROM tickets WHERE tickets.id = $1 AND mail.mail_id = tickets.mail_id""",
        ticket,
    )
    assert (await watched.answers("status", code=3))["tickets_that_threads_would_have_saved"] == {"ICT": 1}


async def test_status_tells_of_logins_that_are_refused_or_end_soon(watched: CommandLine, house: House) -> None:
    await house.owner.execute("""
        INSERT INTO employees (id, name) VALUES (7, 'Importer');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 7,
            secret_expires_on = current_date + 10;
        INSERT INTO outgoing_accounts (name, host, port, username) VALUES ('Post', 'mail.example', 587, 'post');
        UPDATE login_states SET refused_logins = 1, refused_since = '2026-11-23 08:30+00', probe_at = now(),
            problem = '535 5.7.8 no'""")
    told = await watched.answers("status", code=3)
    [account] = told["accounts"]
    assert (account["account"], account["login_refused_since"]) == ("Post", "2026-11-23T08:30:00Z")
    refused, ends = "its login is refused since", "verloopt over"
    assert [what for what in told["needs_a_person"] if "account Post" in what and refused in what and "535" in what]
    assert [what for what in told["needs_a_person"] if "mailbox of ICT" in what and ends in what]
    await house.owner.execute("""
        WITH moved AS (UPDATE outgoing_accounts SET login_id = (SELECT login_id FROM importer_settings))
        UPDATE mailbox_states SET problem = 'Geweigerd.', problem_kind = 'login-refused', problem_since = now()""")
    told = await watched.answers("status", code=3)
    [said] = [what for what in told["needs_a_person"] if "refused since" in what]
    assert "(mailbox of ICT, account Post)" in said  # one login, one line
    assert not [what for what in told["needs_a_person"] if "Geweigerd." in what]
    shown = await watched.answers("importer", "show", "ICT")
    assert ends in shown["login_ending"]


async def test_D10_status_tells_once_of_unknown_senders_who_got_no_confirmation(
    watched: CommandLine, house: House
) -> None:
    for _ in range(3):
        await house.owner.execute(
            "UPDATE notifications SET state = 'not-sent', reason = 'over-limit-unknown-senders' WHERE id = $1",
            await house.plan(NotificationKind.TICKET_ADDED_CUSTOMER),
        )
    told = await watched.answers("status", code=3)
    [said] = [what for what in told["needs_a_person"] if "unknown sender" in what]
    assert said.startswith("3 unknown senders got no confirmation from ICT since ")
    assert "100 an hour" in said
    listed = await watched.answers("notifications", "list", "--state", "not-sent")
    assert [each["reason"] for each in listed] == ["over-limit-unknown-senders"] * 3


async def test_status_counts_outcomes_mails_out_and_dead_letters(watched: CommandLine, house: House) -> None:
    await house.plan()
    await postponed(house, "refused-for-now")
    quarantined, under_way = await house.mail("a@klant.example"), await house.mail("b@klant.example")
    await house.owner.execute(
        """UPDATE imported_mails SET outcome = 'quarantine', outcome_at = now(), reasons = '[{"id": "no-sender"}]'
           WHERE mail_id = $1""",
        quarantined,
    )
    before = await watched.answers("status", code=3)
    assert before["outcomes_of_a_day"] == {"quarantine": 1}
    assert before["notifications"] == {"planned": 1, "waiting": 1}
    assert (before["unfinished"]["mails_due"], before["unfinished"]["mails_later"]) == (1, 1)
    await house.owner.execute("SELECT record_dead_letter($1, 'mail.raw', 'kapot')", under_way)
    after = await watched.answers("status", code=3)
    assert after["unfinished"]["dead_letters"] == 1
    assert after["unfinished"]["without_outcome"] == before["unfinished"]["without_outcome"] - 1
    assert "1 mail could not be handled: helpdesk-importer dead-letters list." in after["needs_a_person"]


async def test_status_says_the_same_in_dutch(watched: CommandLine, house: House) -> None:
    def settled(told: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in told.items() if name not in {"at", "queues"}}

    await house.ticket()
    english, in_english = await watched.says("status", code=3), await watched.answers("status", code=3)
    watched.environment.update(IMPORTER_LANGUAGE="nl", COLUMNS="80")
    dutch, in_dutch = await watched.says("status", code=3), await watched.answers("status", code=3)
    assert english.startswith("Needs a person: ")
    assert dutch.startswith("Een mens is nodig voor ")
    assert "Niemand leest de wachtrij mail.raw" in " ".join(dutch.split())
    assert max(map(len, dutch.splitlines())) <= 80
    assert settled(in_dutch) == settled(in_english)


async def test_status_tells_which_queue_nobody_reads(watched: CommandLine) -> None:
    told = await watched.answers("status", code=3)
    assert [(queue["queue"], queue["consumers"]) for queue in told["queues"]] == [
        ("mail.raw", 0), ("mail.classified", 0), ("ticket.events", 0),
    ]  # fmt: skip
    assert any("Nobody reads the queue mail.classified: ticket_writer" in need for need in told["needs_a_person"])
    assert "Needs a person:" in await watched.says("status", code=3)


async def _keep(_message: AbstractIncomingMessage) -> None:
    """Read it, and never settle it."""


async def test_a_reader_that_began_this_moment_is_seen_at_once(watched: CommandLine, vhost: Vhost) -> None:
    async with await Session.open(vhost.admin_dsn, "readers") as session:
        channel = await session.channel()
        for name in ("mail.raw", "mail.classified", "ticket.events"):
            await (await channel.get_queue(name)).consume(_keep)
        told = await watched.answers("status", code=0)
    assert [queue["consumers"] for queue in told["queues"]] == [1, 1, 1]
    gone = await watched.answers("status", code=3)  # and so is one that has just gone
    assert [queue["consumers"] for queue in gone["queues"]] == [0, 0, 0]


async def test_what_lies_in_a_queue_is_counted_at_once(watched: CommandLine, vhost: Vhost) -> None:
    async with await Session.open(vhost.admin_dsn, "writer") as session:
        channel = await session.channel()
        for name in ("mail.raw.dead", "mail.raw.suspect", "mail.classified"):
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), name)
    told = await watched.answers("status", code=3)
    raw, classified, _ = told["queues"]
    assert (raw["ready"], raw["suspect"], raw["dead"], classified["ready"]) == (0, 1, 1, 1)
    assert {"suspects", "dead-letters"} <= {need["cause"] for need in told["needs"]}


async def test_a_queue_that_is_missing_is_named_and_has_no_reader(watched: CommandLine, vhost: Vhost) -> None:
    await vhost.management.send("DELETE", f"queues/{vhost.management.vhost}/ticket.events")
    told = await watched.answers("status", code=3)
    assert [queue["consumers"] for queue in told["queues"]] == [0, 0, 0]
    assert told["broker_trouble"] == ""
    [sentence] = told["needs_a_person"]
    assert sentence.startswith("RabbitMQ has lost 1 queue of ours (ticket.events): helpdesk-importer deploy-topology")


@pytest.mark.usefixtures("house")
async def test_a_broker_that_is_away_is_told_beside_what_the_database_says(importer: CommandLine) -> None:
    importer.environment["IMPORTER_AMQP_URL"] = "amqp://nobody:x@127.0.0.1:1/helpdesk"
    importer.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = "http://nobody:x@127.0.0.1:1"
    told = await importer.answers("status", code=3)
    assert told["queues"] is None
    assert told["mailboxes"][0]["helpdesk"] == "ICT"
    assert "does not answer" in told["needs_a_person"][0]


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("command", ["status", "doctor"])
async def test_no_line_of_a_library_stands_between_ours_when_servers_are_away(
    importer: CommandLine, command: str
) -> None:
    importer.environment["IMPORTER_DATABASE_URL"] = "postgresql://nobody:x@127.0.0.1:1/helpdesk"
    importer.environment["IMPORTER_AMQP_URL"] = "amqp://nobody:x@127.0.0.1:1/helpdesk"
    importer.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = "http://nobody:x@127.0.0.1:1"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.console", command, cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **importer.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()
    assert (process.returncode, complained) == (3, b"")
    assert b"does not answer" in said


async def test_a_database_that_is_away_is_told_beside_what_rabbitmq_says(
    watched: CommandLine,
) -> None:
    watched.environment["IMPORTER_DATABASE_URL"] = "postgresql://nobody:x@127.0.0.1:1/helpdesk"
    told = await watched.answers("status", code=3)
    assert told["mailboxes"] is None
    assert "does not answer" in told["database_trouble"]
    assert [queue["queue"] for queue in told["queues"]] == ["mail.raw", "mail.classified", "ticket.events"]
    said = await watched.says("status", code=3)
    assert "PostgreSQL: The database does not answer" in said
    assert "database_waiting" not in said


async def test_a_database_that_takes_no_changes_is_told_with_who_can_end_it(watched: CommandLine, house: House) -> None:
    """It answers everything that is asked, so nothing else would tell but mailboxes that nobody checks."""
    name = house.database.name
    await house.owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await house.owner.execute("UPDATE mailbox_states SET next_check_at = now() - interval '1 hour'")
    try:
        told = await watched.answers("status", code=3)
        examined = await watched.answers("doctor", "--within", "60", code=3)
    finally:
        await house.owner.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert [need["cause"] for need in told["needs"]].count("mailboxes-not-checked") == 0
    assert told["needs_a_person"][0].startswith("PostgreSQL: It takes no changes: default_transaction_read_only is on.")
    assert told["mailboxes"][0]["helpdesk"] == "ICT", "what can be read is shown"
    assert any(each["sentence"] in told["needs_a_person"][0] for each in examined if each["level"] == "fail")
    assert (await watched.answers("status", code=3))["database_trouble"] == ""


async def test_a_session_that_holds_a_table_is_named(watched: CommandLine, house: House) -> None:
    """Such as one that is idle in its transaction since noon."""
    holder = await asyncpg.connect(
        house.database.dsn("owner").get_secret_value(), server_settings={"application_name": "psql"}
    )
    try:
        pid = await holder.fetchval("SELECT pg_backend_pid()")
        await holder.execute("BEGIN; LOCK TABLE helpdesk.tickets IN ACCESS EXCLUSIVE MODE")
        told = await watched.answers("status", code=3)
    finally:
        await holder.close()
    assert told["database_trouble"].startswith(f"Session {pid} (importer_owner, psql) has locked a table of ours: ")
    assert told["mailboxes"] is None, "what cannot be read is not waited for"
    assert (await watched.answers("status", code=3))["database_trouble"] == ""


@pytest.mark.usefixtures("house")
async def test_servers_that_take_connections_and_say_nothing_are_given_up_in_time(importer: CommandLine) -> None:
    importer.environment["IMPORTER_STATUS_SECONDS"] = "0.2"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        importer.environment["IMPORTER_DATABASE_URL"] = f"postgresql://nobody:x@127.0.0.1:{port}/helpdesk"
        importer.environment["IMPORTER_AMQP_URL"] = f"amqp://nobody:x@127.0.0.1:{port}/helpdesk"
        importer.environment["IMPORTER_RABBITMQ_MANAGEMENT_URL"] = f"http://nobody:x@127.0.0.1:{port}"
        told = await importer.answers("status", code=3)
    assert told["database_trouble"] == "It does not answer within 0.2 seconds."
    assert told["broker_trouble"] == "RabbitMQ does not answer within 0.2 seconds."


async def test_status_counts_what_nobody_decided_by_helpdesk(watched: CommandLine, house: House) -> None:
    ids = [await house.mail(f"{name}@klant.example") for name in "abcd"]
    for mail_id, reason in zip(ids, ("no-sender", "discarded-by-person", "sender-blocked"), strict=False):
        await house.owner.execute(
            "UPDATE imported_mails SET outcome = 'quarantine', outcome_at = now(), reasons = $2 WHERE mail_id = $1",
            mail_id, [{"id": reason}],
        )  # fmt: skip
    await house.owner.execute(
        "UPDATE imported_mails SET published_at = now() - interval '31 minutes', outcome = NULL WHERE mail_id = $1",
        ids[3],
    )
    await house.owner.execute("UPDATE tickets SET needs_review = true WHERE id = $1", await house.ticket())
    [helpdesk] = (await watched.answers("status", code=3))["undecided"]
    assert (helpdesk["quarantined"], helpdesk["to_review"], helpdesk["overdue"]) == (1, 1, 1)


async def test_status_names_the_server_that_mails_wait_for(watched: CommandLine, house: House) -> None:
    await house.owner.execute("""
        WITH account AS (INSERT INTO outgoing_accounts (name, host, port, username)
            VALUES ('Post', 'smtp.desk.example', 587, 'post') RETURNING id)
        UPDATE helpdesks SET outgoing_account_id = (SELECT id FROM account)""")
    await postponed(house, "server-away")
    assert (await watched.answers("status", code=3))["servers_away"] == []  # for some minutes that is nobody's matter
    await house.owner.execute("UPDATE notifications SET created_at = now() - interval '6 minutes'")
    told = await watched.answers("status", code=3)
    [server] = told["servers_away"]
    assert (server["server"], server["count"], server["helpdesks"]) == ("smtp.desk.example", 1, ["ICT"])
    assert [what for what in told["needs_a_person"] if what.startswith("1 mail waits for smtp.desk.example since")]


async def test_status_tells_that_nobody_checks_mailboxes(watched: CommandLine, house: House) -> None:
    await house.owner.execute("""
        INSERT INTO employees (id, name) VALUES (7, 'Importer');
        UPDATE importer_settings SET enabled = true, default_contact_id = 1, default_employee_id = 7;
        UPDATE mailbox_states SET next_check_at = now() - interval '3 minutes'""")
    told = await watched.answers("status", code=3)
    assert [need["cause"] for need in told["needs"]][-1] == "mailboxes-not-checked"
    await house.owner.execute("UPDATE mailbox_states SET lease_holder = 'x', lease_until = now() + interval '1 minute'")
    told = await watched.answers("status", code=3)
    assert "mailboxes-not-checked" not in [need["cause"] for need in told["needs"]]
    await house.owner.execute("""
        UPDATE mailbox_states SET last_check_at = now() + interval '1 year',
            lease_until = now() + interval '1 year'""")  # the clock was ahead then
    await house.owner.execute("UPDATE mailbox_states SET next_check_at = last_check_at")
    told = await watched.answers("status", code=3)
    assert [need["cause"] for need in told["needs"]][-1] == "mailboxes-not-checked"


async def test_a_refused_account_is_told_and_its_mails_go_when_a_person_says_so(
    watched: CommandLine, house: House
) -> None:
    waiting = await postponed(house, "login-refused")
    told = await watched.answers("status", code=3)
    assert [sentence for sentence in told["needs_a_person"] if "password" in sentence]
    [listed] = await watched.answers("notifications", "list")
    assert (listed["id"], listed["reason"], listed["server_reply"]) == (str(waiting), "login-refused", "535 no")
    assert await watched.says("notifications", "send-now") == "1 mail will be sent now.\n"
    row = await house.row(waiting)
    assert (row["state"], row["tries"]) == ("planned", 9)
    async with house.notifier() as notifier:
        assert await notifier.sweep() == 1  # due: the notifier takes it at once


async def test_send_now_touches_only_what_waits_and_only_the_helpdesk_that_was_named(
    importer: CommandLine, house: House
) -> None:
    ticket = await house.ticket()
    sent = await house.plan(NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket)
    await house.owner.execute(
        "UPDATE notifications SET state = 'sent', sent_at = now(), message_id = 'x' WHERE id = $1", sent
    )
    before = await house.row(sent)
    waiting = await postponed(house, "server-away")
    await house.owner.execute("INSERT INTO helpdesks (id, name, calendar_id) VALUES (2, 'Facilitair', 1)")
    said = await importer.says("notifications", "send-now", "--helpdesk", "Facilitair")
    assert said == "No mail waits for another try.\n"
    assert "there is no helpdesk 'Weg'" in await importer.says("notifications", "send-now", "--helpdesk", "Weg", code=1)
    assert (await house.row(waiting))["next_try_at"] is not None
    await importer.says("notifications", "send-now", "--helpdesk", "ict")
    assert await importer.answers("notifications", "list") == []
    assert await house.row(sent) == before


async def test_an_unknown_state_is_refused(importer: CommandLine) -> None:
    assert "--state: 'weg' is not one of waiting, planned" in await importer.says(
        "notifications", "list", "--state", "weg", code=1
    )


async def test_a_right_that_the_command_line_itself_lacks_is_told_once_with_what_gives_it_back(
    watched: CommandLine, house: House
) -> None:
    await house.owner.execute("REVOKE SELECT ON helpdesk.outgoing_holds FROM importer_console")
    told = await watched.answers("status", code=3)
    assert told["mailboxes"] is None
    assert [need["key"] for need in told["needs"] if need["cause"] in {"database", "schema"}] == ["rights"]
    assert "(importer_console SELECT table helpdesk.outgoing_holds)" in " ".join(told["needs_a_person"])
