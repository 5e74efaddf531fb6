"""What mails out are counted by: one mailbox and one domain, however a forger spells them (SPEC D10)."""

import pytest

from shared.portal.counted_addresses import counted_address, counted_domain


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        pytest.param("Jan@Klant.Example", "jan@klant.example", id="capitals"),
        pytest.param("no-reply+8a7f@klant.example", "no-reply@klant.example", id="a tag"),
        pytest.param("a+b+c@klant.example", "a@klant.example", id="two tags"),
        pytest.param("j.a.n.smit@gmail.com", "jansmit@gmail.com", id="Gmail's dots"),
        pytest.param("Jan.Smit+x@GoogleMail.com", "jansmit@gmail.com", id="Gmail's other name"),
        pytest.param('"jan"@klant.example', "jan@klant.example", id="quotes without need"),
        pytest.param(r'"j\a\n"@klant.example', "jan@klant.example", id="quoted pairs"),
        pytest.param('"jan+x"@klant.example', "jan@klant.example", id="a tag in quotes"),
        pytest.param('"a@b"@klant.example', "a@b@klant.example", id="an at sign in quotes"),
        pytest.param("jan@klant.example.", "jan@klant.example", id="the root's dot"),
        pytest.param("jan@münchen.example", "jan@xn--mnchen-3ya.example", id="a domain in letters"),
        pytest.param("j.smit@klant.example", "j.smit@klant.example", id="dots elsewhere tell people apart"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_D10_addresses_count_as_they_are_delivered(address: str, counted: str) -> None:
    assert counted_address(address) == counted


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        pytest.param("a@evil.example", "evil.example", id="itself"),
        pytest.param("a@x.y.evil.example", "evil.example", id="a subdomain"),
        pytest.param("a@b.evil.co.uk", "evil.co.uk", id="under a suffix of two labels"),
        pytest.param("a@evil.github.io", "github.io", id="a private suffix is somebody's domain"),
        pytest.param("a@co.uk", "co.uk", id="a suffix itself"),
        pytest.param("a@localhost", "localhost", id="one label"),
        pytest.param("a@x.münchen.de", "xn--mnchen-3ya.de", id="a domain in letters"),
        pytest.param("a@gmail.com", None, id="a provider's"),
        pytest.param("a@x.gmail.com", "gmail.com", id="what no provider gives out"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_D10_domains_count_by_the_registrable_one(address: str, counted: str | None) -> None:
    assert counted_domain(address) == counted
