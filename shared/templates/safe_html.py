"""What html may leave in a mail: an allow-list without anything that runs or is loaded from elsewhere (DESIGN 10).

Mails of ours carry no images: those of a ticket are seen in the ticket, and a picture on a server elsewhere would tell
its owner who reads his mail.
"""

from __future__ import annotations

import re
from typing import Final

import nh3
from selectolax.lexbor import LexborHTMLParser

_STYLES: Final = frozenset(
    [
        *("background-color", "color", "direction", "display", "line-height", "max-width", "vertical-align"),
        *("font-family", "font-size", "font-style", "font-weight", "text-align", "text-decoration", "white-space"),
        *("border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-right", "border-top"),
        *("margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "width"),
        *("padding", "padding-bottom", "padding-left", "padding-right", "padding-top"),
    ]
)
_MAY_BE_DEAD: Final = re.compile(r'<a(?:>|\s(?!href="[^"]))')
"""A link that does not begin with an address; one that has it elsewhere is looked at."""
_CELL: Final = frozenset(["align", "colspan", "rowspan", "valign", "width"])


def _without_addresses(_: str, attribute: str, value: str) -> str | None:
    """No `url(…)` in a style; every other attribute as it is."""
    return None if attribute == "style" and "url(" in value.lower() else value


_OUTGOING: Final = nh3.Cleaner(
    tags={
        *("a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "div", "dl", "dt", "em"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small"),
        *("span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
    },
    clean_content_tags={"script", "style", "title"},
    attributes={
        "*": {"dir", "lang", "style", "title"},
        "a": {"href"},
        "ol": {"start"},
        "table": {"align", "border", "cellpadding", "cellspacing", "role", "width"},
        "td": _CELL,
        "th": _CELL,
    },
    attribute_filter=_without_addresses,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel=None,
)


def safe_for_mail(html: str) -> str:
    """`html` as a balanced fragment of what the allow-list names, no more; of a link to nothing its words stay."""
    clean = _OUTGOING.clean(html)
    if not _MAY_BE_DEAD.search(clean):
        return clean
    tree = LexborHTMLParser(clean)
    dead = tree.css("a:not([href]), a[href='']")
    for link in dead:
        link.unwrap()
    return _OUTGOING.clean((tree.body and tree.body.inner_html) or "") if dead else clean
