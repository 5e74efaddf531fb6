"""A raw mail's envelope survives its way through flat AMQP headers."""

import uuid
from datetime import UTC, datetime

import pytest

from shared.broker.envelope import envelope_from_headers, envelope_to_headers, travels_inline
from shared.errors import DeadLetter
from shared.messages import INLINE_LIMIT, BlobReference, RawMail


def raw_mail(**changes: object) -> RawMail:
    fields: dict[str, object] = {
        "mail_id": uuid.UUID("0b6ebb1e-23b7-5c33-8a3c-7c1d1a3e9f10"),
        "helpdesk_id": 7,
        "received_at": datetime(2026, 11, 2, 8, 15, tzinfo=UTC),
        "fetched_at": datetime(2026, 11, 2, 8, 15, 3, 250_000, tzinfo=UTC),
        "raw": BlobReference(sha256="ab" * 32, size=1200),
        "full_size": 1200,
        "choice": "import-without-mails",
    }
    return RawMail.model_validate(fields | changes)


def test_an_envelope_comes_back_as_it_went() -> None:
    mail = raw_mail()
    assert envelope_from_headers(envelope_to_headers(mail)) == mail


def test_headers_are_flat_values_that_an_operator_can_read_in_the_console() -> None:
    headers = envelope_to_headers(raw_mail())
    assert headers["mail.mail_id"] == "0b6ebb1e-23b7-5c33-8a3c-7c1d1a3e9f10"
    assert headers["mail.received_at"] == "2026-11-02T08:15:00Z"
    assert headers["mail.raw.sha256"] == "ab" * 32
    assert headers["mail.choice"] == "import-without-mails"
    assert {type(value) for value in headers.values()} <= {str, int, bool}


def test_headers_of_the_plumbing_do_not_enter_the_envelope() -> None:
    mail = raw_mail()
    plumbing = {"x-death": [{"count": 3}], "attempt": 2, "traceparent": "00-ab-cd-01"}
    assert envelope_from_headers(envelope_to_headers(mail) | plumbing) == mail


def test_a_field_of_a_newer_sender_is_kept() -> None:
    newer = envelope_to_headers(raw_mail()) | {"mail.importance": "high", "mail.raw.store": "s3"}
    assert envelope_to_headers(envelope_from_headers(newer)) == newer


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param({"mail.raw.sha256": "no digest"}, "raw.sha256", id="unreadable digest"),
        pytest.param({"mail.received_at": "2026-11-02T08:15:00"}, "received_at", id="time without zone"),
        pytest.param({"mail.raw.sha256.part": "deep"}, "sha256", id="fields where a value belongs"),
    ],
)
def test_headers_that_are_no_envelope_are_a_dead_letter_that_names_the_field(
    damage: dict[str, object], named: str
) -> None:
    with pytest.raises(DeadLetter, match=f"look at {named}$"):
        envelope_from_headers(envelope_to_headers(raw_mail()) | damage)


def test_a_missing_field_is_named_too() -> None:
    headers = envelope_to_headers(raw_mail())
    del headers["mail.mail_id"]
    with pytest.raises(DeadLetter, match=r"look at mail_id$"):
        envelope_from_headers(headers)


@pytest.mark.parametrize(
    ("size", "inline"), [pytest.param(INLINE_LIMIT, True, id="at the limit"), (INLINE_LIMIT + 1, False), (0, True)]
)
def test_a_mail_travels_inline_up_to_256_kib(size: int, *, inline: bool) -> None:
    assert travels_inline(raw_mail(raw=BlobReference(sha256="ab" * 32, size=size), full_size=size)) is inline
