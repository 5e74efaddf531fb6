"""A mail's text as the lines that a reader sees, each with its place, so that it can be cut where a line begins.

Plain text gives its own lines. HTML gives them by its blocks and breaks; a line remembers the text node with which it
begins, and whether a mail client marked that place as the header of a quote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from selectolax.lexbor import LexborNode

_BLOCKS: Final = frozenset(
    """address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul""".split()  # noqa: SIM905 - a list of words
)
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "table", "blockquote"}
)
_UNSEEN: Final = frozenset(
    {"head", "style", "script", "title", "template", "noembed", "noframes", "iframe", "object", "applet", "svg", "math",
     "textarea", "select", "audio", "video", "xml", "-comment", "!doctype"}
)  # fmt: skip
_HTML_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_PREFORMATTED: Final = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_LONGEST_MARK: Final = 500
"""Characters of a style or of class names that are looked at: what is remembered of them stays small."""
_QUOTE_HEADER: Final = re.compile(
    r"(?:^|[\s_])(?:gmail_attr|moz-cite-prefix|divRplyFwdMsg|OutlookMessageHeader|yahoo_quoted_header|"
    r"protonmail_quote_header|zmail_extra_header|ms-outlook-mobile-reference-message)(?:$|\s)"
)
"""What Gmail, Thunderbird, Outlook and others call the header above a quote; Outlook puts `x_` before foreign names."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text with white space collapsed, and what a client says of it."""

    text: str
    begins_at: LexborNode | None = None
    offset: int = 0
    """Characters of the text node `begins_at` that belong to the line before (preformatted text)."""
    in_quote_header: bool = False
    has_image: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


def text_lines(text: str) -> list[Line]:
    """The lines of plain text."""
    return [Line(line) for line in text.split("\n")]


def joined(lines: Sequence[Line]) -> str:
    """The text of `lines`: no more than one blank line in a row, none at the ends."""
    kept: list[str] = []
    for line in lines:
        text = line.text.replace("\xa0", " ").strip()
        if text or (kept and kept[-1]):
            kept.append(text)
    return "\n".join(kept).strip("\n")


def html_lines(root: LexborNode) -> list[Line]:
    """The lines of what is seen of `root`, blank ones where paragraphs part."""
    collector = _Collector()
    node: LexborNode | None = root
    root_id = root.mem_id
    while node is not None:
        entered = collector.enter(node)
        child = node.first_child if entered else None
        if child is not None:
            node = child
            continue
        while node is not None:
            collector.leave(node)
            if node.mem_id == root_id:
                node = None
                break
            if node.next is not None:
                node = node.next
                break
            node = node.parent
    collector.end_line()
    return collector.lines


class _Collector:
    """Builds lines while the tree is walked; elements are entered and left in document order."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._text: list[str] = []
        self._ends_with_space = True
        self._begins_at: LexborNode | None = None
        self._offset = 0
        self._has_image = False
        self._preformatted = 0
        self._quote_header = 0

    def enter(self, node: LexborNode) -> bool:
        """Takes a node in; False if nothing below it is seen."""
        tag = node.tag or ""
        if tag == "-text":
            self._take(node)
            return False
        if tag in _UNSEEN:
            return False
        if tag == "br":
            self.end_line(even_empty=True)
            return False
        if tag == "img":
            self._has_image = True
            return False
        self._begin(tag)
        if _is_preformatted(node, tag):
            self._preformatted += 1
        if _is_quote_header(node):
            self._quote_header += 1
        return True

    def leave(self, node: LexborNode) -> None:
        """Ends what `enter` began."""
        tag = node.tag or ""
        if tag == "-text" or tag in _UNSEEN or tag in {"br", "img"}:
            return
        if tag in _BLOCKS:
            self.end_line()
            if tag in _PARAGRAPHS:
                self._part()
        if _is_preformatted(node, tag):
            self._preformatted -= 1
        if _is_quote_header(node):
            self._quote_header -= 1

    def _begin(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_line()
            if tag in _PARAGRAPHS:
                self._part()
            if tag == "li":
                self._text.append("- ")
        elif tag in {"td", "th"} and self._text:
            self._text.append("\t")
            self._ends_with_space = True

    def end_line(self, *, even_empty: bool = False) -> None:
        text = "".join(self._text).strip(" \t")
        if text or self._has_image or even_empty:
            begins_at = self._begins_at
            self.lines.append(Line(text, begins_at, self._offset, self._quote_header > 0, self._has_image))
        self._text = []
        self._ends_with_space = True
        self._begins_at = None
        self._offset = 0
        self._has_image = False

    def _part(self) -> None:
        if self.lines and (self.lines[-1].text or self.lines[-1].has_image):
            self.lines.append(Line(""))

    def _take(self, node: LexborNode) -> None:
        content = node.text_content or ""
        if not self._preformatted:
            text = _HTML_SPACE.sub(" ", content)
            self._add(text.lstrip(" ") if self._ends_with_space else text, node, 0)
            return
        offset = 0
        for number, piece in enumerate(content.split("\n")):
            if number:
                self.end_line(even_empty=True)
            self._add(piece.rstrip("\r"), node, offset)
            offset += len(piece) + 1

    def _add(self, text: str, node: LexborNode, offset: int) -> None:
        if not text:
            return
        if self._begins_at is None and text.strip():
            self._begins_at, self._offset = node, offset
        self._text.append(text)
        self._ends_with_space = text.endswith(" ")


def _is_preformatted(node: LexborNode, tag: str) -> bool:
    style = node.attrs.get("style")
    return tag == "pre" or (style is not None and _keeps_white_space(style[:_LONGEST_MARK]))


def _is_quote_header(node: LexborNode) -> bool:
    attributes = node.attrs
    class_name, identity = attributes.get("class"), attributes.get("id")
    return (class_name is not None or identity is not None) and _names_quote_header(
        f"{class_name or ''} {identity or ''}"[:_LONGEST_MARK]
    )


@lru_cache(maxsize=1024)  # a mail has few styles and classes, each hundreds of times
def _keeps_white_space(style: str) -> bool:
    return _PREFORMATTED.search(style) is not None


@lru_cache(maxsize=1024)
def _names_quote_header(marks: str) -> bool:
    return _QUOTE_HEADER.search(marks) is not None
