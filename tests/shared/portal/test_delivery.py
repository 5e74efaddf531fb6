"""Every reason that keeps a notification from being delivered has its sentence."""

from services.notifier.rules.retry import DELAYS
from shared.portal.delivery import DELIVERY, DeliveryReason


def test_every_reason_has_a_sentence() -> None:
    assert set(DELIVERY) == set(DeliveryReason)
    for explanation in DELIVERY.values():
        assert explanation.sentence.endswith(".")


def test_giving_up_is_told_with_its_hours() -> None:
    hours = sum(delay.total_seconds() for delay in DELAYS) / 3600
    assert f"{hours:.0f} uur" in DELIVERY[DeliveryReason.GAVE_UP].sentence
