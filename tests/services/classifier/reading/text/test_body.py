"""Nothing that was said is hidden: of the alternatives the best one speaks, and a mail that breaks off says so."""

import base64
import io
import uuid

import pytest
from PIL import Image

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail

MARKER = "===== vul boven deze regel uw reactie ====="
SAID = "De kassa start niet op."
HEAD = "From: piet@halm.example\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=a\n\n"
PLAIN = "--a\nContent-Type: text/plain; charset=utf-8\n\n{}\n"
HTML = "--a\nContent-Type: text/html; charset=utf-8\n\n{}\n"


def read(mail: str, *markers: str) -> ReadMail:
    results = [
        read_mail(mail.replace("\n", line_end).encode(), uuid.UUID(int=1), ReadingSettings(markers=markers))
        for line_end in ("\n", "\r\n")
    ]
    assert results[0].whole == results[1].whole
    return results[0]


NOTHING = {
    "nothing": "",
    "style": "<html><head><style>p { color: red }</style></head><body></body></html>",
    "space": "<div>&nbsp;</div>",
    "breaks": "<p><br></p><br>",
    "invisible": "<p>&#8203;&zwnj;</p>",
    "comment": "<!-- made by a gateway --><body></body>",
    "remote-picture": '<img src="https://follow.example/p.gif">',
}


@pytest.mark.parametrize("html", NOTHING.values(), ids=NOTHING)
def test_an_html_alternative_that_says_nothing_hides_no_text(html: str) -> None:
    mail = read(HEAD + PLAIN.format(SAID) + HTML.format(html) + "--a--\n")
    assert mail.whole.text == SAID
    assert SAID in mail.whole.html


@pytest.mark.parametrize("html", NOTHING.values(), ids=NOTHING)
def test_S7_the_marker_is_sought_in_what_is_shown(html: str) -> None:
    mail = read(HEAD + PLAIN.format(f"{SAID}\n\n> {MARKER}\n> Beste Piet") + HTML.format(html) + "--a--\n", MARKER)
    body = mail.above[0].body
    assert body is not None
    assert body.text == SAID
    assert "Beste Piet" not in body.html


@pytest.mark.parametrize(
    ("end", "damaged"),
    [
        pytest.param("--a\n", False, id="opening-delimiter"),
        pytest.param("--a\n\n", False, id="opening-delimiter-and-a-blank-line"),
        pytest.param("", False, id="no-delimiter"),
        pytest.param("--a\nCon", True, id="within-a-name"),
        pytest.param("--a\nContent-Type: text/h", True, id="within-a-value"),
        pytest.param("--a\nContent-Type: text/html;\n charset=utf-8", True, id="after-a-fold"),
        pytest.param("--a\nContent-Type: text/html\n", True, id="after-a-field"),
    ],
)
def test_D17_a_mail_that_breaks_off_keeps_its_text(end: str, damaged: bool) -> None:  # noqa: FBT001 - a table
    mail = read(HEAD + PLAIN.format(SAID) + end)
    assert mail.whole.text == SAID
    assert SAID in mail.whole.html
    assert mail.damaged is damaged


def test_the_text_that_is_searched_is_what_is_shown() -> None:
    stub = read(HEAD + PLAIN.format("Lees deze mail in een ander programma.") + HTML.format(f"<p>{SAID}</p>") + "--a--")
    assert stub.whole.text == SAID
    same = read(HEAD + PLAIN.format(f"{SAID}\n- een") + HTML.format(f"<p>{SAID}</p><ul><li>een</ul>") + "--a--")
    assert same.whole.text == f"{SAID}\n- een"


def picture(content_id: str, disposition: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(file, "PNG")
    return (
        f"--r\nContent-Type: image/png; name=oven.png\nContent-ID: <{content_id}>\nContent-Disposition: {disposition}\n"
        f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(file.getvalue()).decode()}\n"
    )


def test_a_picture_in_plain_text_has_its_name() -> None:
    head = HEAD.replace("alternative; boundary=a", "related; boundary=r")
    inner = f"--r\n{HEAD.splitlines()[2]}\n\n" + PLAIN.format("Zie [cid:i1@x] hier en [cid:i2@x].")
    inner += HTML.format('<p>Zie <img src="cid:i1@x"> hier en .</p>') + "--a--\n"
    mail = read(head + inner + picture("i1@x", "inline") + "--r--\n")
    assert mail.whole.text == "Zie [oven.png] hier en [i2]."


def test_D4_one_picture_inline_and_attached_is_one() -> None:
    head = HEAD.replace("alternative; boundary=a", "mixed; boundary=r")
    said = '--r\nContent-Type: text/html\n\n<p>Zie <img src="cid:i1@x"></p>\n'
    mail = read(head + said + picture("i1@x", "inline") + picture("i1@x", "attachment") + "--r--\n")
    assert [image.name for image in mail.images] == ["oven.png"]
    other = read(head + said + picture("i1@x", "inline") + picture("i2@x", "attachment") + "--r--\n")
    assert len(other.images) == 2
    unnamed = picture("i1@x", "attachment").replace("Content-ID: <i1@x>\n", "")
    for pictures in (picture("i1@x", "inline") + unnamed, unnamed + picture("i1@x", "inline"), unnamed * 2):
        mail = read(head + said + pictures + "--r--\n")
        assert [image.inline for image in mail.images] == ["i1@x" in pictures]
