"""The templates that hold where a helpdesk has none of its own; the document gives the subjects (SPEC M2–M4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from shared.templates.kinds import TemplateKind


@dataclass(frozen=True, slots=True)
class TemplateTexts:
    """A template as people write it: subject, html body and text body, with placeholders."""

    subject: str
    body_html: str
    body_text: str


@cache
def default_texts(kind: TemplateKind) -> TemplateTexts:
    """The default template of this kind, from the files in `default_texts/`."""
    folder = files("shared.templates") / "default_texts" / kind.value
    return TemplateTexts(
        subject=(folder / "subject.txt").read_text(encoding="utf-8").strip(),
        body_html=(folder / "body.html").read_text(encoding="utf-8"),
        body_text=(folder / "body.txt").read_text(encoding="utf-8"),
    )
