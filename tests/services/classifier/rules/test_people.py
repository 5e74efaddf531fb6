"""Whom an address is looked up as: spellings, tags, domains (SPEC N2, D12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.mime.address import same_address, spellings, without_tag
from services.classifier.rules.people import AskedAddress, ask_about


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("Jan@Bedrijf.EXAMPLE", ("jan@bedrijf.example",), id="case"),
        pytest.param("jan@bücher.example", ("jan@xn--bcher-kva.example", "jan@bücher.example"), id="unicode"),
        pytest.param("jan@XN--BCHER-KVA.example", ("jan@xn--bcher-kva.example", "jan@bücher.example"), id="punycode"),
        pytest.param("jan@bu\u0308cher.example", ("jan@xn--bcher-kva.example", "jan@bücher.example"), id="decomposed"),
        pytest.param("jan@xn--\u20ac.example", ("jan@xn--€.example",), id="no-domain-at-all"),
        pytest.param("MAILER-DAEMON", ("mailer-daemon",), id="no-domain"),
    ],
)
def test_spellings_of_one_address(address: str, expected: tuple[str, ...]) -> None:
    assert spellings(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("jan+printer@b.example", "jan@b.example"),
        ("jan+a+b@b.example", "jan@b.example"),
        ("jan@b.example", None),
        ("+jan@b.example", None),
        ("jan@b+c.example", None),
    ],
)
def test_an_address_without_its_tag(address: str, expected: str | None) -> None:
    assert without_tag(address) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_every_text_has_a_spelling_and_is_the_same_as_itself(one: str, other: str) -> None:
    assert spellings(one)
    assert same_address(one, one)
    assert same_address(one, other) == same_address(other, one)


def test_what_is_asked_of_an_address() -> None:
    assert ask_about("Jan+Kassa@B.example") == AskedAddress(("jan+kassa@b.example",), ("jan@b.example",), ())
    assert ask_about("jan@bücher.example", organisation_by_domain=True).domains == (
        "xn--bcher-kva.example",
        "bücher.example",
    )


@pytest.mark.parametrize("address", ["jan@gmail.com", "jan@Ziggo.nl", "jan"])
def test_S5_a_providers_domain_tells_no_organisation(address: str) -> None:
    assert not any(ask_about(address, organisation_by_domain=True).domains)
