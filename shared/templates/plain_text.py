"""Html read as plain text, and plain text written as html: a mail of ours always has both readings."""

from __future__ import annotations

import html
import re
from typing import Final

import nh3
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

_READING: Final = ParserConfig(css=CSS_PROFILES["strict"], display_links=True, display_anchors=False)
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_LINK_AS_ITSELF: Final = re.compile(r"\[(?P<address>[^\[\]\s]++)\]\((?P=address)\)")


def text_of(fragment: str) -> str:
    """The text of an html `fragment`, links behind their words; '' for html without text."""
    if not fragment.strip():
        return ""
    text = _LINK_AS_ITSELF.sub(r"\g<address>", get_text(f"<html><body>{fragment}</body></html>", _READING))
    if not text.strip():  # QUIRK: libxml2 gives nothing for what is nested too deep: then the words without layout
        text = html.unescape(nh3.clean(fragment, tags=set()))
    lines = (line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def html_of(text: str) -> str:
    """`text` as html: escaped, paragraphs at empty lines, line breaks kept."""
    paragraphs = re.split(r"\n[ \t]*\n", text.strip("\n"))
    return "\n".join(f"<p>{escaped(paragraph)}</p>" for paragraph in paragraphs if paragraph.strip())


def escaped(text: str) -> str:
    """`text` for a place in html, in or outside an attribute; line breaks stay."""
    return html.escape(text, quote=True).replace("\n", "<br>\n")
