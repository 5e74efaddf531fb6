"""What a confirmation says to a sender whom nobody knows and no check vouches for (M4)."""

import pytest

from services.notifier.notification import Quoted
from services.notifier.rules.strangers import NO_SUBJECT, NO_TEXT, as_a_stranger_sees_it
from shared.portal.left_out import MAIL_TOO_LARGE
from shared.templates.facts import Body, LeftOutAttachment
from tests.services.notifier.examples import notification, ticket


def test_M4_to_who_is_known_everything_stays() -> None:
    known = notification()
    assert as_a_stranger_sees_it(known) is known


@pytest.mark.parametrize(
    ("quoted", "subject", "text"),
    [
        pytest.param(Quoted.NOTHING, NO_SUBJECT, NO_TEXT, id="nothing"),
        pytest.param(Quoted.SUBJECT, "Printer doet het niet", NO_TEXT, id="subject"),
        pytest.param(Quoted.ALL, "Printer doet het niet", "Foutcode 79", id="all"),
    ],
)
def test_M4_the_helpdesk_says_how_much_is_quoted(quoted: Quoted, subject: str, text: str) -> None:
    seen = as_a_stranger_sees_it(notification(quoted=quoted)).ticket
    assert (seen.title, seen.mail_subject, seen.request) == (subject, subject, Body(text=text))


def test_M4_what_is_quoted_is_cut_short() -> None:
    long = ticket(title="t" * 200, mail_subject="s" * 200, request=Body("<p>x</p>", "x" * 2000))
    seen = as_a_stranger_sees_it(notification(quoted=Quoted.ALL, ticket=long)).ticket
    assert (seen.title, seen.mail_subject) == ("t" * 79 + "\u2026", "s" * 79 + "\u2026")
    assert seen.request.text == "x" * 499 + "\u2026"


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        pytest.param("Piet Jansen", "Piet Jansen", id="a name"),
        pytest.param("Ga naar evil.com", "", id="with a link"),
        pytest.param("Uw rekening staat al maanden open, bel ons", "", id="a sentence"),
    ],
)
def test_M4_what_he_calls_himself_stands_only_where_it_is_a_name(name: str, seen: str) -> None:
    given = notification(quoted=Quoted.SUBJECT, recipient_name=name, ticket=ticket(mail_from_name=name))
    stranger = as_a_stranger_sees_it(given)
    assert (stranger.recipient_name, stranger.ticket.mail_from_name) == (seen, seen)
    assert as_a_stranger_sees_it(notification(quoted=Quoted.NOTHING)).recipient_name == ""


@pytest.mark.parametrize(
    ("quoted", "count", "named"),
    [
        pytest.param(Quoted.SUBJECT, 2, ("0 (link weggelaten) x.pdf", "1 (link weggelaten) x.pdf"), id="a few"),
        pytest.param(Quoted.SUBJECT, 6, ("6 bestanden",), id="many"),
        pytest.param(Quoted.NOTHING, 1, ("1 bestand",), id="nothing quoted"),
        pytest.param(Quoted.NOTHING, 0, (), id="none"),
    ],
)
def test_M4_files_are_named_without_links_or_counted(quoted: Quoted, count: int, named: tuple[str, ...]) -> None:
    names = tuple(f"{number} evil.com x.pdf" for number in range(count))
    left_out = (*(LeftOutAttachment(name, "geen afbeelding") for name in names), LeftOutAttachment("y", MAIL_TOO_LARGE))
    seen = as_a_stranger_sees_it(notification(quoted=quoted, ticket=ticket(images=names, left_out=left_out))).ticket
    assert seen.images == named
    assert tuple(each.name for each in seen.left_out) == named
