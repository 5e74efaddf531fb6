"""HTML that is safe to show in the helpdesk's page (SPEC D5): an allow-list, applied last, by nh3 (ammonia).

Nothing runs, nothing is loaded from elsewhere, nothing leaves its frame: no script, form, frame or style sheet; images
only as `attachment:<id>` of this very mail; links to web, mail and telephone, opened without a way back; inline styles
from a list of properties that carry no address and cannot place an element outside the mail.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

import nh3

from services.classifier.reading.text.html_document import stripped

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
_STYLES: Final = frozenset(
    """background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width border-collapse
    border-color border-left border-left-color border-left-style border-left-width border-radius border-right
    border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color
    border-top-style border-top-width border-width caption-side clear color direction display float font font-family
    font-size font-style font-variant font-weight height letter-spacing line-height list-style-type margin margin-bottom
    margin-left margin-right margin-top max-height max-width min-height min-width overflow-wrap padding padding-bottom
    padding-left padding-right padding-top table-layout text-align text-decoration text-decoration-color
    text-decoration-line text-indent text-transform vertical-align white-space width word-break
    word-spacing word-wrap""".split()  # noqa: SIM905 - as above
)
_PLAIN_VALUE: Final = re.compile(
    r"[\w\s#%.,'\"!+/-]*(?:(?i:rgba?|hsla?)\([\d\s.,%/deg]{1,60}\)[\w\s#%.,'\"!+/-]*){0,4}"
)
_OUT_OF_FRAME: Final = re.compile(r"-\s*\d")
_MARGINS: Final = re.compile(r"margin|text-indent")
_SPACINGS: Final = frozenset({"letter-spacing", "word-spacing"})
_FAR: Final = re.compile(r"-\s*(?!(?:[0-2](?:\.\d+)?|\.\d+)(?:px|pt)|0?\.\d+em)\d?\.?\d")
_LONGEST_STYLE: Final = 4_000
_MOST_PASSES: Final = 5
"""Mail settles at the second; what does not settle is shown as its text."""
_LINK: Final = re.compile(r"(?:https?://|mailto:|tel:)[^\x00-\x20]", re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_URL_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", ATTACHMENT_SCHEME})


def sanitise(html: str, attachment_ids: AbstractSet[str]) -> str:
    """`html` as a safe, well-formed fragment in which only `attachment_ids` (of this mail) are shown as images.

    It is cleaned until cleaning changes nothing: what is left when elements are taken out can be read otherwise than it
    was («mutation»: a link within a link, once the svg between them is gone), and a browser reads it again.
    """

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return safe_style(value)
        if attribute == "src":
            scheme, _, identity = value.partition(":")
            return value if scheme == ATTACHMENT_SCHEME and identity in attachment_ids else None
        if attribute == "href":
            target = _CONTROL.sub("", value).strip()
            return target if tag == "a" and _LINK.match(target) else None
        return value

    clean = html
    for _ in range(_MOST_PASSES):
        before = clean
        clean = _cleaned(before, keep)
        if clean == before:
            return clean
    return entities.escape(stripped(clean), quote=False)


def _cleaned(html: str, keep: Callable[[str, str, str], str | None]) -> str:
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        strip_comments=True,
        link_rel="noopener noreferrer",
        url_schemes=_URL_SCHEMES,
        url_relative="deny",
    )
    return clean.replace("\r", "\n")  # a `&#13;` made it; whoever reads the html again would read a line end


def safe_style(style: str) -> str | None:
    """The declarations of an inline style that are on the list with a plain value; None when none is left.

    A value with an escape, an address or an unknown function is dropped, and so are negative margins and far negative
    spacings, with which a mail could cover what stands around it.
    """
    return _safe_style(style) if len(style) <= _LONGEST_STYLE else None


@lru_cache(maxsize=1024)  # a mail has few styles, each hundreds of times
def _safe_style(style: str) -> str | None:
    kept = []
    for declaration in style.split(";"):
        name, separator, value = declaration.partition(":")
        name = name.strip().lower()
        value = value.strip()
        if not separator or name not in _STYLES or not value or not _PLAIN_VALUE.fullmatch(value):
            continue
        if (_MARGINS.match(name) and _OUT_OF_FRAME.search(value)) or (name in _SPACINGS and _FAR.search(value)):
            continue
        kept.append(f"{name}: {value}")
    return "; ".join(kept) or None
