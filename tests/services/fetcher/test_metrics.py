"""What became of the mails taken in, as an operator's alarms see it."""

from datetime import UTC, date, datetime

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.fetcher.metrics import record_logins, record_states, record_unfinished, tell_endings
from services.fetcher.repository.logins import LoginRepository
from shared.messages import MailId
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago


def shown() -> tuple[float | None, float | None, float | None]:
    return (
        REGISTRY.get_sample_value("importer_mails_without_outcome"),
        REGISTRY.get_sample_value("importer_oldest_mail_without_outcome_timestamp_seconds"),
        REGISTRY.get_sample_value("importer_dead_letters_open"),
    )


async def test_a_mailbox_is_shown_with_its_kind_of_problem(desk: Desk, fetching: Fetching) -> None:
    await desk.owner.execute(
        "UPDATE mailbox_states SET problem = 'Het wachtwoord klopt niet.', problem_kind = 'login-refused',"
        " problem_since = now()"
    )
    record_states(await fetching.mailboxes.states())
    label = {"helpdesk_id": str(desk.helpdesk_id)}
    for name, extra in (("problem", {}), ("problem_kind", {"kind": "login-refused"})):
        assert REGISTRY.get_sample_value(f"importer_mailbox_{name}", label | extra) == 1


async def test_a_login_is_shown_with_its_refusals_and_its_end_which_is_told_once_a_day(desk: Desk) -> None:
    await desk.set(secret_expires_on=date(2026, 12, 8))
    await desk.owner.execute("INSERT INTO outgoing_accounts (name, host, port, username) VALUES ('Post', 'x', 25, 'y')")
    await desk.owner.execute("INSERT INTO logins (name, secret_expires_on) VALUES ('Van niemand', '2026-12-08')")
    await desk.owner.execute(
        "UPDATE login_states SET refused_logins = 3, refused_since = now(), probe_at = now(), problem = '535'"
    )
    async with desk.database.pool("fetcher") as pool:
        repository = LoginRepository(pool)
        logins = await repository.in_use()
        record_logins(logins)
        told = []
        for month in (10, 11, 12):
            with capture_logs() as lines:
                await tell_endings(repository, logins, datetime(2026, month, 24, tzinfo=UTC))
            told.append([(line["event"], line["login"]) for line in lines])
    mailbox = next(login for login in logins if login.name.endswith("(mailbox)"))
    assert {login.name for login in logins} == {mailbox.name, "Post (account)"}
    label = {"login_id": str(mailbox.id), "login": mailbox.name}
    assert REGISTRY.get_sample_value("importer_login_refused_logins", label) == 3
    ends = REGISTRY.get_sample_value("importer_login_expires_timestamp_seconds", label)
    assert ends == datetime(2026, 12, 8, tzinfo=UTC).timestamp()
    assert told == [[], [("login_ends", mailbox.name)], []]  # the second time it had been told that day


async def test_mails_without_outcome_are_counted_whatever_the_queues_hold(desk: Desk, fetching: Fetching) -> None:
    desk.post_office.deliver(mail("Een"), minutes_ago(2))
    desk.post_office.deliver(mail("Twee"), minutes_ago(1))
    await fetching.check()
    await desk.messages()  # the queue is empty now
    first, second = sorted(await desk.rows(), key=lambda row: row["fetched_at"])
    record_unfinished(await fetching.ledger.unfinished())
    assert shown() == (2, first["fetched_at"].timestamp(), 0)
    await fetching.ledger.dead_letter(MailId(first["mail_id"]), "it cannot be read")
    record_unfinished(await fetching.ledger.unfinished())
    assert shown() == (1, second["fetched_at"].timestamp(), 1)
    await fetching.ledger.dead_letter(MailId(second["mail_id"]), "nor this one")
    record_unfinished(await fetching.ledger.unfinished())
    assert shown() == (0, 0, 2)
