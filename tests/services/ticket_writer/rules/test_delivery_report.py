"""What a delivery report says of a notification (SPEC D6; RFC 3464 §2.3, RFC 3463)."""

import uuid

import pytest

from services.ticket_writer.rules.delivery_report import Action, delivery_report
from services.ticket_writer.rules.facts import SentNotification
from shared.messages import AutomaticKind, BouncedRecipient
from shared.portal.delivery import DeliveryReason
from tests.services.ticket_writer.givens import mail

SENT = SentNotification(uuid.UUID(int=1), "jan@klant.example")


def said(recipient: str = "jan@klant.example", status: str = "", action: str = "") -> BouncedRecipient:
    return BouncedRecipient(recipient=recipient, status=status, action=action, diagnostic="smtp; nee")


@pytest.mark.parametrize(
    ("bounced", "action", "status", "reason"),
    [
        pytest.param(
            [said(status="5.1.1", action="failed")], "failed", "5.1.1", DeliveryReason.UNKNOWN_RECIPIENT, id="unknown"
        ),
        pytest.param([said(status="5.2.2", action="Failed")], "failed", "5.2.2", DeliveryReason.BOUNCED, id="full"),
        pytest.param([said(status="4.4.1", action="delayed")], "delayed", "4.4.1", None, id="delayed"),
        pytest.param([said(status="2.1.5", action="delivered")], "delivered", "2.1.5", None, id="delivered"),
        pytest.param([said(status="2.0.0", action="relayed")], "relayed", "2.0.0", None, id="relayed"),
        pytest.param([said(status="4.4.7", action="failed")], "failed", "4.4.7", DeliveryReason.BOUNCED, id="gave-up"),
        pytest.param([said(status="4.4.1")], "delayed", "4.4.1", None, id="a status alone"),
        pytest.param([said(status="5.1.1 (unknown)")], "failed", "5.1.1", DeliveryReason.UNKNOWN_RECIPIENT, id="words"),
        pytest.param([said(status="550")], "failed", "", DeliveryReason.BOUNCED, id="no status code"),
        pytest.param([said(action="kapot")], "failed", "", DeliveryReason.BOUNCED, id="an action that is none"),
        pytest.param([], "failed", "", DeliveryReason.BOUNCED, id="nobody named"),
        pytest.param(
            [said("piet@klant.example", "5.1.1", "failed"), said("JAN@klant.example", "4.2.2", "delayed")],
            "delayed",
            "4.2.2",
            None,
            id="our recipient among several",
        ),
        pytest.param(
            [said("jan@nieuw.example", "5.1.1", "failed")],
            "failed",
            "5.1.1",
            DeliveryReason.UNKNOWN_RECIPIENT,
            id="forwarded to another address",
        ),
    ],
)
def test_D6_what_a_report_says(
    bounced: list[BouncedRecipient], action: str, status: str, reason: DeliveryReason | None
) -> None:
    report = delivery_report(mail(automatic=AutomaticKind.BOUNCE, bounced=tuple(bounced)), SENT)
    assert report is not None
    assert (report.action, report.status, report.reason) == (Action(action), status, reason)


def test_D6_a_failure_is_final() -> None:
    later = mail(automatic=AutomaticKind.BOUNCE, bounced=(said(status="2.0.0", action="delivered"),))
    assert delivery_report(later, SentNotification(uuid.UUID(int=1), "jan@klant.example", has_failed=True)) is None


def test_D6_other_mail_reports_nothing() -> None:
    assert delivery_report(mail(automatic=AutomaticKind.OWN), SENT) is None
    assert delivery_report(mail(automatic=AutomaticKind.BOUNCE), None) is None
