"""The Dutch templates that hold by default: the document's subjects, both bodies (SPEC M2–M4)."""

import pytest

from shared.templates.defaults import default_texts
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS
from shared.templates.plain_text import text_of
from shared.templates.render import Value, html_body, parse_body, parse_subject, subject_line, text_body

_EXAMPLES = {placeholder.name: Value(placeholder.example) for placeholder in (*PLACEHOLDERS, *OF_SUMMARIES)}


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        pytest.param(
            TemplateKind.TICKET_ADDED_MANAGER,
            "ChainWise: Ticket [ticketnummer] - [tickettitel] toegevoegd via de importer",
            id="M2",
        ),
        pytest.param(
            TemplateKind.SUPPLEMENT_ADDED_EXECUTOR,
            "ChainWise: Ticket [ticketnummer] - [tickettitel] heeft een nieuwe aanvulling via portaal",
            id="M3",
        ),
        pytest.param(
            TemplateKind.TICKET_ADDED_CUSTOMER,
            "ChainWise: Ticket [ticketnummer] - [tickettitel] is geregistreerd",
            id="M4",
        ),
    ],
)
def test_M2_M3_M4_default_subjects_are_those_of_the_document(kind: TemplateKind, subject: str) -> None:
    assert default_texts(kind).subject == subject
    assert subject_line(parse_subject(subject), _EXAMPLES).startswith("ChainWise: Ticket 1000123 - Printer")


@pytest.mark.parametrize("kind", TemplateKind)
def test_both_default_bodies_use_the_same_placeholders_and_say_the_same(kind: TemplateKind) -> None:
    texts = default_texts(kind)
    in_html = parse_body(texts.body_html, of_ticket=kind.of_ticket)
    in_text = parse_body(texts.body_text, of_ticket=kind.of_ticket)
    assert in_html.names() == in_text.names()
    words_of_html = set(text_of(html_body(in_html, _EXAMPLES)).replace(":", " ").split())
    words_of_text = set(text_body(in_text, _EXAMPLES).replace(":", " ").split())
    assert words_of_html == words_of_text


def test_M2_the_subject_of_a_summary_says_how_many_it_tells_of() -> None:
    subject = parse_subject(default_texts(TemplateKind.SUMMARY).subject, of_ticket=False)
    assert subject_line(subject, _EXAMPLES) == "ChainWise: 37 tickets en aanvullingen via de importer"


def test_M4_tells_a_stranger_nothing_of_the_default_contact_and_carries_no_text_of_the_mail() -> None:
    """An unknown sender's ticket has S5 as contact (N2); and a forged sender must not get somebody's text from us."""
    texts = default_texts(TemplateKind.TICKET_ADDED_CUSTOMER)
    names = parse_body(texts.body_text).names() | parse_body(texts.body_html).names()
    assert not names & {"contactpersoon", "aanmelder", "organisatie", "omschrijving", "aanvulling", "ticketlink"}
