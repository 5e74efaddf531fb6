"""Bytes to text: labels that lie, labels that nobody knows, and none."""

# ruff: noqa: RUF001 - letters that resemble Latin ones

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.mime.charset import codec_of, decode
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings

CHARSETS = Path(__file__).parents[4] / "mails" / "charsets"
DUTCH = "Één café in Curaçao kost € 5"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("latin1-that-is-cp1252", DUTCH, id="latin1-that-is-windows-1252"),
        pytest.param("undeclared-utf8", DUTCH, id="ascii-that-is-utf-8"),
        pytest.param("undeclared-cp1252", DUTCH, id="ascii-that-is-windows-1252"),
        pytest.param("unknown-label", DUTCH, id="label-nobody-knows"),
        pytest.param("utf-16-with-bom", DUTCH, id="utf-16"),
        pytest.param("iso-2022-jp", "プリンターが動きません", id="iso-2022-jp"),
        pytest.param("gb2312-that-is-gb18030", "打印机坏了 €", id="gb2312-that-is-gb18030"),
        pytest.param("koi8-r", "Принтер не работает", id="koi8-r"),
        pytest.param("html-meta", "Příliš", id="html-names-its-charset-itself"),
    ],
)
def test_bodies(name: str, text: str) -> None:
    raw = (CHARSETS / f"{name}.eml").read_bytes()
    assert read_mail(raw, uuid.UUID(int=1), ReadingSettings()).whole.text == text


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "unicode_escape", "zlib", "rot13", "hex", "x" * 99, "\x00", "undefined"]
)
def test_codecs_that_are_no_charset(label: str) -> None:
    assert codec_of(label) is None
    assert decode("één".encode(), label) == "één"


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        pytest.param("Принтер не печатает, помогите пожалуйста", "koi8-r", id="russian-koi8"),
        pytest.param("Принтер не печатает, помогите пожалуйста", "cp1251", id="russian-windows"),
        pytest.param("打印机坏了请尽快派人来修理谢谢你们的帮助", "gb18030", id="chinese"),
        pytest.param("プリンターが動きません。至急お願いします。", "cp932", id="japanese"),
        pytest.param("프린터가 작동하지 않습니다. 도와주세요.", "cp949", id="korean"),
        pytest.param("Één café in Curaçao kost € 5, naïef geëerd", "cp1252", id="dutch-is-no-guess"),
        pytest.param("Größe: schön, ÄÖÜ äöüß", "cp1252", id="german-is-no-guess"),
    ],
)
def test_bytes_that_name_no_charset(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


def test_a_header_without_charset_takes_the_mails_own() -> None:
    name = "пена".encode("koi8-r")
    head = b"Subject: %s\nFrom: %s <jan@b.example>\nContent-Type: text/plain; charset=koi8-r\n\nx" % (name, name)
    mail = read_mail(head, uuid.UUID(int=1), ReadingSettings())
    assert (mail.subject, mail.from_[0].name) == ("пена", "пена")


@given(
    st.binary(max_size=200),
    st.sampled_from(["utf-8", "utf-7", "utf-16", "gb2312", "big5", "iso-2022-jp", "koi8-r", None]),
)
def test_any_bytes_become_text_that_postgresql_can_hold(content: bytes, label: str | None) -> None:
    decode(content, label).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Сломался принтер", "koi8-r"),
        ("СРОЧНО НУЖНА ПОМОЩЬ", "koi8-r"),
        ("Сломался принтер", "cp1251"),
        ("打印机没有电，请帮我看看", "gbk"),
        ("发票有问题", "gbk"),
        ("프린터가 작동하지 않습니다", "euc-kr"),
        ("プリンターが動きません", "shift_jis"),
        ("الطابعة لا تعمل", "cp1256"),
    ],
)
def test_bytes_without_a_label_are_what_they_read_as(text: str, codec: str) -> None:
    assert decode(text.encode(codec)) == text


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "us-ascii"])
@pytest.mark.parametrize("text", ["De patiënt is er", "café", "CAFÉ", "it’s broken", "twee\xa0woorden", "à demain"])
def test_one_character_of_utf8_that_is_called_latin(text: str, label: str) -> None:
    assert decode(text.encode(), label) == text


@pytest.mark.parametrize("text", ["MAÃ”", "MÃ®", "één", "MENÜ", "CAFÉ…", "QUALITÉ\xa0!", "Ærø", "IRMÃ"])
def test_latin_text_is_no_utf8(text: str) -> None:
    assert decode(text.encode("cp1252"), "iso-8859-1") == text


@pytest.mark.parametrize("label", ["us-ascii", "utf-8", None])
@pytest.mark.parametrize("codec", ["iso-2022-jp", "utf-16-le", "utf-16-be"])
def test_charsets_that_are_valid_ascii_are_told_by_their_bytes(codec: str, label: str | None) -> None:
    text = "プリンターが壊れた" if codec == "iso-2022-jp" else "<p>Café kapot</p>"
    assert decode(text.encode(codec), label) == text


@pytest.mark.parametrize(
    ("text", "codec", "header", "meta"),
    [
        pytest.param("Łódź źle", "cp1250", "utf-8", "windows-1250", id="no-utf-8"),
        pytest.param("打印机", "gb18030", "us-ascii", "gb2312", id="no-ascii"),
        pytest.param("プリンター", "shift_jis", "utf-8", "Shift_JIS", id="japanese"),
        pytest.param("Принтер", "cp1251", "iso-8859-1", "windows-1251", id="russian-that-is-called-latin"),
        pytest.param("Καλημέρα", "cp1253", "x-nobody-knows", "windows-1253", id="label-nobody-knows"),
        pytest.param("Één café", "utf-8", "utf-8", "iso-8859-1", id="the-header-counts"),
        pytest.param("Één café", "cp1252", "iso-8859-1", "utf-8", id="the-header-counts-for-latin"),
        pytest.param("Één café", "cp1252", "iso-8859-1", "windows-1251", id="latin-that-is-called-russian"),
        pytest.param("Één café", "utf-8", "", "utf-16", id="what-says-so-in-ascii-is-not-utf-16"),
    ],
)
def test_an_html_document_that_contradicts_its_part(text: str, codec: str, header: str, meta: str) -> None:
    label = f"; charset={header}" if header else ""
    head = f'Content-Type: text/html{label}\n\n<meta charset="{meta}"><p>'.encode()
    mail = read_mail(head + text.encode(codec) + b"</p>", uuid.UUID(int=1), ReadingSettings())
    assert mail.whole.text == text


def test_the_older_names_of_windows_charsets_are_known() -> None:
    """WHATWG Encoding §4.2: `x-cp1250` and `x-cp1251` are labels too."""
    assert decode("Принтер сломался".encode("cp1251"), "x-cp1251") == "Принтер сломался"
    assert decode("žluť".encode("cp1250"), "x-cp1250") == "žluť"
