"""A mail as its template and its facts make it: subject, text and html, for who sends it and for who looks first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from shared.one_line import one_line
from shared.templates.defaults import TemplateTexts, default_texts
from shared.templates.facts import MailFacts, OwnTemplate
from shared.templates.kinds import TemplateKind
from shared.templates.plain_text import escaped, html_of, text_of
from shared.templates.render import (
    BadTemplate,
    Problem,
    Template,
    Value,
    html_body,
    parse_body,
    parse_subject,
    subject_line,
    text_body,
)
from shared.templates.summary import values_of_summary
from shared.templates.values import values_of

_PAGE: Final = """<!DOCTYPE html>
<html lang="nl">
<head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head>
<body style="font-family: Arial, Helvetica, sans-serif; font-size: 14px">
{content}
</body>
</html>
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """The mail in both readings; `content` is what stands in the body of the html.

    `problems` is what was wrong with the helpdesk's own template where the default stands in for it.
    """

    subject: str
    text: str
    content: str
    problems: tuple[Problem, ...] = ()

    @property
    def html(self) -> str:
        """The html as a whole document."""
        return _PAGE.format(content=self.content)


def write(own: OwnTemplate, mail: MailFacts, marker: str) -> WrittenMail:
    """The mail with these facts; the marker line (S7) stands on top, but not of a summary."""
    values = values_of(mail) if mail.kind.of_ticket else values_of_summary(mail)
    return write_with(own, mail.kind, values, marker)


def write_with(own: OwnTemplate, kind: TemplateKind, values: Mapping[str, Value], marker: str) -> WrittenMail:
    """As `write`, with a value for each placeholder of this kind."""
    problems: list[Problem] = []
    subject = subject_line(_subject(own, kind, problems), values)
    text, html = _bodies(own, kind, values, problems)
    line = one_line(marker) if kind.of_ticket else ""  # an answer to a summary would find no ticket
    return WrittenMail(
        subject,
        f"{line}\n\n{text}" if line else text,
        f"<p>{escaped(line)}</p>\n{html}" if line else html,
        tuple(problems),
    )


def _subject(own: OwnTemplate, kind: TemplateKind, problems: list[Problem]) -> Template:
    parse = partial(parse_subject, of_ticket=kind.of_ticket)
    return _own_or_none(own.subject, parse, problems) or parse(default_texts(kind).subject)


def _bodies(
    own: OwnTemplate, kind: TemplateKind, values: Mapping[str, Value], problems: list[Problem]
) -> tuple[str, str]:
    """The body as text and as html; with one template of the two, the other reading is made from it."""
    parse = partial(parse_body, of_ticket=kind.of_ticket)
    in_text = _own_or_none(own.body_text, parse, problems)
    in_html = _own_or_none(own.body_html, parse, problems)
    if in_text is None and in_html is None:
        default: TemplateTexts = default_texts(kind)
        in_text, in_html = parse(default.body_text), parse(default.body_html)
    if in_html is None:
        text = text_body(in_text or Template(()), values)
        return text, html_of(text)
    html = html_body(in_html, values)
    return (text_of(html) if in_text is None else text_body(in_text, values)), html


def _own_or_none(source: str | None, parse: Callable[[str], T], problems: list[Problem]) -> T | None:
    """The helpdesk's own template, or None when it has none or it cannot be used (`problems` then says why)."""
    if source is None:
        return None
    try:
        return parse(source)
    except BadTemplate as bad:
        problems.extend(bad.problems)
        return None
