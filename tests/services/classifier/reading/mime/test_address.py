"""RFC 5322 3.4: mailboxes as real mailers write them."""

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.address import is_usable
from services.classifier.reading.mime.address_header import parse_addresses


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"jan@b.example", [("", "jan@b.example")], id="bare"),
        pytest.param(b"Jan <jan@b.example>", [("Jan", "jan@b.example")], id="named"),
        pytest.param(b'"Smit, Jan" <jan@b.example>', [("Smit, Jan", "jan@b.example")], id="comma-in-quotes"),
        pytest.param(b"jan@b.example (Jan Smit)", [("Jan Smit", "jan@b.example")], id="name-in-a-comment"),
        pytest.param(b"=?utf-8?Q?Smit=2C_J=C3=B8n?= <j@b.example>", [("Smit, Jøn", "j@b.example")], id="encoded-comma"),
        pytest.param(b"a@b.example, C <c@d.example>", [("", "a@b.example"), ("C", "c@d.example")], id="two"),
        pytest.param(b"a@b.example;c@d.example", [("", "a@b.example"), ("", "c@d.example")], id="semicolon"),
        pytest.param(b"Groep: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")], id="group"),
        pytest.param(b"undisclosed-recipients:;", [], id="empty-group"),
        pytest.param(b"<@relay.example:jan@b.example>", [("", "jan@b.example")], id="source-route"),
        pytest.param(
            b'"jan@b.example" <jan@b.example>', [("jan@b.example", "jan@b.example")], id="name-is-the-address"
        ),
        pytest.param(
            b"Jan (de \\) baas) <jan(hier)@b.example(daar)>", [("Jan", "jan@b.example")], id="comments-everywhere"
        ),
        pytest.param(
            b'=?utf-8?Q?"Jan_Jansen"?= <jan@b.example>', [("Jan Jansen", "jan@b.example")], id="quotes-encoded"
        ),
        pytest.param(b'"Jan <jan@b.example>', [("Jan", "jan@b.example")], id="quote-never-closed"),
        pytest.param(b"Jan jan@b.example", [], id="no-brackets"),
        pytest.param(b"Jan [jan@b.example]", [("Jan", "jan@b.example")], id="square-brackets"),
        pytest.param(b"<mailto:jan@b.example>", [("", "jan@b.example")], id="mailto"),
        pytest.param(
            b"MAILER-DAEMON (Mail Delivery System)", [("Mail Delivery System", "MAILER-DAEMON")], id="no-domain"
        ),
        pytest.param(b"", [], id="empty"),
        pytest.param(b"<>", [], id="null"),
        pytest.param("Zoë <zoë@bücher.example>".encode(), [("Zoë", "zoë@bücher.example")], id="internationalised"),
        pytest.param(
            b"Jan\x00\x1b[31m\xe2\x80\xae <jan@b.example>", [("Jan[31m", "jan@b.example")], id="control-and-bidi"
        ),
        pytest.param(b"Jan Smit", [], id="a-name-alone"),
    ],
)
def test_addresses(value: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(found.name, found.address) for found in parse_addresses([value], DEFAULT_LIMITS)] == expected


def test_long_lists_and_addresses_are_bounded() -> None:
    assert len(parse_addresses([b"a@b.example," * 5_000], DEFAULT_LIMITS)) == DEFAULT_LIMITS.addresses
    assert parse_addresses([b"x" * 400 + b"@b.example"], DEFAULT_LIMITS) == ()


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("a@b.example", True),
        ('"a b"@c.example', True),
        ("a", False),
        ("a@", False),
        ("@b", False),
        ("a@b@c", False),
        ("a b@c", False),
    ],
)
def test_usable(address: str, usable: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_usable(address) is usable
