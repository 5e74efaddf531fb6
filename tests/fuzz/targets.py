"""What must hold for any bytes at all: the targets of the fuzzer and of the property tests.

A target takes bytes and fails by any exception. It knows nothing of what drives it.
"""

import contextlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.address_header import parse_addresses
from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.header import decode_words, parameters
from services.classifier.reading.reader import read_head, read_mail
from services.classifier.reading.text.forwarded import find_quoted
from services.classifier.reading.text.lines import text_lines
from services.classifier.reading.text.reply import said_lines
from services.classifier.reading.text.reply_marker import find_markers
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.classifier.rules.ticket_number import find_numbers
from shared.html.sanitise import sanitise
from shared.templates.render import (
    SUBJECT_LIMIT,
    BadTemplate,
    Value,
    html_body,
    parse_body,
    parse_subject,
    subject_line,
    text_body,
)

MARKER: Final = "## Typ uw antwoord boven deze regel ##"
OWN: Final = "0b6e3c66-5f4c-5d0e-9d36-1f8d7b5a0001"
_MAIL: Final = uuid.UUID(int=7)
_SETTINGS: Final = ReadingSettings(markers=(MARKER,), trusted_authserv_ids=("mx.ons.example",))
_PATTERNS: Final = (r"[0-9]{4,10}", r"[A-Z]{2}[0-9]{5}", r"(?:SD|SC)-[0-9]+")
_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FORBIDDEN: Final = (
    "script, style, link, meta, base, iframe, frame, object, embed, form, input, button, select, textarea, svg, math, "
    "video, audio, source, template, [id], [name], [target], [class], [background], [srcset], [action], [formaction]"
)
_IN_STYLE: Final = re.compile(
    r"url\s*\(|expression\s*\(|(?:position|z-index|behavior)\s*:|@|\\|/\*|margin[^;]*-\s*\d", re.IGNORECASE
)


def whole_mail(content: bytes) -> None:
    """Any mail gives one bounded result, twice the same, that PostgreSQL takes and a page can show."""
    read = read_mail(content, _MAIL, _SETTINGS)
    _check(read)
    assert read == read_mail(content, _MAIL, _SETTINGS)


def head_of_mail(content: bytes) -> None:
    """So does the second way of reading."""
    _check(read_head(content, _MAIL, _SETTINGS))


def headers(content: bytes) -> None:
    """Any header value becomes text that can be stored; an address is never longer than an address may be."""
    for text in (decode_words(content), decode(content, "iso-2022-jp"), decode(content, "gb2312"), decode(content)):
        text.encode()
    for value in parameters(content)[1].values():
        value.encode()
    for mailbox in parse_addresses([content], DEFAULT_LIMITS):
        assert len(mailbox.address) <= DEFAULT_LIMITS.address
        assert not _TURNS.search(mailbox.name)


def marker(content: bytes) -> None:
    """A marker is found where it stands and nowhere else; what is above it holds none."""
    lines = text_lines(content.decode("utf-8", "replace"))
    for place in find_markers(lines, (MARKER,)):
        assert 0 <= place.quote_at <= place.marker_at < len(lines)
        assert find_markers(lines[: place.marker_at], (MARKER,)) == ()


def reply(content: bytes) -> None:
    """Of any text something is said, if there is anything in it; each line is said or not."""
    lines = text_lines(content.decode("utf-8", "replace"))
    kept = said_lines(lines)
    assert len(kept) == len(lines)
    assert any(kept)
    find_quoted([line.text for line in lines], "FW: x", DEFAULT_LIMITS)


def number(content: bytes) -> None:
    """A number found matches the pattern, and is a whole token of the subject or stands right behind «ticket»."""
    subject = content.decode("utf-8", "replace")
    narrow = subject.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
    for pattern in _PATTERNS:
        for token in find_numbers(subject, pattern):
            assert re.fullmatch(pattern, token.text)
            assert re.search(rf"(?i:\bticket_?|(?<!\w)){re.escape(token.text)}(?!\w)", narrow)


def html(content: bytes) -> None:
    """Whatever goes in, what comes out runs nothing, loads nothing, stays in its frame, and is already clean."""
    clean = sanitise(content.decode("utf-8", "replace"), frozenset({OWN}))
    _check_html(clean)
    assert sanitise(clean, frozenset({OWN})) == clean


def template(content: bytes) -> None:
    """A template is refused or rendered; values are put in once and leave neither line nor attribute."""
    source, _, value = content.decode("utf-8", "replace").partition("\n")
    values = {name: Value(value) for name in ("ticketnummer", "tickettitel", "contactpersoon")}
    with contextlib.suppress(BadTemplate, KeyError):
        line = subject_line(parse_subject(source), values)
        assert len(line) <= SUBJECT_LIMIT
        assert not re.search("[\x00-\x1f\x7f\u2028\u2029]", line)
    with contextlib.suppress(BadTemplate, KeyError):
        body = parse_body(source)
        assert "\x00" not in text_body(body, values)
        shown = LexborHTMLParser(html_body(body, values))
        assert shown.css("script, iframe, object, embed, form") == []


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "mail": whole_mail,
    "head": head_of_mail,
    "headers": headers,
    "marker": marker,
    "reply": reply,
    "number": number,
    "html": html,
    "template": template,
}


def _check(read: ReadMail) -> None:
    assert len(read.subject) <= DEFAULT_LIMITS.subject
    assert len(read.whole.text) <= DEFAULT_LIMITS.text
    above = [body for each in read.above for body in (each.body, each.trimmed) if body is not None]
    bodies = [read.whole, *above, *(() if read.reply is None else (read.reply,))]
    names = [mailbox.name for mailbox in (*read.from_, *read.to)] + [part.name for part in read.left_out]
    for line in (read.subject, *names):
        assert not _UNSAFE.search(line)
        assert not _TURNS.search(line)
    for body in bodies:
        assert not _UNSAFE.search(body.text)
        assert not _UNSAFE.search(body.html)
        _check_html(body.html)
    for bounced in read.bounced:
        assert re.fullmatch(r"(?:[245]\.[0-7]\.[0-9]{1,3})?", bounced.status)
        assert bounced.action in {"failed", "delayed", "delivered", "relayed", "expanded", ""}


def _check_html(shown: str) -> None:
    document = LexborHTMLParser(shown)
    assert document.body is None or document.body.css(_FORBIDDEN) == []
    for element in document.css("*"):
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            if name == "src":
                assert (value or "").startswith("attachment:")
            elif name == "href":
                assert re.match(r"https?://|mailto:|tel:", value or "", re.IGNORECASE)
            elif name == "style":
                assert not _IN_STYLE.search(value or "")
