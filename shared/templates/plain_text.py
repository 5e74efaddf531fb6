"""Html read as plain text, and plain text written as html: a mail of ours always has both readings."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Final

import nh3

_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_LINK_AS_ITSELF: Final = re.compile(r"\[(?P<address>[^\[\]\s]++)\]\((?P=address)\)")


def text_of(fragment: str) -> str:
    """The text of an html `fragment`, links behind their words; '' for html without text."""
    if not fragment.strip():
        return ""
    text = _LINK_AS_ITSELF.sub(r"\g<address>", _reader()(f"<html><body>{fragment}</body></html>"))
    if not text.strip():  # QUIRK: libxml2 gives nothing for what is nested too deep: then the words without layout
        text = html.unescape(nh3.clean(fragment, tags=set()))
    lines = (line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


@cache
def _reader() -> Callable[[str], str]:
    """Inscriptis, which stands on all of lxml: the command line looks at templates and seldom reads html."""
    from inscriptis import get_text  # noqa: PLC0415 - see above
    from inscriptis.css_profiles import CSS_PROFILES  # noqa: PLC0415 - see above
    from inscriptis.model.config import ParserConfig  # noqa: PLC0415 - see above

    reading = ParserConfig(css=CSS_PROFILES["strict"], display_links=True, display_anchors=False)
    return partial(get_text, config=reading)


def html_of(text: str) -> str:
    """`text` as html: escaped, paragraphs at empty lines, line breaks kept."""
    paragraphs = re.split(r"\n[ \t]*\n", text.strip("\n"))
    return "\n".join(f"<p>{escaped(paragraph)}</p>" for paragraph in paragraphs if paragraph.strip())


def escaped(text: str) -> str:
    """`text` for a place in html, in or outside an attribute; line breaks stay."""
    return html.escape(text, quote=True).replace("\n", "<br>\n")
