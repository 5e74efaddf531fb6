"""The trimmed reading of a mail: html and text say the same, its images are its own, and the whole stays as it is."""

import uuid
from pathlib import Path

import pytest

from services.classifier.reading.conclusions import How
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail

MAILS = Path(__file__).parents[4] / "mails"
QUOTE = "Op 3 maart 2026 om 10:00 schreef Els <els@desk.example>:"
MARKER = "## boven ##"


def read(html: str | None, text: str | None, subject: str = "Re: Vraag") -> ReadMail:
    parts = [
        f"--g\nContent-Type: text/{kind}; charset=utf-8\n\n{content}\n"
        for kind, content in (("plain", text), ("html", html))
        if content is not None
    ]
    head = f"From: a@b.example\nSubject: {subject}\nContent-Type: multipart/alternative; boundary=g\n\n"
    return read_mail((head + "".join(parts) + "--g--\n").encode(), uuid.UUID(int=1), ReadingSettings(markers=(MARKER,)))


def test_a_mail_without_quote_has_no_trimmed_reading() -> None:
    assert read("<p>Ja</p>", "Ja").reply is None
    assert read(None, "Ja").reply is None


def test_html_and_text_are_trimmed_alike_and_the_whole_stays() -> None:
    mail = read(
        f"<p>Ja, <b>graag</b></p><div>{QUOTE}</div><blockquote>Hoi</blockquote>", f"Ja, graag\n\n{QUOTE}\n> Hoi"
    )
    assert mail.reply is not None
    assert (mail.reply.text, mail.reply.html) == ("Ja, graag", "<p>Ja, <b>graag</b></p>")
    assert "Hoi" in mail.whole.text
    assert "Hoi" in mail.whole.html


def test_a_quote_that_only_html_marks_goes_from_the_text_too() -> None:
    mail = read('<p>Ja</p><div class="gmail_quote">Els, lugnasad:<br>Hoi</div>', "Ja\n\nEls, lugnasad:\nHoi")
    assert mail.reply is not None
    assert (mail.reply.text, mail.reply.html) == ("Ja", "<p>Ja</p>")


def test_a_quote_that_only_the_text_marks_goes_from_the_html_too() -> None:
    mail = read("<p>Ja</p><p>Els, lugnasad</p><p>Hoi</p>", "Ja\n\n> Els, lugnasad\n> Hoi")
    assert mail.reply is not None
    assert (mail.reply.text, mail.reply.html) == ("Ja", "<p>Ja</p>")


def test_text_alone_is_shown_trimmed_as_html_too() -> None:
    mail = read(None, f"Ja\n\n{QUOTE}\n> Hoi\n\nen <nee>")
    assert mail.reply is not None
    assert mail.reply.text == "Ja\n\nen <nee>"
    assert mail.reply.html == '<div style="white-space: pre-wrap">Ja\n\nen &lt;nee&gt;</div>'


def test_a_forwarded_mail_is_not_trimmed() -> None:
    assert read(None, f"Zie onder\n\n{QUOTE}\n\nHoi", "Doorst: Vraag").reply is None


def test_what_stands_above_a_marker_is_trimmed_too() -> None:
    mail = read(None, f"Ja\n\n-- \nSanne\n\n{QUOTE}\n> {MARKER}\n> Hoi")
    [above] = mail.above
    assert above.body is not None
    assert above.trimmed is not None
    assert (above.body.text, above.trimmed.text) == ("Ja\n\n-- \nSanne", "Ja")


def test_images_of_the_quote_are_not_of_the_reply() -> None:
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    image = f'<img src="data:image/png;base64,{pixel}">'
    mail = read(f"<p>Ja</p><div>{QUOTE}</div><blockquote>{image}Hoi</blockquote>", None)
    assert mail.reply is not None
    assert (len(mail.whole.attachment_ids), mail.reply.attachment_ids) == (1, ())


@pytest.mark.parametrize("path", sorted((MAILS / "clients").glob("*.eml")), ids=lambda path: path.stem)
def test_every_client_is_trimmed_without_a_marker_too(path: Path) -> None:
    """The same mails as those of the marker, read by a helpdesk that has none."""
    reply = read_mail(path.read_bytes(), uuid.uuid4(), ReadingSettings()).reply
    assert reply is not None
    for reading in (reply.text, reply.html):
        assert any(answer in reading for answer in ("De printer doet het weer", "Mijn antwoord staat hieronder"))
        for quoted in ("Beste Sanne", "vul boven", "helpdesk.example", "Verzonden", "blockquote"):
            assert quoted not in reading


@pytest.mark.parametrize("path", sorted((MAILS / "forwards").glob("*.eml")), ids=lambda path: path.stem)
def test_every_client_that_forwards_tells_the_sender_and_loses_nothing(path: Path) -> None:
    mail = read_mail(path.read_bytes(), uuid.uuid4(), ReadingSettings())
    assert mail.forwarded is not None
    assert (mail.forwarded.name, mail.forwarded.address) == ("Jan Smit", "jan@bakkerij.example")
    assert (mail.forwarded.subject, mail.forwarded.alone) == ("Kassa doet het niet", True)
    said = mail.reply or mail.whole
    assert "Kunnen jullie dit oppakken?" in said.text
    assert mail.forwarded.how is How.ATTACHED or "De kassa start niet meer op." in said.text
