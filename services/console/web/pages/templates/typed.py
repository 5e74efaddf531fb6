"""The fields of a template as they are typed: what they come to, and what is wrong with them, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from starlette.datastructures import FormData

from services.console.catalogue import Texts
from services.console.fields import LONGEST_TEMPLATE, BadValue, Text
from services.console.web.forms import N_, sentence_for
from shared.templates.defaults import TemplateTexts, default_texts
from shared.templates.facts import OwnTemplate
from shared.templates.kinds import TemplateKind
from shared.templates.render import SUBJECT_LIMIT, BadTemplate, Problem, Trouble, parse_body, parse_subject

FIELDS: Final = ("subject", "html", "text")
LABELS: Final[Mapping[str, str]] = {
    "subject": N_("Onderwerp"),
    "html": N_("Opgemaakte tekst (html)"),
    "text": N_("Tekst zonder opmaak"),
}
SENTENCES: Final[Mapping[str, str]] = {
    "subject": N_("Eén regel. Leeg: het standaardonderwerp."),
    "html": N_("Verandert u alleen deze, dan wordt de tekst zonder opmaak hiervan gemaakt."),
    "text": N_("Verandert u alleen deze, dan wordt de opgemaakte tekst hiervan gemaakt."),
}
_TOO_LONG: Final = N_("Deze tekst is te lang: er past hoogstens 256 kB.")
_TROUBLES: Final[Mapping[Trouble, str]] = {
    Trouble.UNKNOWN: N_("[%(name)s] is geen invulveld: kies er een uit de lijst. Schrijf [[ voor een gewone haak."),
    Trouble.MISSPELT: N_("[%(name)s] is geen invulveld. Bedoelt u [%(alike)s]? Schrijf [[ voor een gewone haak."),
    Trouble.NOT_CLOSED: N_("Na een [ komt geen ]. Sluit hem, of schrijf [[ voor een gewone haak."),
    Trouble.TOO_LONG_FOR_A_SUBJECT: N_("[%(name)s] is te lang voor een onderwerp: zet het in de tekst."),
    Trouble.NO_LINE_TO_GO: N_("[%(name)s?] hoort in de tekst: een onderwerp heeft geen regel die kan wegvallen."),
    Trouble.LINE_BREAK: N_("Een onderwerp is één regel."),
    Trouble.NO_NUMBER: N_("In het onderwerp hoort [%(name)s]: zonder dat vindt een antwoord zijn ticket niet."),
}


def fields_of(form: FormData) -> dict[str, str]:
    """What the form holds, by field; lines ended by LF."""
    return {name: str(form.get(name, "")).replace("\r\n", "\n").replace("\0", "") for name in FIELDS}


def as_typed(kind: TemplateKind, own: OwnTemplate) -> dict[str, str]:
    """What stands in the fields: the helpdesk's own, and the default where that holds."""
    default = default_texts(kind)
    has_body = own.body_html is not None or own.body_text is not None
    return {
        "subject": own.subject or default.subject,
        "html": own.body_html or ("" if has_body else default.body_html),
        "text": own.body_text or ("" if has_body else default.body_text),
    }


def own_of(kind: TemplateKind, fields: Mapping[str, str]) -> OwnTemplate:
    """The helpdesk's own template; what is empty, or as the default, is not its own."""
    default: TemplateTexts = default_texts(kind)
    return OwnTemplate(
        subject=_own(fields["subject"].strip(), default.subject),
        body_html=_own(fields["html"], default.body_html),
        body_text=_own(fields["text"], default.body_text),
    )


def problems(kind: TemplateKind, own: OwnTemplate, texts: Texts) -> dict[str, str]:
    """What is wrong, by field: the rules of the command line and of the database."""
    found = {
        "subject": _subject_problem(kind, own.subject, texts),
        "html": _body_problem(kind, own.body_html, texts),
        "text": _body_problem(kind, own.body_text, texts),
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def _own(text: str, default: str) -> str | None:
    return None if text.strip() in ("", default.strip()) else text


def _subject_problem(kind: TemplateKind, subject: str | None, texts: Texts) -> str:
    line = Text(longest=SUBJECT_LIMIT)
    try:
        line.parse(subject or "")
    except BadValue:
        return sentence_for(line, texts)
    return _problem(partial(parse_subject, of_ticket=kind.of_ticket), subject, texts)


def _body_problem(kind: TemplateKind, body: str | None, texts: Texts) -> str:
    if len((body or "").encode("utf-8", "replace")) > LONGEST_TEMPLATE:
        return texts.gettext(_TOO_LONG)
    return _problem(partial(parse_body, of_ticket=kind.of_ticket), body, texts)


def _problem(parse: Callable[[str], object], source: str | None, texts: Texts) -> str:
    try:
        if source is not None:
            parse(source)
    except BadTemplate as bad:
        return " ".join(_sentence(problem, texts) for problem in bad.problems)
    return ""


def _sentence(problem: Problem, texts: Texts) -> str:
    return texts.gettext(_TROUBLES[problem.trouble]) % {"name": problem.name, "alike": problem.alike}
