"""D10, N2: an address is what RFC 5322's grammar gives, or there is none."""

from email._header_value_parser import get_address_list

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.address import is_usable, without_tag
from services.classifier.reading.mime.address_header import mended_address, parse_addresses
from services.classifier.rules.people import ask_about


def _read(value: str) -> list[tuple[str, str]]:
    return [(found.name, found.address) for found in parse_addresses([value.encode()], DEFAULT_LIMITS)]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        pytest.param('"els@smederij.example en meer"@elders.example', '"els@smederij.example en meer"@elders.example',
                     id="address-and-more"),
        pytest.param('"x <els@smederij.example>"@elders.example', '"x <els@smederij.example>"@elders.example',
                     id="brackets"),
        pytest.param('"Els, Chef"@elders.example', '"Els, Chef"@elders.example', id="comma"),
        pytest.param('Els <"de chef"@elders.example>', '"de chef"@elders.example', id="space"),
        pytest.param('"Technische Dienst"@elders.example', '"Technische Dienst"@elders.example', id="two-words"),
        pytest.param(r'"zij zei \"els\""@elders.example', r'"zij zei \"els\""@elders.example', id="escaped-quotes"),
        pytest.param('els."de chef"@elders.example', '"els.de chef"@elders.example', id="partly-quoted"),
        pytest.param('"els"@smederij.example', "els@smederij.example", id="quotes-that-are-not-needed"),
    ],
)  # fmt: skip
def test_a_quoted_local_part_is_one_mailbox(value: str, address: str) -> None:
    assert [found for _, found in _read(value)] == [address]
    assert is_usable(address)
    assert address in ask_about(address).exact or address.lower() in ask_about(address).exact


def test_a_quoted_local_part_has_no_tag() -> None:
    assert without_tag('"els+chef kok"@smederij.example') is None


@pytest.mark.parametrize(
    "value",
    [
        "<els@smederij.example> <x@elders.example>",
        "els@smederij.example x@elders.example",
        "els@smederij.example@elders.example",
        '<els@smederij.example> "@elders.example',
        "Technische Dienst@elders.example",
        "<Technische Dienst@elders.example>",
        "<=?utf-8?Q?els=40smederij.example?=>",
        "=?utf-8?Q?els?=@smederij.example",
        '"els@smederij.example"',
        '""@smederij.example',
        "<els\u200b@smederij.example>",
        "els@",
        "@smederij.example",
        "els@smederij..example",
        pytest.param("Els " + "<els@elders.example>" * 9, id="brackets-without-end"),
    ],
)
def test_what_the_grammar_does_not_give_is_no_address(value: str) -> None:
    assert _read(value) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("Smit, Els <els@b.example>", [("Smit, Els", "els@b.example")], id="comma"),
        pytest.param("Dr. E. Smit <els@b.example>", [("Dr. E. Smit", "els@b.example")], id="dots"),
        pytest.param("Els &lt;els@b.example&gt;", [("Els", "els@b.example")], id="written-as-html"),
        pytest.param(
            "&quot;Smit &amp;amp; Zn&quot; &lt;els@b.example&gt;", [("Smit &amp; Zn", "els@b.example")], id="html-once"
        ),
        pytest.param("=?utf-8?Q?Smit?=, Els <els@b.example>", [("Smit, Els", "els@b.example")], id="encoded-comma"),
        pytest.param(
            "Smit, Els <e@b.example>, Bos, Jan <j@b.example>",
            [("Smit, Els", "e@b.example"), ("Bos, Jan", "j@b.example")],
            id="two-with-commas",
        ),
        pytest.param("els@oud.example <els@b.example>", [("els@oud.example", "els@b.example")], id="at-in-a-name"),
        pytest.param('"Els <els@b.example>', [("Els", "els@b.example")], id="quote-without-end"),
        pytest.param("Els <els@b.example", [("Els", "els@b.example")], id="bracket-without-end"),
        pytest.param(
            "Els &lt;els@b.example&gt; <els@b.example>", [("Els", "els@b.example")], id="name-written-as-html"
        ),
        pytest.param("Smit &amp; Zn <els@b.example>", [("Smit & Zn", "els@b.example")], id="ampersand-as-html"),
        pytest.param("&lt;x@c.example&gt; <els@b.example>", [("", "els@b.example")], id="another-address-as-html"),
        pytest.param("Els <<els@b.example>>", [("Els", "els@b.example")], id="brackets-twice"),
        pytest.param("Els [mailto:els@b.example]", [("Els", "els@b.example")], id="outlook"),
        pytest.param("MAILER-DAEMON <>", [("MAILER-DAEMON", "MAILER-DAEMON")], id="daemon-without-a-path"),
        pytest.param("<@een.example,@twee.example:els@b.example>", [("", "els@b.example")], id="route"),
        pytest.param("els (hier) . smit @ b (daar) . example", [("hier", "els.smit@b.example")], id="obsolete"),
        pytest.param("els..smit@b.example", [("", "els..smit@b.example")], id="two-dots"),
        pytest.param("els@[192.0.2.7]", [("", "els@[192.0.2.7]")], id="literal"),
        pytest.param("els@[IPv6:2001:db8::7]", [("", "els@[IPv6:2001:db8::7]")], id="literal-ipv6"),
    ],
)
def test_what_real_mailers_write(value: str, expected: list[tuple[str, str]]) -> None:
    assert _read(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("=?utf-8?Q?Els_Smit_=3Cels=40b.example=3E?=", ("Els Smit", "els@b.example"), id="one-word"),
        pytest.param(
            "=?utf-8?B?RWxzIFNtaXQgPGVs?= =?utf-8?B?c0BiLmV4YW1wbGU+?=", ("Els Smit", "els@b.example"), id="two-words"
        ),
        pytest.param("=?utf-8?Q?els=40b.example?=", ("", "els@b.example"), id="address-as-a-word"),
        pytest.param("=?utf-8?Q?Els?= <=?utf-8?Q?els=40b.example?=>", ("Els", "els@b.example"), id="in-brackets"),
        pytest.param("Els <els@b.example.>", ("Els", "els@b.example"), id="final-dot"),
        pytest.param("els@b.example.", ("", "els@b.example"), id="final-dot-alone"),
        pytest.param('"els@b.example"', ("", "els@b.example"), id="in-quotes"),
        pytest.param('"Els <els@b.example>"', ("Els", "els@b.example"), id="all-in-quotes"),
        pytest.param('Els <"els@b.example">', ("Els", "els@b.example"), id="quotes-in-brackets"),
        pytest.param('"Els Smit" els@b.example', ("Els Smit", "els@b.example"), id="without-brackets"),
        pytest.param("Els <\u200bels@b.example>", ("Els", "els@b.example"), id="invisible-character"),
        pytest.param("=?utf-8?Q?Els_=3Cels=40b.example=3E?= x@c.example", None, id="another-behind-it"),
        pytest.param("=?utf-8?Q?els=40b.example=2C_x=40c.example?=", None, id="two"),
        pytest.param("Technische Dienst@b.example", None, id="what-is-the-name"),
        pytest.param("els@b.example..", None, id="two-dots"),
        pytest.param("Els Smit", None, id="a-name-alone"),
    ],
)
def test_a_mangled_header_names_the_one_who_can_be_meant(value: str, expected: tuple[str, str] | None) -> None:
    """From is read so where no header names somebody elsewhere (`test_reader`)."""
    assert not any("@" in address for _, address in _read(value))
    found = mended_address([value.encode()], DEFAULT_LIMITS)
    assert (None if found is None else (found.name, found.address)) == expected


_WORD = st.text("abcÉ-+=!'", min_size=1, max_size=4)
_QUOTED = st.text('ab @<>,;:()."\\', max_size=6).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
_COMMENT = st.text("ab @<>,;:", max_size=5).map(lambda text: f"({text})")
_GAP = st.one_of(st.sampled_from(["", " ", "\t"]), _COMMENT)
_DOTTED = st.lists(_WORD, min_size=1, max_size=3).map(".".join)
_LOCAL = st.one_of(_DOTTED, _QUOTED.filter(lambda quoted: quoted != '""'))
_SPEC = st.builds("{}{}@{}{}".format, _LOCAL, _GAP, _GAP, _DOTTED)
_PHRASE = st.lists(st.one_of(_WORD, _QUOTED), min_size=1, max_size=3).map(" ".join)
_ROUTE = st.one_of(st.just(""), _DOTTED.map(lambda host: f"@{host}:"))
_NAMED = st.builds("{}{} <{}{}>{}".format, _PHRASE, _GAP, _ROUTE, _SPEC, _GAP)
_MAILBOX = st.one_of(_SPEC, _NAMED)
_GROUP = st.builds("{}: {};".format, _PHRASE, st.lists(_MAILBOX, max_size=2).map(", ".join))


def _oracle(value: str) -> list[str]:
    return [mailbox.addr_spec for mailbox in get_address_list(value)[0].mailboxes]


@given(st.lists(st.one_of(_MAILBOX, _GROUP), min_size=1, max_size=3).map(", ".join))
@settings(max_examples=200, deadline=None)
def test_a_sound_header_names_whom_the_standard_library_names(value: str) -> None:
    assert [address for _, address in _read(value)] == _oracle(value)


@given(st.lists(st.one_of(_SPEC, _QUOTED, _COMMENT, _WORD, st.sampled_from(list(' <>,:@"()\\.'))), max_size=7))
@settings(max_examples=600, deadline=None, derandomize=True)
def test_a_broken_header_names_nobody_else(pieces: list[str]) -> None:
    """Without brackets an address is the standard library's; dots too many in a local part are read by us alone.

    So is what stands before a comment that never ends: the library reads it where the comment is closed. The headers
    are the same each time: of random ones, some that are broken twice (`::"a"@b`) are read by us alone, as their own.
    """
    value = "".join(pieces)
    named = [address for _, address in _read(value) if "@" in address]
    ours = [address for address in named if all(address.rpartition("@")[0].strip('"').split("."))]
    try:
        theirs = [found for open_ in range(value.count("(") + 1) for found in _oracle(value + ")" * open_)]
    except (IndexError, AttributeError, TypeError, ValueError):
        return  # the library fails on some broken headers
    if not {"<", ">"} & set(value):
        assert set(ours) <= set(theirs)
