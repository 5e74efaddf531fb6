"""What an operator is told of mails over a limit (SPEC D10): each counted, a burst told once an hour."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.ticket_writer.over_limit import TELL_AGAIN_SECONDS, OverLimit
from shared.portal.reasons import NotSentReason

UNKNOWN, ADDRESS = NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS, NotSentReason.OVER_LIMIT


def counted() -> float:
    value = REGISTRY.get_sample_value("importer_mails_over_limit_total", {"reason": UNKNOWN.value})
    assert value is not None  # it is there before the first
    return value


def test_D10_a_flood_is_told_once_an_hour_and_counted_whole() -> None:
    now, before = [0.0], counted()
    over_limit = OverLimit(lambda: now[0])
    with capture_logs() as logs:
        for _ in range(100):
            over_limit.count(1, [UNKNOWN])
        over_limit.count(2, [UNKNOWN, ADDRESS])
        now[0] = TELL_AGAIN_SECONDS
        over_limit.count(1, [UNKNOWN])
    told = [(each["helpdesk_id"], each["reason"]) for each in logs if each["event"] == "mails_over_limit"]
    assert told == [(1, UNKNOWN), (2, UNKNOWN), (2, ADDRESS), (1, UNKNOWN)]
    assert counted() - before == 102
