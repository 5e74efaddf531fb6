"""Addresses as they go into commands and headers: internationalised ones decided, hostile ones refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.rules.addresses import UnusableAddress, parse_address


@pytest.mark.parametrize(
    ("text", "written", "smtputf8"),
    [
        pytest.param("Piet@Klant.Example", "Piet@klant.example", False, id="the local part keeps its case"),
        pytest.param(" piet@klant.example ", "piet@klant.example", False, id="white space around it"),
        pytest.param("o'brien+tag=x@klant.example", "o'brien+tag=x@klant.example", False, id="all of atext"),
        pytest.param("piet@bücher.example", "piet@xn--bcher-kva.example", False, id="an international domain"),
        pytest.param("piet@FAß.example", "piet@xn--fa-hia.example", False, id="as IDNA 2008 has it"),
        pytest.param("jörg@klant.example", "jörg@klant.example", True, id="an international local part"),
        pytest.param("a b@klant.example", '"a b"@klant.example', False, id="quoted where it must be"),
        pytest.param('a"b@klant.example', '"a\\"b"@klant.example', False, id="a quote inside"),
        pytest.param('"a b"@klant.example', '"a b"@klant.example', False, id="quoted already"),
        pytest.param("a@b@klant.example", '"a@b"@klant.example', False, id="an @ inside"),
        pytest.param("a..b@klant.example", '"a..b"@klant.example', False, id="dots that make no dot-atom"),
        pytest.param("piet@[192.0.2.1]", "piet@[192.0.2.1]", False, id="an address literal"),
        pytest.param("piet@srv_1.local", "piet@srv_1.local", False, id="an underscore"),
    ],
)
def test_an_address_is_written(text: str, written: str, smtputf8: bool) -> None:  # noqa: FBT001 - a table's column
    address = parse_address(text)
    assert str(address) == written
    assert address.needs_smtputf8 is smtputf8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "piet",
        "@klant.example",
        "piet@",
        "piet@klant example",
        "piet@klant.example>\r\nRCPT TO:<x@y.nl",
        "piet@klant.example\r\nBcc: x@y.nl",
        "pi\r\net@klant.example",
        "pi\x00et@klant.example",
        "pi\u202eet@klant.example",
        "\ud800@klant.example",
        "piet@-klant..example",
        "piet@klant.example.",
        "piet@<script>",
        "x" * 400 + "@klant.example",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UnusableAddress):
        parse_address(text)


@given(st.text(alphabet=st.characters(codec=None)), st.sampled_from(["klant.example", "bücher.example"]))
def test_no_address_ends_a_line_or_leaves_its_brackets(local: str, domain: str) -> None:
    try:
        written = str(parse_address(f"{local}@{domain}"))
    except UnusableAddress:
        return
    assert "\r" not in written
    assert "\n" not in written
    unquoted = written.rpartition("@")[0]
    if not unquoted.startswith('"'):
        assert not set(unquoted) & set(' <>()[]\\,;:@"')
    assert str(parse_address(written)) == written
