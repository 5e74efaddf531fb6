"""What became of the mails taken in, as an operator's alarms see it."""

from prometheus_client import REGISTRY

from services.fetcher.metrics import record_unfinished
from shared.messages import MailId
from tests.services.fetcher.harness import Desk, Fetching, mail, minutes_ago


def shown() -> tuple[float | None, float | None, float | None]:
    return (
        REGISTRY.get_sample_value("importer_mails_without_outcome"),
        REGISTRY.get_sample_value("importer_oldest_mail_without_outcome_timestamp_seconds"),
        REGISTRY.get_sample_value("importer_dead_letters_open"),
    )


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
