"""What leaves is a well-formed mail, whatever stands in names, subjects and other people's Message-IDs."""

from email import message_from_bytes
from email.header import Header, decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP
from email.quoprimime import body_encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rules.addresses import parse_address
from services.notifier.rules.mime import (
    LINE_LIMIT,
    Headers,
    Mailbox,
    is_message_id,
    mailbox,
    quoted_printable,
    threading,
    unstructured,
    write_mail,
)
from shared.one_line import one_line
from tests.services.notifier.examples import NOW

_ANY = st.text(alphabet=st.characters(codec=None))
_PRINTABLE = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]))


def _headers(**changes: object) -> Headers:
    fields = {
        "date": NOW,
        "sender": Mailbox("Servicedesk", parse_address("ict@example.nl")),
        "recipient": Mailbox("Piet", parse_address("piet@klant.example")),
        "reply_to": None,
        "subject": "Ticket 1000123",
        "message_id": "0123.4567@example.nl",
        "references": (),
    }
    return Headers(**(fields | changes))  # type: ignore[arg-type]


def _parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def _subject(raw: bytes) -> str:
    """The subject as a reader that follows RFC 2047 shows it."""
    folded = message_from_bytes(raw)["Subject"]
    return str(make_header(decode_header(folded.replace("\r\n", "")))) if folded else ""


def test_the_headers_that_keep_machines_from_answering() -> None:
    mail = _parsed(write_mail(_headers(), "text", "<p>html</p>"))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert _parsed(write_mail(_headers(answers_a_mail=True), "", ""))["Auto-Submitted"] == "auto-replied"
    suppressed = {each.strip() for each in mail["X-Auto-Response-Suppress"].split(",")}
    assert suppressed == {"DR", "RN", "NRN", "OOF", "AutoReply"}, "NDR is not: delivery failures are to come back (D6)"
    assert mail["X-Loop"] == "ict@example.nl"
    assert mail["Date"].datetime == NOW
    assert mail["MIME-Version"] == "1.0"


def test_both_readings_are_utf8_the_text_first() -> None:
    text, html = "Geïmporteerd €\n.punt\nFrom regel\n" + "lang " * 400, "<p>Geïmporteerd €</p>" + "x" * 3000
    mail = _parsed(write_mail(_headers(), text, html))
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.iter_parts()
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    assert rich.get_content().rstrip("\r\n") == html


@given(subject=_ANY, name=_ANY, text=_ANY, html=_ANY)
def test_every_line_is_short_ascii_and_no_header_is_added(subject: str, name: str, text: str, html: str) -> None:
    headers = _headers(subject=subject[:500], recipient=Mailbox(name, parse_address("piet@klant.example")))
    raw = write_mail(headers, text, html)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 120
    mail = message_from_bytes(raw)
    assert sorted(set(mail.keys())) == sorted(
        {"Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"}
        | {"X-Loop", "Content-Language", "MIME-Version", "Content-Type"}
    )
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@given(subject=_PRINTABLE)
def test_a_subject_reads_as_it_was_written(subject: str) -> None:
    assert _subject(write_mail(_headers(subject=subject), "", "")) == one_line(subject)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("Ticket 1000123 - gewoon", id="plain"),
        pytest.param("Ticket 1000123 - " + "lange titel " * 30, id="long"),
        pytest.param("Ticket 1000123 - " + "x" * 400, id="long without spaces"),
        pytest.param("Ticket 1000123 - Geïmporteerd één voor één " * 5, id="accents over several words"),
        pytest.param("Ticket 1000123 - =?utf-8?q?verborgen?=", id="somebody typed an encoded word"),
        pytest.param("Ticket 1000123 - 🖨️ kapot 🖨️", id="beyond the basic plane"),
    ],
)
def test_subjects_of_all_kinds_survive(subject: str) -> None:
    assert _subject(write_mail(_headers(subject=subject), "", "")) == subject.strip()


@pytest.mark.parametrize(
    "name",
    [
        "Piet Jansen",
        "Jansen, Piet",
        'Piet "de Printer" Jansen',
        "Zoë van der Ståhl",
        "=?utf-8?q?x?=",
        "a\\b",
        "<x@y.nl>",
    ],
)
def test_a_name_reads_as_it_is_and_stays_beside_its_address(name: str) -> None:
    mail = _parsed(write_mail(_headers(recipient=Mailbox(name, parse_address("piet@klant.example"))), "", ""))
    (recipient,) = mail["To"].addresses
    assert recipient.display_name == name
    assert recipient.addr_spec == "piet@klant.example"


def test_no_name_is_the_address_alone() -> None:
    assert mailbox(Mailbox(" \r\n ", parse_address("piet@klant.example"))) == "piet@klant.example"


def test_an_address_that_needs_smtputf8_stands_in_the_header_as_it_is() -> None:
    raw = write_mail(_headers(recipient=Mailbox("Jörg", parse_address("jörg@klant.example"))), "", "")
    assert "\r\n <jörg@klant.example>\r\n".encode() in raw


@pytest.mark.parametrize(
    ("references", "lines"),
    [
        pytest.param((), [], id="none"),
        pytest.param(("a@b",), ["In-Reply-To: <a@b>", "References: <a@b>"], id="one"),
        pytest.param(
            ("a@b", "c@d", "a@b"),
            ["In-Reply-To: <c@d>", "References: <a@b>\r\n <c@d>"],
            id="each once, the nearest last",
        ),
        pytest.param((" <a@b> ",), ["In-Reply-To: <a@b>", "References: <a@b>"], id="brackets of its own"),
        pytest.param(("x\r\nBcc: y@z",), [], id="a header inside"),
        pytest.param(("x>y@z", "x<y@z", "a b@z", "é@z", "", "x" * 2000), [], id="what cannot stand between brackets"),
    ],
)
def test_threading_names_only_what_can_be_a_message_id(references: tuple[str, ...], lines: list[str]) -> None:
    assert threading(references) == lines


@given(_ANY)
def test_a_message_id_of_somebody_else_never_breaks_a_line(reference: str) -> None:
    if is_message_id(reference):
        assert reference.isascii()
        assert not set(reference) & set("<>\r\n\t ")


@given(
    st.lists(st.sampled_from(["a", " ", "\t", "=", "é", "€", "\n", "\x0c", "word ", "x" * 30, "y" * 73]), max_size=40)
)
def test_a_body_is_written_as_the_standard_library_writes_it(pieces: list[str]) -> None:
    octets = "".join(pieces).encode()
    expected = body_encode(octets.decode("latin-1"), maxlinelen=LINE_LIMIT, eol="\r\n")
    assert quoted_printable(octets) == expected


@given(st.lists(st.text("ab.,;:?=", min_size=1, max_size=30), max_size=20))
def test_a_subject_is_folded_as_the_standard_library_folds_it(words: list[str]) -> None:
    plain = " ".join(words)
    charset = "utf-8" if "=?" in plain else "us-ascii"
    expected = Header(plain, charset, maxlinelen=LINE_LIMIT, header_name="Subject").encode(linesep="\r\n")
    assert unstructured(plain, after="Subject: ") == expected
