"""Bytes to text: labels that lie, labels that nobody knows, and none."""

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from services.classifier.rules.charset import codec_of, decode

CHARSETS = Path(__file__).parents[3] / "mails" / "charsets"
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


@given(
    st.binary(max_size=200),
    st.sampled_from(["utf-8", "utf-7", "utf-16", "gb2312", "big5", "iso-2022-jp", "koi8-r", None]),
)
def test_any_bytes_become_text_that_postgresql_can_hold(content: bytes, label: str | None) -> None:
    decode(content, label).encode("utf-8")
