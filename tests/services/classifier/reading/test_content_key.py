"""SPEC D13, D17, D19, D10, DESIGN 15: what identifies a mail, who sent it, when, and whom we may believe."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.classifier.reading.content_key import content_key
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.date import sent_at
from services.classifier.reading.mime.dmarc import dmarc_result
from services.classifier.reading.mime.header import parse_headers
from services.classifier.reading.mime.safe_text import safe_line, safe_text
from services.classifier.rules.sender import FoundSender, ReplyTo, find_sender
from shared.messages import ContentKey, DmarcResult, MailAddress

MOMENT = datetime(2026, 11, 23, 8, 12, 44, tzinfo=UTC)
CONTENT: dict[str, Any] = {
    "message_id": "a@b",
    "sender": "jan@b.example",
    "sent_at": MOMENT,
    "date": "",
    "subject": "Printer",
    "text": "x y",
}


def key(**changes: Any) -> ContentKey:
    return content_key(**(CONTENT | changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"text": "x  y\r\n"}, id="white-space"),
        pytest.param({"text": "x\xa0y"}, id="hard-space"),
        pytest.param({"sender": " JAN@B.example"}, id="case-of-the-address"),
        pytest.param({"subject": " Printer "}, id="space-around-the-subject"),
        pytest.param({"message_id": " a@b\t"}, id="space-around-the-message-id"),
        pytest.param({"date": "Mon, 23 Nov 2026 09:12:44 +0100"}, id="the-same-moment-written-otherwise"),
    ],
)
def test_D13_what_servers_change_is_the_same_mail(changes: dict[str, Any]) -> None:
    assert key(**changes) == key()


def test_D13_letters_composed_otherwise_are_the_same() -> None:
    assert key(subject="e\u0301e\u0301n", text="cafe\u0301") == key(subject="één", text="café")


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "c@d"},
        {"sender": "piet@b.example"},
        {"sent_at": MOMENT.replace(second=45)},
        {"subject": "printer"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_D13_another_mail(changes: dict[str, Any]) -> None:
    assert key(**changes).key != key().key
    assert key(**changes).text_digest == key().text_digest


def test_D13_the_text_is_part_of_the_key_only_without_message_id() -> None:
    assert key(text="anders").key == key().key
    assert key(text="anders").text_digest != key().text_digest
    assert key(message_id=None, text="anders").key != key(message_id=None).key


def test_D13_a_date_that_is_none_counts_as_written() -> None:
    assert key(sent_at=None, date="gisteren").key != key(sent_at=None, date="vandaag").key


def test_D13_parts_cannot_run_into_each_other() -> None:
    assert key(message_id="a", sender="bc").key != key(message_id="ab", sender="c").key


OWN = "ict@helpdesk.example"


def someone(address: str) -> tuple[MailAddress, ...]:
    return (MailAddress(address=address),)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"from_": "a@b.example"}, FoundSender(MailAddress(address="a@b.example")), id="From"),
        pytest.param(
            {"from_": "kapot", "sender": "c@d.example"}, FoundSender(MailAddress(address="c@d.example")), id="Sender"
        ),
        pytest.param({"reply_to": "e@f.example"}, FoundSender(MailAddress(address="e@f.example")), id="Reply-To"),
        pytest.param({"return_path": "g@h.example"}, FoundSender(MailAddress(address="g@h.example")), id="Return-Path"),
        pytest.param({}, FoundSender(None), id="D17-none"),
        pytest.param({"from_": "kapot"}, FoundSender(None), id="D17-none-usable"),
        pytest.param(
            {"from_": "a@b.example", "reply_to": "e@f.example"},
            FoundSender(MailAddress(address="a@b.example")),
            id="Reply-To-of-others-is-no-sender",
        ),
        pytest.param(
            {"from_": "ICT@helpdesk.example"},
            FoundSender(MailAddress(address="ICT@helpdesk.example"), from_own_address=True),
            id="D19-own-address",
        ),
        pytest.param(
            {"from_": OWN, "reply_to": "e@f.example"},
            FoundSender(MailAddress(address="e@f.example"), by_reply_to=ReplyTo.WEB_FORM),
            id="D19-web-form",
        ),
        pytest.param(
            {"from_": OWN, "reply_to": OWN},
            FoundSender(MailAddress(address=OWN), from_own_address=True),
            id="D19-reply-to-ourselves",
        ),
    ],
)
def test_sender(headers: dict[str, str], expected: FoundSender) -> None:
    assert find(headers) == expected


def find(headers: dict[str, str], **settings: bool) -> FoundSender:
    given: dict[str, Any] = dict.fromkeys(("from_", "sender", "reply_to", "return_path"), ())
    given |= {name: someone(address) for name, address in headers.items()}
    given |= {"own_address": OWN, "is_automatic": False} | settings
    return find_sender(**given)


def test_of_several_authors_the_first_counts_and_not_who_sent_it_for_them() -> None:
    """RFC 5322 §3.6.2: Sender names who put the mail on its way; From, who wrote it."""
    assert find({"from_": "chef@b.example", "sender": "secretaris@b.example"}).mailbox == someone("chef@b.example")[0]


BY_REPLY_TO = {"from_": "formulier@b.example", "reply_to": "klant@f.example"}


@pytest.mark.parametrize(
    ("headers", "settings", "expected"),
    [
        pytest.param(
            BY_REPLY_TO,
            {},
            FoundSender(someone("klant@f.example")[0], ReplyTo.SETTING, instead_of=someone("formulier@b.example")[0]),
            id="another",
        ),
        pytest.param(
            BY_REPLY_TO, {"is_automatic": True}, FoundSender(someone("formulier@b.example")[0]), id="never-of-a-machine"
        ),
        pytest.param(
            BY_REPLY_TO | {"reply_to": OWN}, {}, FoundSender(someone("formulier@b.example")[0]), id="never-ourselves"
        ),
        pytest.param(
            BY_REPLY_TO | {"reply_to": "Formulier@B.example"},
            {},
            FoundSender(someone("formulier@b.example")[0]),
            id="the-same",
        ),
        pytest.param(
            BY_REPLY_TO | {"reply_to": "kapot"}, {}, FoundSender(someone("formulier@b.example")[0]), id="unusable"
        ),
    ],
)
def test_setting_the_reply_to_is_the_sender(
    headers: dict[str, str], settings: dict[str, bool], expected: FoundSender
) -> None:
    assert find(headers, reply_to_is_sender=True, **settings) == expected


def test_D6_automatic_mail_may_come_from_a_name_alone() -> None:
    found = find_sender(
        from_=someone("MAILER-DAEMON"), sender=(), reply_to=(), return_path=(), own_address=OWN, is_automatic=True
    )
    assert found.mailbox == MailAddress(address="MAILER-DAEMON")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("Mon, 23 Nov 2026 09:12:44 +0100", MOMENT, id="RFC-5322"),
        pytest.param("23 Nov 2026 08:12:44 GMT", MOMENT, id="without-weekday"),
        pytest.param("Mon, 23 Nov 26 09:12:44 +0100 (CET)", MOMENT, id="two-digit-year-and-comment"),
        pytest.param("2026-11-23T09:12:44+01:00", MOMENT, id="ISO-8601"),
        pytest.param("2026-11-23 08:12:44.123Z", MOMENT, id="ISO-8601-with-fraction"),
        pytest.param("Mon, 23 Nov 2026 09:12:44 +01:00", MOMENT, id="offset-with-colon"),
        pytest.param("Mon, 23 Nov 2026 09:12:44 GMT+0100", MOMENT, id="offset-behind-GMT"),
        pytest.param("Mon, 23 Nov 2026 09:12:44 CET", MOMENT, id="European-zone"),
        pytest.param("Date: Mon, 23 Nov 2026 09:12:44 +0100", MOMENT, id="field-name-twice"),
        pytest.param("Mon, 23 Nov 2026 09:12:60 +0100", MOMENT.replace(second=59), id="leap-second"),
        pytest.param("2026-99-23 08:12:44", None, id="no-such-month"),
        pytest.param("Mon, 23 Nov 2026 09:12:44 +9900", None, id="no-such-offset"),
        pytest.param("gisteren", None, id="no-date"),
        pytest.param("Mon, 99 Nov 2026 09:12:44 +0100", None, id="no-such-day"),
        pytest.param("Mon, 23 Nov 9999 09:12:44 +0100", None, id="far-future"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_date_header(header: str, expected: datetime | None) -> None:
    assert sent_at(header) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["mx.ons.example; spf=pass; dmarc=fail (p=reject) header.from=x"], DmarcResult.FAIL, id="fail"),
        pytest.param(["mx.ons.example 1; dmarc=pass"], DmarcResult.PASS, id="pass-with-version"),
        pytest.param(["MX.ons.example; dmarc=none"], DmarcResult.NONE, id="none"),
        pytest.param(["mx.elders.example; dmarc=fail"], DmarcResult.NONE, id="not-trusted"),
        pytest.param(["mx.ons.example; dmarc=pass", "mx.ons.example; dmarc=fail"], DmarcResult.FAIL, id="all-fields"),
        pytest.param(["mx.kwaad.example; x=y (mx.ons.example; dmarc=pass)"], DmarcResult.NONE, id="in-a-comment"),
        pytest.param(["spf=pass; dmarc=pass"], DmarcResult.NONE, id="no-authserv-id"),
        pytest.param([], DmarcResult.NONE, id="no-header"),
    ],
)
def test_D10_dmarc_of_a_trusted_server(lines: list[str], expected: DmarcResult) -> None:
    block = "".join(f"Authentication-Results: {line}\n" for line in lines).encode()
    assert dmarc_result(parse_headers(block, DEFAULT_LIMITS), ["mx.ons.example"]) is expected


def test_text_is_safe_for_postgresql_and_for_screens() -> None:
    assert safe_text("a\x00b\ud800c\x1b[1m\r\nd\u2028e\tf") == "abc[1m\nd\ne\tf"
    assert safe_line("Factuur\u202egpj.exe\r\nX:\x00 ja\u200b", 99) == "Factuurgpj.exe X: ja"
    assert safe_line("x" * 50, 10) == "x" * 9 + "…"
