"""SPEC S7, D16: the marker in what mail clients make of it, and the header block that belongs to the quote."""

import uuid
from pathlib import Path

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.text.lines import text_lines
from services.classifier.reading.text.reply_marker import find_markers
from services.classifier.reading.values import AboveMarker, ReadingSettings, ReadMail

CLIENTS = Path(__file__).parents[4] / "mails" / "clients"
BELOW = CLIENTS / "below-the-marker.eml"
MARKER = "===== vul boven deze regel uw reactie ====="
REPLY = "De printer doet het weer."


def read(raw: bytes, *markers: str) -> ReadMail:
    return read_mail(raw, uuid.UUID(int=1), ReadingSettings(markers=markers or (MARKER,)))


def above(raw: bytes, *markers: str) -> AboveMarker:
    (found,) = read(raw, *markers).above
    return found


@pytest.mark.parametrize("path", sorted(set(CLIENTS.glob("*.eml")) - {BELOW}), ids=lambda path: path.stem)
def test_S7_every_client(path: Path) -> None:
    """Above the marker is what the person wrote: no quote, no header block, in html and in text."""
    found = above(path.read_bytes())
    assert found.body is not None
    for reading in (found.body.text, found.body.html):
        assert "De printer doet het weer" in reading
        for quoted in (
            "Beste Sanne",
            "vul boven",
            "helpdesk.example",
            "Van:",
            "Verzonden",
            "schreef",
            "wrote",
            "Von:",
            "geschreven",
            "écrit",
            "Napsal",
            "____",
            "Ursprüngliche",
        ):
            assert quoted not in reading, quoted
    assert "Beste Sanne" in read(path.read_bytes()).whole.text


def test_S7_what_is_kept_is_exactly_the_reply() -> None:
    found = above((CLIENTS / "gmail.eml").read_bytes())
    assert found.body is not None
    assert found.body.text == REPLY
    assert found.body.html == f'<div dir="ltr">{REPLY}</div>'


def test_D16_an_image_only_below_the_marker_is_not_shown_one_above_is() -> None:
    mail = read((CLIENTS / "apple-mail.eml").read_bytes())
    names = {image.id: image.name for image in mail.images}
    (found,) = mail.above
    assert found.body is not None
    assert [names[identity] for identity in mail.whole.attachment_ids] == ["foto.png", "logo.png"]
    assert [names[identity] for identity in found.body.attachment_ids] == ["foto.png"]


def test_D16_an_attached_image_counts_above_too() -> None:
    raw = (CLIENTS.parent / "images" / "inline-and-attached.eml").read_bytes()
    mail = read(raw.replace(b"<p>Zie", f"<p>Antwoord</p><p>{MARKER}</p><p>Zie".encode()))
    names = {image.id: image.name for image in mail.images}
    (found,) = mail.above
    assert found.body is not None
    assert [names[identity] for identity in found.body.attachment_ids] == ["foto.jpg"]


def test_D16_an_image_alone_above_the_marker_is_something() -> None:
    raw = (CLIENTS.parent / "images" / "inline-and-attached.eml").read_bytes()
    raw = raw.replace(b"</p>\n--r", f"</p><p>{MARKER}</p>\n--r".encode()).replace(b"Zie <img", b"<img")
    raw = raw.replace(b' en <img src="https://elders.example/pixel.gif" width="1" height="1">.', b"")
    found = above(raw)
    assert found.body is not None
    assert found.body.text == ""
    assert len(found.body.attachment_ids) == 2


def test_D16_below_the_marker() -> None:
    """Nothing above but the client's own header: no reading above the marker; the whole is there."""
    mail = read(BELOW.read_bytes())
    assert mail.above == (AboveMarker(MARKER, None),)
    assert "Mijn antwoord staat hieronder." in mail.whole.text


def html(body: str) -> bytes:
    return f"From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n{body}".encode()


def text(body: str) -> bytes:
    return f"From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n{body}".encode()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(text(f"Ja\n{MARKER}\nx"), id="text-bare"),
        pytest.param(text(f"Ja\n> > {MARKER}\nx"), id="text-quoted-twice"),
        pytest.param(text(f"Ja\n| {MARKER}\nx"), id="text-quoted-with-a-bar"),
        pytest.param(text(f"Ja\n\t  {MARKER}  dit staat erachter\nx"), id="text-indented-and-followed"),
        pytest.param(text("Ja\n> ===== vul boven deze\n> regel uw\n> reactie =====\nx"), id="text-wrapped-in-a-quote"),
        pytest.param(text(f"Ja\n*{MARKER}*\nx"), id="text-made-bold"),
        pytest.param(text(f"Ja\n{MARKER.replace(' ', chr(160))}\nx"), id="text-hard-spaces"),
        pytest.param(html(f"<p>Ja</p><p>{MARKER}</p>x"), id="html-paragraph"),
        pytest.param(html(f"Ja<br>{MARKER}<br>x"), id="html-after-a-break"),
        pytest.param(html(f"Ja<blockquote><blockquote>{MARKER}</blockquote></blockquote>"), id="html-blockquotes"),
        pytest.param(html(f"Ja<table><tr><td></td><td><b>{MARKER}</b></td></tr></table>"), id="html-second-cell"),
        pytest.param(
            html("Ja<div>&#61;&equals;=== vul&nbsp;boven deze regel uw reactie =====</div>"), id="html-entities"
        ),
        pytest.param(
            html("Ja<div>&gt; ===== vul boven<br>&gt; deze regel uw reactie =====</div>"), id="html-quote-mark"
        ),
        pytest.param(
            html("Ja<div><span>=====</span> <i>vul</i> boven deze regel uw <u>reactie</u> =====</div>"), id="html-split"
        ),
        pytest.param(html(f"<pre>Ja\n{MARKER}\nx</pre>"), id="html-preformatted"),
        pytest.param(html(f"<div>Ja<div>{MARKER}<p>niet gesloten"), id="html-unclosed"),
    ],
)
def test_S7_forms_of_the_marker(raw: bytes) -> None:
    found = above(raw)
    assert found.body is not None
    assert found.body.text == "Ja"
    assert "=====" not in found.body.html


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(text(f"Lees: {MARKER}"), id="within-a-line"),
        pytest.param(text("===== vul boven deze regel"), id="only-its-beginning"),
        pytest.param(text("===== vul onder deze regel uw reactie ====="), id="other-words"),
        pytest.param(html("<p title='===== vul boven deze regel uw reactie ====='>Ja</p>"), id="in-an-attribute"),
        pytest.param(html("<style>===== vul boven deze regel uw reactie =====</style>Ja"), id="in-a-style"),
        pytest.param(html("<!-- ===== vul boven deze regel uw reactie ===== -->Ja"), id="in-a-comment"),
    ],
)
def test_S7_no_marker(raw: bytes) -> None:
    assert read(raw).above == ()


def test_S7_the_first_occurrence_counts() -> None:
    found = above(text(f"Ja\n{MARKER}\nNee\n{MARKER}\nx"))
    assert found.body is not None
    assert found.body.text == "Ja"


def test_D15_each_marker_has_its_reading_the_topmost_first() -> None:
    mail = read(html(f"<p>Een</p><p>{MARKER}</p><p>Twee</p><p>## hier ##</p>"), "## hier ##", MARKER, " ")
    assert [(each.marker, each.body.text if each.body else None) for each in mail.above] == [
        (MARKER, "Een"),
        ("## hier ##", f"Een\n\n{MARKER}\n\nTwee"),
    ]


def test_S7_no_marker_in_the_settings_finds_none() -> None:
    assert find_markers(text_lines("\n \n==\n"), ("", "  ")) == ()


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param("Zie hieronder wat Jan schreef:", id="a-sentence-that-ends-in-schreef"),
        pytest.param("Van: het begin af aan", id="one-line-that-looks-like-a-header"),
        pytest.param("Let op:", id="a-colon"),
        pytest.param("-- \nSanne", id="a-signature"),
    ],
)
def test_D16_what_a_person_wrote_is_no_header_block(kept: str) -> None:
    found = above(text(f"Ja\n{kept}\n\n{MARKER}\nx"))
    assert found.body is not None
    assert found.body.text == f"Ja\n{kept}"
