"""A whole mail, read: bodies in every shape, broken and hostile mail; always a result, always the same one."""

import base64
import io
import random
import uuid
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.classifier.reading.frames import Answer
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.mime import parser
from services.classifier.reading.mime import part as part_module
from services.classifier.reading.mime.part_text import text_of
from services.classifier.reading.mime.transfer import transfer_decoded
from services.classifier.reading.reader import read_beginning, read_head, read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from tests.services.classifier.reading.images.pictures import PICTURES
from tests.services.classifier.wrappings import multipart

MAILS = Path(__file__).parents[3] / "mails"
EVERY_MAIL = sorted(MAILS.glob("*/*.eml"))


def read(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> ReadMail:
    return read_mail(raw, uuid.UUID(int=1), ReadingSettings(markers=("== x ==",)), limits)


def assert_bounded(mail: ReadMail) -> None:
    """Everything fits PostgreSQL and the limits, and travels unchanged."""
    answer = Answer.of(mail)
    assert b"\\u0000" not in answer.content
    assert answer.mail() == mail
    assert len(mail.subject) <= DEFAULT_LIMITS.subject
    assert len(mail.whole.text) <= DEFAULT_LIMITS.text
    assert len(mail.images) <= DEFAULT_LIMITS.images


@pytest.mark.parametrize("path", EVERY_MAIL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_mail_gives_the_same_bounded_result_twice(path: Path) -> None:
    raw = path.read_bytes()
    mail = read(raw)
    assert_bounded(mail)
    assert read(raw) == mail
    assert_bounded(read_head(raw, uuid.UUID(int=1), ReadingSettings()))


def test_each_body_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a transfer encoding nor a charset is undone twice, however many rules ask for a part's text."""
    bodies: Counter[tuple[int, int, int]] = Counter()
    texts: Counter[int] = Counter()
    held: list[bytes] = []  # so that no other bytes get the id of some that are gone

    def decoded(raw: bytes, start: int, end: int, encoding: str) -> bytes:
        held.append(raw)
        bodies[id(raw), start, end] += start < end
        return transfer_decoded(raw, start, end, encoding)

    def text(content: bytes, kind: str, parameters: dict[str, str]) -> str:
        held.append(content)
        texts[id(content)] += bool(content)
        return text_of(content, kind, parameters)

    monkeypatch.setattr(parser, "transfer_decoded", decoded)
    monkeypatch.setattr(part_module, "text_of", text)
    for path in EVERY_MAIL:
        read(path.read_bytes())
    assert (max(bodies.values()), max(texts.values())) == (1, 1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no-closing-boundary", "Er is tekst."),
        ("wrong-boundary", "Er is tekst."),
        ("multipart-without-parts", "Er is tekst."),
        ("header-cut-short", "Er is tekst =ZZ met é."),
        ("cr-only", "Er is tekst."),
        ("bad-base64", "Er is tekst.Ex"),
        ("no-sender", "Zonder afzender."),
        ("empty-body", ""),
        ("empty", ""),
    ],
)
def test_D17_broken_mail_still_says_what_it_says(name: str, text: str) -> None:
    mail = read((MAILS / "broken" / f"{name}.eml").read_bytes())
    assert mail.whole.text == text
    assert (text in mail.whole.html) or not text


def test_a_header_cut_short_still_names_sender_and_subject() -> None:
    mail = read((MAILS / "broken" / "header-cut-short.eml").read_bytes())
    assert mail.subject == "Rapport nachtelijke backup"
    assert mail.from_[0].address == "sanne@bakkerij.example"
    assert [recipient.address for recipient in mail.to] == ["ict@helpdesk.example"]
    assert mail.sent_at is None


def test_headers_in_words_split_folded_and_raw() -> None:
    split = read((MAILS / "charsets" / "split-words.eml").read_bytes())
    assert split.subject == "Één café in Curaçao (Ticket 1000001)"
    assert split.from_[0].name == "Visser, Zoë"
    raw = read((MAILS / "charsets" / "raw-8bit-headers.eml").read_bytes())
    assert (raw.subject, raw.from_[0].name) == ("Één café", "Zoë Ünal")


def test_a_mail_cannot_lie_in_its_headers() -> None:
    mail = read((MAILS / "hostile" / "header-tricks.eml").read_bytes())
    assert mail.subject == "Factuurgpj.exe X-Kwaad: ja"
    assert mail.from_[0].name == "Directie Bcc: x@kwaad.example"
    assert mail.whole.text == "Tekst met NUL en [31mkleur."


def part(media_type: str, content: str, head: str = "") -> str:
    return f"--b\nContent-Type: {media_type}; charset=utf-8\n{head}\n{content}\n"


def mixed(*parts: str, kind: str = "mixed") -> bytes:
    return f"From: a@b.example\nContent-Type: multipart/{kind}; boundary=b\n\n{''.join(parts)}--b--\n".encode()


@pytest.mark.parametrize(
    ("raw", "text", "shown"),
    [
        pytest.param(
            mixed(part("text/plain", "een"), part("text/html", "<p>één</p>"), kind="alternative"),
            "een",
            "<p>één</p>",
            id="alternative",
        ),
        pytest.param(
            mixed(part("text/html", "<p>één</p>"), part("text/plain", "een"), kind="alternative"),
            "een",
            "<p>één</p>",
            id="alternative-in-the-wrong-order",
        ),
        pytest.param(
            mixed(part("text/plain", " \n"), part("text/html", "<p>één</p>"), kind="alternative"),
            "één",
            "<p>één</p>",
            id="blank-plain-text",
        ),
        pytest.param(mixed(part("text/plain", "een"), part("text/plain", "twee")), "een\ntwee", "twee", id="two-texts"),
        pytest.param(
            mixed(part("text/html", "<p>een</p>"), part("text/html", "<p>twee</p>")),
            "een\n\ntwee",
            "<p>twee</p>",
            id="two-htmls",
        ),
        pytest.param(
            mixed(
                part("text/plain", "een"),
                part("text/plain", "log", 'Content-Disposition: attachment; filename="log.txt"\n'),
            ),
            "een",
            "een",
            id="attached-text-is-no-body",
        ),
        pytest.param(
            mixed(part("text/plain", "een"), part("text/plain", "x", "Content-Disposition: inline; filename=x.txt\n")),
            "een",
            "een",
            id="named-text-is-no-body",
        ),
        pytest.param(
            mixed(part("message/rfc822", "Subject: in\n\nbinnen"), part("text/plain", "een")),
            "een",
            "een",
            id="attached-message-is-no-body",
        ),
        pytest.param(
            mixed(part("text/plain", "een"), part("application/pgp-signature", "x"), kind="signed"),
            "een",
            "een",
            id="signed",
        ),
        pytest.param(
            b"From: a@b.example\nContent-Type: text/html\nContent-Disposition: attachment\n\n<p>x</p>",
            "x",
            "<p>x</p>",
            id="the-whole-mail-called-an-attachment",
        ),
        pytest.param(
            b"From: a@b.example\n\n<b>geen html</b> & meer",
            "<b>geen html</b> & meer",
            "&lt;b&gt;geen html&lt;/b&gt; &amp; meer",
            id="plain-text-is-escaped",
        ),
        pytest.param(
            b"From: a@b.example\nContent-Type: text/html\n\n<table><tr><td>a</td><td>b</td></tr></table>"
            b"<ul><li>c</li><li>d</li></ul>e<br>f",
            "a\tb\n\n- c\n- d\n\ne\nf",
            "<li>c</li>",
            id="tables-and-lists",
        ),
    ],
)
def test_bodies(raw: bytes, text: str, shown: str) -> None:
    mail = read(raw)
    assert mail.whole.text == text
    assert shown in mail.whole.html


def test_related_root_by_start() -> None:
    raw = mixed(
        part("text/html", "<p>bijlage</p>", "Content-ID: <a>\n"),
        part("text/html", "<p>de mail</p>", "Content-ID: <r>\n"),
        kind='related; start="<r>"',
    )
    mail = read(raw)
    assert mail.whole.text == "de mail"
    assert [each.media_type for each in mail.left_out] == ["text/html"]


def test_long_bodies_are_cut_and_say_so() -> None:
    mail = read(b"From: a@b.example\n\n" + b"x" * 600, Limits(text=100))
    assert (len(mail.whole.text), mail.whole.text[-1], mail.body_cut) == (100, "…", True)
    assert read(b"From: a@b.example\nContent-Type: text/html\n\n" + b"<p>x</p>" * 60, Limits(html=100)).body_cut


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<div>" * 100_000 + "diep", id="elements"),
        pytest.param("<div/>" * 100_000 + "diep", id="elements-that-look-closed"),
        pytest.param("<!--" * 100_000 + "diep", id="comments"),
        pytest.param("<a " * 300_000 + "diep", id="tags-never-closed"),
        pytest.param("<" * 900_000 + "diep", id="brackets"),
        pytest.param("<b><i>" * 700 + "<p>x</p>" * 5_000, id="formatting"),
    ],
)
def test_html_that_would_take_minutes_is_read_all_the_same(html: str) -> None:
    mail = read(f"From: a@b.example\nContent-Type: text/html\n\n{html}".encode())
    assert mail.from_[0].address == "a@b.example"


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<b>" * 30_000 + "De printer doet het niet.", id="before"),
        pytest.param("De printer " + "<b>" * 30_000 + "doet het niet.", id="between"),
        pytest.param("<font size=2><b>" * 20_000 + "De printer doet het niet.", id="with-attributes"),
    ],
)
def test_html_of_elements_without_end_keeps_its_text(html: str) -> None:
    mail = read(f"From: a@b.example\nContent-Type: text/html\n\n{html}".encode())
    assert mail.whole.text == "De printer doet het niet."
    assert "De printer doet het niet." in mail.whole.html


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        pytest.param("", "els@b.example", id="nothing-else"),
        pytest.param("Return-Path: <els@b.example>\n", "els@b.example", id="the-same"),
        pytest.param("Return-Path: <web@b.example>\n", "els@b.example", id="of-the-same-domain"),
        pytest.param("Return-Path: <>\n", "els@b.example", id="none"),
        pytest.param("Return-Path: <x@c.example>\n", None, id="of-another-domain"),
        pytest.param("Return-Path: <els@b.example>\nSender: x@c.example\n", None, id="sent-by-another-domain"),
    ],
)
def test_a_mangled_sender_counts_where_no_other_header_speaks_against_him(headers: str, address: str | None) -> None:
    """Whoever forges a mail could hide its domain from the server that checks it, and show it to us."""
    mail = read(f"{headers}From: =?utf-8?Q?Els_=3Cels=40b.example=3E?=\n\nx".encode())
    assert [each.address for each in mail.from_] == ([address] if address else [])


def test_the_head_of_a_mail_says_what_it_can() -> None:
    raw = (MAILS / "images" / "inline-and-attached.eml").read_bytes()
    head = read_head(raw, uuid.UUID(int=1), ReadingSettings())
    assert (head.head_only, head.subject, head.images) == (True, "Printer met foto", ())
    assert "Zie" in head.whole.text
    assert {each.name for each in head.left_out} == {"image001.png", "foto.jpg", "offerte.pdf"}


def test_D13_the_key_does_not_depend_on_marker_or_transport() -> None:
    raw = (MAILS / "clients" / "gmail.eml").read_bytes()
    as_crlf = read_mail(raw.replace(b"\n", b"\r\n"), uuid.UUID(int=2), ReadingSettings(markers=("andere",)))
    assert as_crlf.content_key == read(raw).content_key


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EVERY_MAIL), st.data())
def test_no_damage_makes_the_reader_fail(path: Path, data: st.DataObject) -> None:
    raw = bytearray(path.read_bytes()[:20_000])
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    assert_bounded(read(bytes(raw)))


def test_a_message_id_that_a_report_names_is_safe_for_the_database() -> None:
    report = (MAILS / "automatic" / "bounce-rfc3464.eml").read_bytes()
    damaged = report.replace(b"<ons.0f3a@", b"<ons.\x000f3a@")
    assert damaged != report
    returned = read(damaged)
    assert_bounded(returned)
    assert returned.returned_message_ids == ("ons.0f3a@helpdesk.example",)


def test_text_that_is_no_mail_loses_none_of_its_lines_and_html_is_read_as_such() -> None:
    assert read(b"Hallo,\nLet op: morgen dicht.\n\nGroet").whole.text == "Hallo,\nLet op: morgen dicht.\n\nGroet"
    assert read(b"<html><body><p>Hallo</p></body></html>").whole.text == "Hallo"
    assert read(b"From: a@b.example\n\n<!DOCTYPE html><p>Hallo</p>").whole.text == "Hallo"
    assert read(b"From: a@b.example\nContent-Type: text/plain\n\n<html>").whole.text == "<html>"


def screenshot() -> bytes:
    """A PNG of some kilobytes."""
    file = io.BytesIO()
    Image.frombytes("RGB", (60, 40), random.Random(5).randbytes(7_200)).save(file, "PNG")  # noqa: S311
    return file.getvalue()


def picture_part(kind: str = "image/png", name: str = "scherm.png", content: bytes = b"") -> bytes:
    encoded = base64.encodebytes(content or screenshot())
    return f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n'.encode() + encoded


def enclosed(part: bytes) -> bytes:
    return b"Content-Type: message/rfc822\n\nFrom: a@b.example\nSubject: Eerder\nMIME-Version: 1.0\n" + part


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        pytest.param(picture_part(), "de mail is te groot", id="picture"),
        pytest.param(
            picture_part("application/octet-stream"), "de mail is te groot", id="picture that calls itself data"
        ),
        pytest.param(
            picture_part("image/tiff", "scan.tif", b"?" * 9_000), "de mail is te groot", id="picture by its type"
        ),
        pytest.param(enclosed(picture_part()), "de mail is te groot", id="picture in an attached message"),
        pytest.param(picture_part("application/pdf", "offerte.pdf", b"%PDF" * 900), "geen afbeelding", id="document"),
        pytest.param(picture_part("image/svg+xml", "logo.svg", b"<svg " * 900), "SVG", id="svg"),
    ],
)
def test_D17_what_our_limit_cut_off_is_no_damage(last: bytes, reason: str) -> None:
    text = b"Content-Type: text/plain\n\nZie de bijlagen."
    raw = multipart(text, picture_part("image/gif", "heel.gif", PICTURES["image/gif"]), last)
    beginning = raw[: raw.index(last) + len(last) - 3_000]
    mail = read_beginning(beginning, uuid.UUID(int=1), ReadingSettings())
    assert mail.whole.text == "Zie de bijlagen."
    assert [image.name for image in mail.images] == ["heel.gif"], "what is whole stays"
    assert mail.left_out[-1].reason.startswith(reason)
    assert not any("beschadigd" in part.reason for part in mail.left_out)


def test_D17_a_picture_that_came_damaged_is_called_damaged_in_a_mail_of_which_the_rest_was_cut() -> None:
    damaged = picture_part("image/png", "stuk.png", PICTURES["image/png"][:-40])
    raw = multipart(b"Content-Type: text/plain\n\nZie.", damaged, picture_part())
    mail = read_beginning(raw[:-3_000], uuid.UUID(int=1), ReadingSettings())
    assert [(part.name, part.reason) for part in mail.left_out] == [
        ("stuk.png", "de afbeelding is beschadigd"),
        ("scherm.png", "de mail is te groot"),
    ]
    cut_on_its_way = read(raw[:-3_000])
    assert cut_on_its_way.left_out[-1].reason == "de afbeelding is beschadigd", "no limit of ours did that"
