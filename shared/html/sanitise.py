"""HTML that is safe to show in the helpdesk's page (SPEC D5): an allow-list, applied last, by nh3 (ammonia).

Nothing runs, nothing is loaded from elsewhere, nothing leaves its frame: no script, form, frame or style sheet; images
only as `attachment:<id>` of this very mail; links to web, mail and telephone, opened without a way back; inline styles
that cannot place anything outside the mail (`inline_style`).
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

import nh3

from shared.html.inline_style import safe_style
from shared.html.plain import stripped

ATTACHMENT_SCHEME: Final = "attachment"

_TAGS: Final = frozenset(
    """a abbr address article aside b bdi big blockquote br caption center cite code col colgroup dd del details dfn div
    dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt
    ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var
    wbr""".split()  # noqa: SIM905 - a list of words reads better in lines than in quotes
)
_DROPPED_WITH_CONTENT: Final = frozenset(
    {"script", "style", "title", "head", "template", "noembed", "noframes", "iframe", "object", "applet", "svg", "math",
     "textarea", "select", "audio", "video", "xml"}
)  # fmt: skip
_BOX: Final = frozenset({"align", "bgcolor", "dir", "height", "valign", "width"})
_ATTRIBUTES: Final = {
    "*": {"style", "dir", "lang", "title", "align"},
    "a": {"href"},
    "font": {"color", "face", "size"},
    "img": {"src", "alt", "width", "height", "align"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
    "hr": {"width", "size", "noshade", "color"},
    "table": _BOX | {"border", "cellpadding", "cellspacing", "summary"},
    "td": _BOX | {"colspan", "rowspan", "nowrap", "headers", "scope"},
    "th": _BOX | {"colspan", "rowspan", "nowrap", "headers", "scope"},
    "tr": _BOX,
    "tbody": _BOX,
    "thead": _BOX,
    "tfoot": _BOX,
    "details": {"open"},
}
_REMEMBERED: Final = 8
"""Sanitisers: most mails have no images."""
_MOST_PASSES: Final = 5
"""Mail settles at the second; what does not settle is shown as its text."""
_LINK: Final = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x20]", re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_URL_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", ATTACHMENT_SCHEME})
_STAND_INS: Final = {"&amp;": "\ufdd0", "&lt;": "\ufdd1", "&gt;": "\ufdd2"}
"""For references while html is parsed: a megabyte of `&amp;` costs the parser 0.4 s, and one of these 0.02.

Noncharacters are there for use within a program (Unicode 23.7). Each is a text character to the parser, and is written
as the reference that it stands for: markup can never come of it.
"""
_REFERENCES: Final = {stand_in: reference for reference, stand_in in _STAND_INS.items()}
_NO_STAND_INS: Final = dict.fromkeys(_REFERENCES, "")
_MEANT: Final = {stand_in: entities.unescape(reference) for reference, stand_in in _STAND_INS.items()}


def sanitise(html: str, attachment_ids: AbstractSet[str]) -> str:
    """`html` as a safe, well-formed fragment in which only `attachment_ids` (of this mail) are shown as images.

    It is cleaned until cleaning changes nothing: what is left when elements are taken out can be read otherwise than it
    was («mutation»: a link within a link, once the svg between them is gone), and a browser reads it again.
    """
    cleaner = _cleaner(frozenset(attachment_ids))
    clean = _replaced(html, _NO_STAND_INS)
    for _ in range(_MOST_PASSES):
        before = clean
        clean = _cleaned(before, cleaner)
        if clean == before:
            return clean
    as_text = entities.escape(stripped(clean), quote=False)
    return _cleaned(as_text, cleaner)  # as it is written: nothing changes it again


def is_safe(html: str, attachment_ids: AbstractSet[str]) -> bool:
    """Whether it is as `sanitise` leaves it: sanitising changes nothing more."""
    return sanitise(html, attachment_ids) == html


@lru_cache(maxsize=_REMEMBERED)
def _cleaner(attachment_ids: frozenset[str]) -> nh3.Cleaner:
    """Building one costs as much as cleaning a page of html."""

    def keep(tag: str, attribute: str, value: str) -> str | None:
        value = value if value.isascii() else _replaced(value, _MEANT)  # most are, and each attribute comes by here
        if attribute == "style":
            return safe_style(value, tag)
        if attribute == "src":
            scheme, _, identity = value.partition(":")
            return value if scheme == ATTACHMENT_SCHEME and identity in attachment_ids else None
        if attribute == "href":
            target = _CONTROL.sub("", value).strip()
            return target if tag == "a" and _LINK.match(target) else None
        return value

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        strip_comments=True,
        link_rel="noopener noreferrer",
        url_schemes=_URL_SCHEMES,
        url_relative="deny",
    )


def _cleaned(html: str, cleaner: nh3.Cleaner) -> str:
    clean = _replaced(cleaner.clean(_replaced(html, _STAND_INS)), _REFERENCES)
    return clean.replace("\r", "\n")  # a `&#13;` made it; whoever reads the html again would read a line end


def _replaced(text: str, by: Mapping[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text
