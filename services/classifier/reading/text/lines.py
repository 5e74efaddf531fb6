"""A mail's text as the lines that a reader sees, each with its place, so that it can be cut where a line begins.

Plain text gives its own lines. HTML gives them by its blocks and breaks; a line remembers the text node with which it
begins, and whether a mail client marked that place as the header of a quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
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
_LISTS: Final = frozenset({"ul", "ol"})
_HIDDEN: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt|em|"
    r"%)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
"""What mass mailers put on the «preheader», a text for the list of mails that no reader of the mail sees."""
_UNSEEN: Final = frozenset(
    {"head", "style", "script", "title", "template", "noembed", "noframes", "iframe", "object", "applet", "svg", "math",
     "textarea", "select", "audio", "video", "xml", "-comment", "!doctype"}
)  # fmt: skip
_SMALL_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_SPACES: Final = re.compile(" {2,}")
_HTML_SPACES: Final = ("\t", "\r", "\n", "\f")
"""Beside the space itself."""
_PREFORMATTED: Final = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_BLANKS: Final = " \t\r\n\f\v\ufeff\u200b"
"""With what clients put where nothing is: Apple's mark above a quote, Outlook's blank of no width."""
_LONGEST_MARK: Final = 500
"""Characters of a style or of class names that are looked at: what is remembered of them stays small."""
_QUOTE_HEADER: Final = re.compile(
    r"(?:^|[\s_])(?:gmail_attr|moz-cite-prefix|divRplyFwdMsg|OutlookMessageHeader|yahoo_quoted_header|"
    r"protonmail_quote_header|zmail_extra_header|ms-outlook-mobile-reference-message)(?:$|\s)"
)
"""What Gmail, Thunderbird, Outlook and others call the header above a quote; Outlook puts `x_` before foreign names."""
_QUOTE: Final = re.compile(
    r"(?:^|[\s_])(?:gmail_quote(?:_container)?|gmail_extra|yahoo_quoted\w{0,40}|protonmail_quote|tutanota_quote|"
    r"zmail_extra|iwcQuote|mail-editor-reference-message-container|bluemail_quote|mailbird_quote|moz-cite)(?:$|\s)"
)
"""What clients call the box that holds all of a quote."""
_REST_IS_QUOTE: Final = re.compile(
    r"(?:^|[\s_])(?:divRplyFwdMsg|appendonsend|OutlookMessageHeader|stopSpelling|zwchr|replySplit|"
    r"ms-outlook-mobile-reference-message)(?:$|\s)"
)
"""Where Outlook, Hotmail and Zimbra begin a quote, which they do not put in a box."""
_EDITORS_INDENT: Final = re.compile(
    r"margin:\s*0(?:px)?\s+0(?:px)?\s+0(?:px)?\s+40px;\s*border:\s*(?:none|0(?:px)?)\b", re.IGNORECASE
)
"""A blockquote that the editors of Gmail, Outlook on the web and others write where somebody indents a paragraph."""
_OUTLOOK_RULE: Final = re.compile(
    r"border-top:\s*solid\s+#(?:E1E1E1|B5C4DF)\s+1\.0pt;\s*padding:\s*3\.0pt", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(
    r"(?:^|[\s_])(?:gmail_signature(?:_prefix)?|moz-signature|ms-outlook-mobile-signature|protonmail_signature_block|front-signature|"
    r"yahoo-signature|ymail_android_signature|AppleMailSignature|iphone_signature|ydp\w{1,20}signature|"
    r"tutanota_signature|bloop_sign\w{0,40})(?:$|\s)"
)


class Quoted(IntEnum):
    """Whether a client marked a line as a quote: by an indented block, or by a name that it gives quotes alone."""

    NO = 0
    INDENTED = 1
    CERTAIN = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text with white space collapsed, and what a client says of it; its place is not compared."""

    text: str
    begins_at: LexborNode | None = field(default=None, compare=False)
    offset: int = field(default=0, compare=False)
    """Characters of the text node `begins_at` that belong to the line before (preformatted text)."""
    in_quote_header: bool = False
    has_image: bool = False
    quoted: Quoted = Quoted.NO
    rest_is_quoted: bool = False
    """A client marked this place as the beginning of a quote that goes on to the end."""
    in_signature: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


_BLANK: Final = Line("")


def text_lines(text: str) -> list[Line]:
    """The lines of plain text."""
    return [Line(line) for line in text.split("\n")]


def joined(lines: Sequence[Line]) -> str:
    """The text of `lines`: no more than one blank line in a row, none at the ends."""
    kept: list[str] = []
    for line in lines:
        text = line.text.replace("\xa0", " ").strip(_BLANKS)
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
        self._marks: list[_Marks] = []
        self._quote_header = self._indented = self._quoted = self._signed = 0
        self._quoted_at_begin = Quoted.NO
        self._signed_at_begin = False
        self._rest_is_quoted = False
        self._lists: list[int | None] = []
        """The number of the next item of each list that is open; None where items have none."""
        self._hidden: int | None = None
        self._boxes = 0
        """How many boxes are open that hold a quote."""
        self._split_boxes = 0
        """In how many of them, the outermost, a block of quoted lines ended."""

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
            self._begin_at(node, 0)
            return False
        attributes = node.attributes
        if attributes and tag != "body" and _is_hidden(attributes):
            self._hidden = node.mem_id
            return False
        self._begin(node, tag)
        marks = _marks_of(attributes, tag)
        self._marks.append(marks)
        if marks is not _PLAIN:
            self._count(marks, 1)
            self._boxes += marks.quoted and not marks.indented
            self._rest_is_quoted = self._rest_is_quoted or marks.rest_is_quoted
        return True

    def leave(self, node: LexborNode) -> None:
        """Ends what `enter` began."""
        tag = node.tag or ""
        if tag == "-text" or tag in _UNSEEN or tag in {"br", "img"}:
            return
        if self._hidden == node.mem_id:
            self._hidden = None
            return
        if tag in _BLOCKS:
            self.end_line()
            if tag in _LISTS and self._lists:
                self._lists.pop()
            if tag in _PARAGRAPHS and not self._lists:
                self._part()
        marks = self._marks.pop()
        if marks is _PLAIN:
            return
        self._count(marks, -1)
        if marks.quoted and not marks.indented:
            self._boxes -= 1
            self._split_boxes = min(self._split_boxes, self._boxes)
        elif marks.indented and not self._indented:
            self._split_boxes = self._boxes

    def _count(self, marks: _Marks, step: int) -> None:
        self._preformatted += step * marks.preformatted
        self._quote_header += step * marks.quote_header
        self._indented += step * marks.indented
        self._quoted += step * marks.quoted
        self._signed += step * marks.signed

    def _begin(self, node: LexborNode, tag: str) -> None:
        if tag in _BLOCKS:
            self.end_line()
            if tag in _PARAGRAPHS and not self._lists:
                self._part()
            if tag in _LISTS:
                self._lists.append(_first_number(node) if tag == "ol" else None)
            elif tag == "li":
                self._text.append(self._item_mark())
        elif tag in {"td", "th"} and self._text:
            self._text.append("\t")
            self._ends_with_space = True

    def _item_mark(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def end_line(self, *, even_empty: bool = False) -> None:
        text = "".join(self._text).strip(" \t")
        if text or self._has_image or even_empty:
            self.lines.append(
                Line(
                    text,
                    self._begins_at,
                    self._offset,
                    self._quote_header > 0,
                    self._has_image,
                    self._quoted_at_begin,
                    self._rest_is_quoted and self._begins_at is not None,
                    self._signed_at_begin,
                )
            )
            if self._begins_at is not None:
                self._rest_is_quoted = False
        self._text = []
        self._ends_with_space = True
        self._begins_at = None
        self._offset = 0
        self._has_image = False
        self._quoted_at_begin = Quoted.NO
        self._signed_at_begin = False

    def _begin_at(self, node: LexborNode, offset: int) -> None:
        """Remembers with what the line begins, and in which boxes."""
        if self._begins_at is None:
            self._begins_at, self._offset = node, offset
            self._quoted_at_begin = self._quoted_here()
            self._signed_at_begin = self._signed > 0

    def _quoted_here(self) -> Quoted:
        """QUIRK: who answers between the lines of Gmail or Proton splits the block within their box of the quote.

        What stands in the box behind a block, and in none, is no quote.
        """
        if self._quoted and (self._indented or self._split_boxes < self._boxes):
            return Quoted.CERTAIN
        return Quoted.INDENTED if self._indented else Quoted.NO

    def _part(self) -> None:
        if self.lines and (self.lines[-1].text or self.lines[-1].has_image):
            self.lines.append(_BLANK)

    def _take(self, node: LexborNode) -> None:
        content = node.text_content or ""
        if not self._preformatted:
            text = _collapsed(content)
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
        if text.strip():
            self._begin_at(node, offset)
        self._text.append(text)
        self._ends_with_space = text.endswith(" ")


@dataclass(frozen=True, slots=True)
class _Marks:
    """What an element says of the lines in it."""

    preformatted: bool = False
    quote_header: bool = False
    indented: bool = False
    quoted: bool = False
    rest_is_quoted: bool = False
    signed: bool = False


_PLAIN: Final = _Marks()
_QUOTED_BLOCK: Final = _Marks(indented=True)
_PREFORMATTED_BLOCK: Final = _Marks(preformatted=True)


def _marks_of(attributes: Mapping[str, str | None], tag: str) -> _Marks:
    if not attributes:
        return _QUOTED_BLOCK if tag == "blockquote" else _PREFORMATTED_BLOCK if tag == "pre" else _PLAIN
    style, class_name, identity = attributes.get("style"), attributes.get("class"), attributes.get("id")
    if style is None and class_name is None and identity is None and tag not in {"pre", "blockquote"}:
        return _PLAIN
    return _marks_by(tag, (style or "")[:_LONGEST_MARK], f"{class_name or ''} {identity or ''}"[:_LONGEST_MARK])


def _is_hidden(attributes: Mapping[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _hides(style[:_LONGEST_MARK]))


def _collapsed(text: str) -> str:
    """The text with one space for all white space that stands together; most texts have no other."""
    for space in _HTML_SPACES:
        text = text.replace(space, " ")
    return _SPACES.sub(" ", text) if "  " in text else text


def _first_number(node: LexborNode) -> int:
    start = node.attrs.get("start") or ""
    return int(start) if _SMALL_NUMBER.fullmatch(start) else 1


@lru_cache(maxsize=1024)
def _hides(style: str) -> bool:
    return _HIDDEN.search(style) is not None


@lru_cache(maxsize=1024)  # a mail has few styles and classes, each hundreds of times
def _marks_by(tag: str, style: str, names: str) -> _Marks:
    return _Marks(
        preformatted=tag == "pre" or _PREFORMATTED.search(style) is not None,
        quote_header=_QUOTE_HEADER.search(names) is not None,
        indented=tag == "blockquote" and _EDITORS_INDENT.search(style) is None,
        quoted=_QUOTE.search(names) is not None,
        rest_is_quoted=_REST_IS_QUOTE.search(names) is not None or _OUTLOOK_RULE.search(style) is not None,
        signed=_SIGNATURE.search(names) is not None,
    )
