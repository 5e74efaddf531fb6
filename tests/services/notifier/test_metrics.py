"""What waits to be sent, as an operator's alarms see it."""

from datetime import UTC, datetime

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.notifier.metrics import record_accounts, record_waiting, tell_endings
from services.notifier.repository import Repository
from tests.services.notifier.house import House


def shown(reason: str) -> float | None:
    return REGISTRY.get_sample_value("importer_notifications_waiting", {"reason": reason})


async def test_what_waits_is_shown_by_its_reason_from_the_first_try_on(house: House) -> None:
    await house.owner.execute("UPDATE helpdesks SET outgoing_account_id = NULL")
    planned = await house.plan()
    async with house.notifier() as notifier, house.database.pool("notifier") as pool:
        repository = Repository(pool, "test")
        record_waiting(await repository.waiting())
        assert (shown("none"), shown("no-account")) == (1, 0)
        await notifier.deliver([planned])
        record_waiting(await repository.waiting())
        assert (shown("none"), shown("no-account")) == (0, 1)
        decided_at = (await house.row(planned))["created_at"].timestamp()
        assert REGISTRY.get_sample_value("importer_oldest_notification_timestamp_seconds") == decided_at
        await house.owner.execute("UPDATE notifications SET state = 'failed', reason = 'gave-up', next_try_at = NULL")
        record_waiting(await repository.waiting())
        assert (shown("no-account"), shown("gave-up")) == (0, 0)
        assert REGISTRY.get_sample_value("importer_oldest_notification_timestamp_seconds") == 0


async def test_a_login_that_ends_is_a_metric_and_told_in_the_log_once_a_day(house: House) -> None:
    account = await house.owner.fetchval(
        "INSERT INTO outgoing_accounts (name, kind, tenant, username, mailbox_address, secret_expires_on)"
        " VALUES ('Graph', 'graph', 'desk.example', 'app', 'help@desk.example', '2026-12-08') RETURNING id"
    )
    async with house.database.pool("notifier") as pool:
        repository = Repository(pool, "test")
        accounts = await repository.accounts()
        record_accounts(accounts)
        told = []
        for day in (1, 24, 24):
            with capture_logs() as lines:
                await tell_endings(repository, accounts, datetime(2026, 11 if day > 1 else 10, day, tzinfo=UTC))
            told.append([(line["event"], line["account"]) for line in lines])
    assert told == [[], [("account_login_ends", "Graph")], []]
    label = {"account_id": str(account)}
    assert (
        REGISTRY.get_sample_value("importer_account_login_expires_timestamp_seconds", label)
        == datetime(2026, 12, 8, tzinfo=UTC).timestamp()
    )
    assert REGISTRY.get_sample_value("importer_account_refused_logins", label) == 0


async def test_a_result_that_never_happened_is_shown_as_zero() -> None:
    labels = {"kind": "ticket-added-manager", "result": "failed"}
    assert REGISTRY.get_sample_value("importer_notifications_total", labels) is not None
