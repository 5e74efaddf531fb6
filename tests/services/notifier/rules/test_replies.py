"""What a server's reply means: only a refusal of the mail itself is final (DESIGN 5, SPEC D10)."""

import pytest

from services.notifier.rules.replies import REPLY_LIMIT, Stage, Verdict, reply_line, verdict, without_addresses
from shared.portal.delivery import DeliveryReason

_AWAY = Verdict(DeliveryReason.SERVER_AWAY, whole_account=True)
_LOGIN = Verdict(DeliveryReason.LOGIN_REFUSED, whole_account=True)
_NOW = Verdict(DeliveryReason.REFUSED_FOR_NOW)
_UNKNOWN = Verdict(DeliveryReason.UNKNOWN_RECIPIENT, final=True)
_REFUSED = Verdict(DeliveryReason.REFUSED, final=True)


@pytest.mark.parametrize(
    ("stage", "code", "text", "meaning"),
    [
        pytest.param(Stage.CONNECTING, 554, "5.7.1 your address is listed", _AWAY, id="blocked at the greeting"),
        pytest.param(Stage.CONNECTING, 421, "4.3.2 too busy", _AWAY, id="busy at the greeting"),
        pytest.param(Stage.LOGIN, 535, "5.7.8 authentication failed", _LOGIN, id="wrong password"),
        pytest.param(Stage.LOGIN, 500, "what?", _LOGIN, id="any refusal of a login"),
        pytest.param(
            Stage.LOGIN,
            454,
            "4.7.0 temporary authentication failure",
            Verdict(DeliveryReason.REFUSED_FOR_NOW, whole_account=True),
            id="login not now",
        ),
        pytest.param(Stage.SENDER, 530, "5.7.57 client not authenticated", _LOGIN, id="login demanded"),
        pytest.param(Stage.SENDER, 550, "5.7.60 not allowed to send as this sender", _REFUSED, id="sender refused"),
        pytest.param(Stage.SENDER, 553, "5.1.8 sender unknown", _REFUSED, id="sender unknown"),
        pytest.param(Stage.SENDER, 550, "5.1.1 who?", _REFUSED, id="5.1.1 says nothing of the recipient yet"),
        pytest.param(Stage.SENDER, 421, "4.4.2 timeout", _AWAY, id="closing"),
        pytest.param(Stage.RECIPIENT, 450, "4.7.1 greylisted", _NOW, id="greylist"),
        pytest.param(Stage.RECIPIENT, 452, "4.2.2 mailbox full", _NOW, id="full mailbox, for now"),
        pytest.param(Stage.RECIPIENT, 550, "5.1.1 user unknown", _UNKNOWN, id="unknown recipient"),
        pytest.param(Stage.RECIPIENT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", _UNKNOWN, id="unknown at Exchange"),
        pytest.param(Stage.RECIPIENT, 550, "5.1.11 other", _REFUSED, id="another code that starts alike"),
        pytest.param(Stage.RECIPIENT, 550, "no such user here", _REFUSED, id="550 without a reason may be a policy"),
        pytest.param(Stage.RECIPIENT, 554, "5.7.1 relay access denied", _REFUSED, id="relay denied"),
        pytest.param(Stage.CONTENT, 550, "5.1.1 user unknown", _UNKNOWN, id="unknown recipient, told late"),
        pytest.param(Stage.CONTENT, 554, "5.7.1 spam", _REFUSED, id="content refused"),
        pytest.param(Stage.CONTENT, 552, "5.3.4 too big", _REFUSED, id="too big"),
        pytest.param(Stage.CONTENT, 451, "4.3.0 try again", _NOW, id="content not now"),
        pytest.param(Stage.RECIPIENT, 250, "what", _AWAY, id="an answer that answers nothing"),
        pytest.param(Stage.RECIPIENT, -1, "garbage", _AWAY, id="no SMTP at all"),
    ],
)
def test_a_reply_is_sorted(stage: Stage, code: int, text: str, meaning: Verdict) -> None:
    assert verdict(stage, code, text) == meaning


def test_a_reply_is_kept_as_one_bounded_line() -> None:
    assert reply_line(550, "5.1.1 a\r\nb\x00c\udc80") == "550 5.1.1 a b c?"
    assert len(reply_line(550, "x" * 5000)) == REPLY_LIMIT


def test_a_reply_is_logged_without_the_address_that_it_repeats() -> None:
    reply = "550 5.1.1 <piet.jansen@example.nl>: Recipient address rejected: User unknown in piet@example.nl; ask us"
    assert without_addresses(reply) == (
        "550 5.1.1 <(address)>: Recipient address rejected: User unknown in (address); ask us"
    )
