"""What waits to be sent, as an operator's alarms see it."""

from prometheus_client import REGISTRY

from services.notifier.metrics import record_waiting
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


async def test_a_result_that_never_happened_is_shown_as_zero() -> None:
    labels = {"kind": "ticket-added-manager", "result": "failed"}
    assert REGISTRY.get_sample_value("importer_notifications_total", labels) is not None
