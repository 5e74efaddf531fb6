"""SPEC D1: which tokens of a subject may be a ticket number, and in which order they are tried."""

import unicodedata
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.classifier.rules.ticket_number import find_numbers
from shared.messages import NumberIntroduction

OURS = "[1-9][0-9]{6,9}"


def found(subject: str, pattern: str = OURS) -> list[str]:
    return [token.text for token in find_numbers(subject, pattern)]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("Ticket 1000001", id="after-Ticket"),
        pytest.param("RE: TICKET: 1000001 - Kassa", id="after-Ticket-with-colon"),
        pytest.param("Ticketnummer 1000001", id="after-ticketnummer"),
        pytest.param("Ticket#1000001", id="after-Ticket-and-hash"),
        pytest.param("Ticket nr. 1000001", id="after-ticket-nr"),
        pytest.param("AW: [1000001] Kassa", id="in-square-brackets"),
        pytest.param("Kassa (1000001)", id="in-round-brackets"),
        pytest.param("Fwd: [ICT #1000001] Kassa", id="in-brackets-with-more"),
        pytest.param("#1000001", id="after-hash"),
        pytest.param("ChainWise: Ticket 1000001 - Kassa is geregistreerd", id="our-own-subject"),
        pytest.param("Antw: Doorst: VS: SV: Ticket 1000001", id="many-prefixes"),
        pytest.param("Re[2]: Ticket 1000001", id="counted-prefix"),
        pytest.param("回复: 转发: Ticket 1000001", id="prefixes-in-chinese"),
        pytest.param("[Helpdesk] [Ticket: 1000001] Kassa", id="two-pairs-of-brackets"),
        pytest.param("[#1000001]", id="hash-in-brackets"),
        pytest.param("Ticket_1000001", id="after-an-underscore"),
        pytest.param("Ticket_1000001_kassa", id="between-underscores"),
        pytest.param("ticket1000001", id="straight-behind-ticket"),
        pytest.param("Ticket-ID 1000001", id="ticket-id"),
        pytest.param("Ticket nº 1000001", id="numero"),
        pytest.param("Ticket №1000001", id="numero-sign"),
        pytest.param('Ticket "1000001"', id="in-quotes"),
        pytest.param("Ticket «1000001»", id="in-guillemets"),
        pytest.param("Ticket *1000001*", id="in-bold"),
        pytest.param("Ticket\xa01000001", id="no-break-space"),
        pytest.param("Ticket \uff11\uff10\uff10\uff10\uff10\uff10\uff11", id="full-width-digits"),
        pytest.param("\uff031000001", id="full-width-hash"),
    ],
)
def test_D1_introduced_numbers(subject: str) -> None:
    (token,) = find_numbers(subject, OURS)
    assert (token.text, token.introduction) == ("1000001", NumberIntroduction.INTRODUCED)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("kassa, uw 1000001.", id="at-the-end-of-a-sentence"),
        pytest.param("1000001", id="alone"),
        pytest.param("1000001: kassa", id="before-a-colon"),
        pytest.param("Re:1000001", id="straight-behind-a-prefix"),
        pytest.param("kassa 1000001, lade", id="before-a-comma"),
        pytest.param("HD-1000001", id="behind-letters-and-a-hyphen"),
        pytest.param("melding 1000001/kassa", id="before-a-slash-and-letters"),
        pytest.param("«1000001»", id="in-guillemets"),
    ],
)
def test_D1_a_whole_token_without_introduction(subject: str) -> None:
    (token,) = find_numbers(subject, OURS)
    assert (token.text, token.introduction) == ("1000001", NumberIntroduction.BARE)


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("21000001000", id="within-a-longer-number"),
        pytest.param("X1000001", id="behind-a-letter"),
        pytest.param("1000001e", id="before-a-letter"),
        pytest.param("1000001-2", id="order-with-suffix"),
        pytest.param("3-1000001", id="order-with-prefix"),
        pytest.param("1000001.50", id="amount-with-point"),
        pytest.param("1000001,50", id="amount-with-comma"),
        pytest.param("€ 1000001", id="amount-with-sign"),
        pytest.param("€ 1.000.001", id="amount-with-thousands"),
        pytest.param("1000001,-", id="amount-with-dash"),
        pytest.param("1000001 EUR", id="amount-with-code-behind"),
        pytest.param("EUR 1000001", id="amount-with-code"),
        pytest.param("1000001 euro", id="amount-in-words"),
        pytest.param("20261123", id="date-year-first"),
        pytest.param("storing 23112026", id="date-day-first"),
        pytest.param("www.elders.example/1000001", id="web-address-without-scheme"),
        pytest.param("1000001.nl", id="domain"),
        pytest.param("IMG_1000001.jpg", id="file"),
        pytest.param("1000001_foto.jpg", id="file-that-begins-so"),
        pytest.param("Ticket 1000001_2", id="number-with-suffix"),
        pytest.param("v1000001.2", id="version-with-point"),
        pytest.param("+31 1000001 22", id="telephone-in-the-middle"),
        pytest.param("1000001\u00b2", id="superscript"),
        pytest.param("1000001 €", id="amount-with-sign-behind"),
        pytest.param("+31201000001", id="telephone"),
        pytest.param("+31 20 1000001", id="telephone-with-spaces"),
        pytest.param("020 1000001", id="telephone-national"),
        pytest.param("(020) 1000001", id="telephone-area-code-in-brackets"),
        pytest.param("tel. 1000001", id="telephone-said-so"),
        pytest.param("12/1000001", id="part-of-a-date-like-row"),
        pytest.param("2026-1000001", id="invoice"),
        pytest.param("v1000001", id="version"),
        pytest.param("versie 1000001", id="version-in-words"),
        pytest.param("build 1000001.4", id="build"),
        pytest.param("10.0.1000001", id="version-with-points"),
        pytest.param("1000001@example.nl", id="address"),
        pytest.param("zie https://elders.example/1000001/x", id="web-address"),
        pytest.param("100%1000001", id="behind-a-percent-sign"),
        pytest.param("01000001", id="leading-zero"),
        pytest.param("100 0001", id="split"),
        pytest.param("\u0661\u0660\u0660\u0660\u0660\u0660\u0661", id="digits-of-another-script"),
        pytest.param("", id="empty"),
    ],
)
def test_D1_never_inside_something_else(subject: str) -> None:
    assert found(subject) == []


def test_D1_a_date_is_no_number_of_four_digits() -> None:
    assert found("Storing van 12 oktober 2026", "[0-9]{4}") == []


def test_D1_introduced_numbers_go_before_others_then_the_first() -> None:
    subject = "1000009 en 1000008, zie Ticket 1000002 en [1000001], ook 1000009"
    assert found(subject) == ["1000002", "1000001", "1000009", "1000008"]


@pytest.mark.parametrize(
    ("subject", "numbers", "introduction"),
    [
        pytest.param("Ticket 1000006/1000008", ["1000006", "1000008"], "introduced", id="joined by a slash"),
        pytest.param("1000006-1000008", ["1000006", "1000008"], "bare", id="from and to, without introduction"),
        pytest.param("tickets 1000006,1000008;1000007", ["1000006", "1000008", "1000007"], "introduced", id="three"),
        pytest.param("[1000006&1000008]", ["1000006", "1000008"], "introduced", id="in brackets"),
        pytest.param("#1000006–1000008 kassa", ["1000006", "1000008"], "introduced", id="en dash"),
        pytest.param("Ticket 1000006/12", [], "", id="joined to what is no number"),
        pytest.param("Ticket 12/1000006", [], "", id="behind what is no number"),
        pytest.param("1000006.1000008", [], "", id="a point makes a version"),
        pytest.param("1000006/1000008.50", [], "", id="the last is an amount"),
        pytest.param("https://elders.example/1000006/1000008", [], "", id="in a web address"),
    ],
)
def test_D1_numbers_that_are_joined_are_tried_in_their_order(
    subject: str, numbers: list[str], introduction: str
) -> None:
    tokens = find_numbers(subject, OURS)
    assert [token.text for token in tokens] == numbers
    assert {token.introduction.value for token in tokens} <= {introduction}


@pytest.mark.parametrize(
    ("pattern", "subject"),
    [
        pytest.param("(?:([0-9]+)+)+x?", "1" * 990, id="nested repetition"),
        pytest.param("(?:1+)+y|[0-9]{7}", "1" * 990, id="nested repetition that fails"),
        pytest.param("[0-9/]+", "1/" * 490 + "1x", id="a pattern that reads over joins"),
        pytest.param("[0-9]", "1-" * 490 + "1", id="a long chain"),
        pytest.param("(?:[0-9]?){30}[0-9]{7}", "1" * 990, id="optional thirty times"),
    ],
)
def test_D1_no_pattern_takes_exponential_time(pattern: str, subject: str) -> None:
    """What Python's own engine would not finish today ends; pytest's own limit of time is the judge."""
    assert len(find_numbers(subject, pattern)) <= 20


def test_D1_the_pattern_is_the_installations() -> None:
    assert found("Melding HD-2019-0042 graag", r"HD-[0-9]{4}-[0-9]{4}") == ["HD-2019-0042"]
    assert found("Melding XHD-2019-0042 graag", r"HD-[0-9]{4}-[0-9]{4}") == []


def test_D1_a_date_that_is_introduced_is_a_number() -> None:
    assert found("Ticket 20261123") == ["20261123"]


@given(st.text(max_size=200))
def test_every_token_is_in_the_subject_and_matches(subject: str) -> None:
    for token in find_numbers(subject, OURS):
        assert token.text in unicodedata.normalize("NFKC", subject)
        assert 7 <= len(token.text) <= 10


@given(st.text(alphabet="0123456789 .-/#[]", max_size=60))
def test_a_number_never_continues_on_either_side(subject: str) -> None:
    for token in find_numbers(subject, OURS):
        places = [at for at in range(len(subject)) if subject.startswith(token.text, at)]
        assert any(
            not subject[at - 1 : at].isdigit() and not subject[at + len(token.text) :][:1].isdigit() for at in places
        )


AROUND = st.text(alphabet=" \t-–:;,.!?()[]{}«»\"'*#", max_size=8)
WORDS = st.sampled_from(["", "Kassa", "RE:", "Antw: FW:", "2 stuks", "€ 12,50", "[extern]", "06-12345678"])
NUMBERS = st.integers(1_000_001, 1_899_999).map(str)


@given(WORDS, AROUND, NUMBERS, AROUND, WORDS)
def test_D1_an_introduced_number_is_found_first_whatever_stands_around_it(
    before: str, left: str, number: str, right: str, after: str
) -> None:
    assume(not right.startswith((",-", ",–")))  # an amount
    assert found(f"{before}{left} Ticket {number}{right} {after}")[:1] == [number]


@given(NUMBERS, st.integers(0, 9), st.sampled_from(["{d}{n}", "{n}{d}", "{d}-{n}", "{n}.{d}", "{n}/{d}", "{d},{n}"]))
def test_D1_a_digit_beside_it_makes_it_part_of_something_else(number: str, digit: int, form: str) -> None:
    assert number not in found(form.format(n=number, d=digit))


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(["%Y%m%d", "%d%m%Y"]))
def test_D1_no_date_is_a_number(day: date, form: str) -> None:
    assert found(f"Storing {day.strftime(form)}") == []


@given(
    NUMBERS, st.sampled_from(["+31 {n}", "0031 {n}", "020-{n}", "tel {n}", "v{n}", "versie {n}", "€ {n}", "{n} EUR"])
)
def test_D1_telephones_versions_and_amounts_are_no_numbers(number: str, form: str) -> None:
    assert found(f"Vraag over {form.format(n=number)} graag") == []
