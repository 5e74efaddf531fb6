"""SPEC D10: Authentication-Results by the grammar of RFC 8601, and Exchange Online's form of it."""

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.dmarc import dmarc_result
from services.classifier.reading.mime.header import parse_headers
from shared.messages import DmarcResult

PASS, FAIL, NONE = DmarcResult.PASS, DmarcResult.FAIL, DmarcResult.NONE


def _result(*values: str, trusted: tuple[str, ...] = ("mx.ons.example",)) -> DmarcResult:
    block = "".join(f"Authentication-Results: {value}\n" for value in values).encode()
    headers = parse_headers(block, DEFAULT_LIMITS)
    return dmarc_result(headers, trusted, domain="smederij.example")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(
            ['mx.ons.example; spf=pass smtp.mailfrom="a;dmarc=pass"@elders.example; dmarc=fail'], FAIL, id="in-quotes"
        ),
        pytest.param(["mx.ons.example; spf=pass (a (b) ; dmarc=pass) smtp.helo=x"], NONE, id="in-nested-comments"),
        pytest.param([r"mx.ons.example; spf=pass (a \) ; dmarc=pass) smtp.helo=x"], NONE, id="escaped-parenthesis"),
        pytest.param(["mx.ons.example; spf=pass (; dmarc=pass"], NONE, id="comment-without-end"),
        pytest.param(['mx.ons.example; spf=fail reason="a;dmarc=pass"; dmarc=fail'], FAIL, id="reason"),
        pytest.param(["mx.ons.example; spf=pass smtp.helo=x;dmarc=pass; dmarc=fail"], FAIL, id="helo"),
        pytest.param(["mx.ons.example; spf=pass smtp.helo=x;dmarc=pass; dmarc=none"], NONE, id="helo-beside-none"),
        pytest.param(["mx.ons.example; dmarc=pass", "mx.ons.example; dmarc=fail"], FAIL, id="two-fields"),
        pytest.param(["mx.ons.example; spf=pass", "mx.ons.example; dmarc=fail"], FAIL, id="in-the-second"),
        pytest.param(["x; dmarc=pass", "mx.ons.example; dmarc=fail"], FAIL, id="below-a-stranger's"),
        pytest.param(["mx.ons.example; dmarc=pass header.from=elders.example"], NONE, id="of-another-domain"),
        pytest.param(["mx.ons.example; dmarc=pass header.from=SMEDERIJ.example"], PASS, id="of-the-sender"),
        pytest.param(["mx.ons.example; dmarc=pass (p=none) header.from = els@smederij.example"], PASS, id="spaced"),
        pytest.param(["mx.ons.example;\tdmarc=fail"], FAIL, id="tab-behind"),
        pytest.param(["mx.ons.example\t1;dmarc = fail"], FAIL, id="tab-and-version"),
        pytest.param(['"mx.ons.example"; dmarc=fail'], FAIL, id="quoted-id"),
        pytest.param(["(hier) mx.ons.example (daar); dmarc/1=fail"], FAIL, id="comments-around"),
        pytest.param(["mx.ons.example; dmarc / 1 = fail"], FAIL, id="version-of-the-method"),
        pytest.param(['mx.ons.example; dmarc="pass"'], NONE, id="a-result-is-never-quoted"),
        pytest.param(["mx.ons.example; none"], NONE, id="no-result"),
        pytest.param(["mx.ons.example; dmarc="], NONE, id="cut-off"),
        pytest.param([""], NONE, id="empty"),
    ],
)
def test_D10_results_are_read_by_the_grammar(values: list[str], expected: DmarcResult) -> None:
    assert _result(*values) is expected


MICROSOFT = (
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=smederij.example; dkim=pass (signature was verified) "
    "header.d=smederij.example;dmarc={} action=none header.from=smederij.example;compauth=pass reason=100"
)


@pytest.mark.parametrize(("said", "expected"), [("pass", PASS), ("fail", FAIL), ("bestguesspass", NONE)])
def test_D10_exchange_online_writes_no_authserv_id(said: str, expected: DmarcResult) -> None:
    assert _result(MICROSOFT.format(said), trusted=("exchange-online",)) is expected
    assert _result(MICROSOFT.format(said), trusted=()) is NONE, "only where the helpdesk says so"


def test_D10_on_exchange_online_the_topmost_field_alone_counts() -> None:
    forged = MICROSOFT.format("pass")
    assert _result("mx.elders.example; spf=pass", forged, trusted=("exchange-online",)) is NONE
    assert _result(MICROSOFT.format("fail"), forged, trusted=("exchange-online",)) is FAIL
    assert _result("spf=pass; dmarc=pass header.from=smederij.example", trusted=("exchange-online",)) is NONE


def test_D10_nobody_calls_himself_exchange_online() -> None:
    assert _result("exchange-online; dmarc=pass", trusted=("exchange-online",)) is NONE


def test_D10_a_gateway_that_the_helpdesk_names_counts_instead() -> None:
    assert _result(MICROSOFT.format("fail"), "mx.ons.example; dmarc=pass") is PASS
