"""What counts as a link in a stranger's words (M4), and what does not: he may write of prices, times and telephones."""

import pytest

from services.notifier.rules.links import LEFT_OUT, without_links


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("http://evil.example/a?b=c", id="a link"),
        pytest.param("HTTPS://evil", id="capitals"),
        pytest.param("(https://evil.example)", id="in brackets"),
        pytest.param("foo://evil", id="any scheme"),
        pytest.param("mailto:x@evil.com", id="mailto"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("www.evil.example", id="www"),
        pytest.param("evil.com", id="a bare domain"),
        pytest.param("evil.com.", id="at the end of a sentence"),
        pytest.param("x.EVIL.Com:8080", id="a bare domain with a port"),
        pytest.param("klik:evil.nl", id="behind a colon"),
        pytest.param("evil.com.Groeten", id="the next sentence against it"),
        pytest.param("x@evil.com", id="an address"),
        pytest.param("evil.example/pad", id="a host with a path"),
        pytest.param("10.0.0.1/x", id="a numbered host with a path"),
        pytest.param("\\\\server\\map", id="a path of Windows"),
        pytest.param("\u043a\u0442\u043e.\u0440\u0444", id="in letters of another script"),
        pytest.param("xn--e1afmkfd.xn--p1ai", id="as it travels"),
        pytest.param("evil\u200b.com", id="a space that nobody sees"),
        pytest.param("ev\u00adil.com", id="a soft hyphen"),
        pytest.param("evil\u3002com", id="an ideographic full stop"),
        pytest.param("\uff57\uff57\uff57\uff0eevil\uff0ecom", id="wide letters"),
    ],
)
def test_M4_a_word_with_a_link_is_left_out(word: str) -> None:
    assert without_links(f"Ga naar {word} en betaal") == f"Ga naar {LEFT_OUT} en betaal"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Bel 06-12345678 of +31 (0)20 123.45.67", id="telephone numbers"),
        pytest.param("tel:+31201234567", id="a telephone number with its scheme"),
        pytest.param("Versie 1.2.3 kost 12.50, om 09.30 of 10:30", id="numbers with points"),
        pytest.param("Server 10.0.0.1 doet het niet", id="a numbered host"),
        pytest.param("handleiding.pdf en foto.jpg", id="names of files"),
        pytest.param("o.a. i.v.m. t.a.v. e.d.", id="abbreviations"),
        pytest.param("Let op:dit en/of dat", id="a colon, a slash"),
        pytest.param("profile:Piet", id="a word that ends as a scheme does"),
        pytest.param("Twee\nregels\u00a0", id="white space"),
    ],
)
def test_M4_what_is_no_link_stays(text: str) -> None:
    assert without_links(text) == text
