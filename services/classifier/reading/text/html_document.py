"""A mail's html as a tree (lexbor): its images put in place, its lines read, cut where the quote begins.

The tree is work in progress, not a value: it is made from text, and every result is text again. What is shown is
always `sanitise`d afterwards.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.classifier.reading.text.lines import Line, html_lines

_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,40})")
_PIECE: Final = re.compile(r"<(?:[A-Za-z!?]|/(?:p|br)\b)|\n", re.IGNORECASE)
_NEVER_NESTS: Final = frozenset(
    """area base br col colgroup dd dt embed hr img input li link meta option p param rp rt source tbody td tfoot th
    thead tr track wbr""".split()  # noqa: SIM905 - a list of words
)

_OPENS: Final = re.compile(r"<[A-Za-z][^\s/>]*+")
_ATTRIBUTE: Final = re.compile(r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+""")
_MANY_ATTRIBUTES: Final = 200
_ROOT: Final = re.compile(r"<(?:html|body)\b", re.IGNORECASE)
_MOST_ROOTS: Final = 50

FindImage = Callable[[str], str | None]
"""From the `src` of an image to what it becomes (`attachment:<id>`), None where the image is not kept."""


class HtmlDocument:
    """One html body, however broken: the parser always makes a tree of it (WHATWG HTML 13.2)."""

    def __init__(self, source: str) -> None:
        self._parser = LexborHTMLParser(source)

    @property
    def _body(self) -> LexborNode | None:
        return self._parser.body

    def place_images(self, find: FindImage) -> None:
        """Gives each image its stored source; one that is not kept becomes its description, or goes."""
        for image in self._parser.css("img"):
            attributes = image.attrs
            source = (attributes.get("src") or "").strip()
            stored = find(source) if source else None
            if stored is not None:
                attributes["src"] = stored
                continue
            described = (attributes.get("alt") or "").strip()
            if described:
                image.replace_with(described)
            else:
                image.decompose()

    def lines(self) -> list[Line]:
        """What a reader sees, line by line."""
        return html_lines(self._body) if self._body is not None else []

    def html(self) -> str:
        """What stands in the body, as html: spelled as the sanitiser spells it, which then needs one pass."""
        return self._body.inner_html or "" if self._body is not None else ""

    def copy(self) -> HtmlDocument:
        """The same tree once more."""
        return HtmlDocument(self._body.html or "" if self._body is not None else "")

    def cut(self, line: Line) -> None:
        """Removes everything from the beginning of `line`, and the empty boxes and rules left above it."""
        node = line.begins_at
        if node is None or self._body is None:
            return
        top = self._body.mem_id
        kept = (node.text_content or "")[: line.offset].rstrip()
        above: LexborNode | None = node
        while above is not None and above.mem_id != top:
            while above.next is not None:
                above.next.decompose()
            above = above.parent
        parent = node.parent
        if kept:
            node.replace_with(kept)
        else:
            node.decompose()
            if parent is not None:
                self._prune(parent)

    def keep(self, lines: Sequence[Line], kept: Sequence[bool]) -> None:
        """Removes the lines that are not `kept`, from the last to the first; `lines` are the document's own.

        Those in the midst of preformatted text stay, since its lines are one text.
        """
        end = len(lines)
        while end and (not kept[end - 1] or lines[end - 1].begins_at is None):
            end -= 1
        tail = next((line for line in lines[end:] if line.begins_at is not None), None)
        if tail is not None:
            self.cut(tail)
            if tail.offset:  # the text in which lines above begin is another one now
                lines = self.lines()
        after: Line | None = None
        first: Line | None = None
        for index in range(min(end, len(lines)) - 1, -1, -1):
            line = lines[index]
            if line.begins_at is None:
                continue
            if kept[index]:
                self._remove(first, after)
                first, after = None, line
            else:
                first = line
        self._remove(first, after)

    def _remove(self, first: Line | None, after: Line | None) -> None:
        """Removes what stands from the beginning of `first` up to that of `after`."""
        if first is None or after is None or first.offset or after.offset:
            return
        node, target = first.begins_at, after.begins_at
        if node is None or target is None:
            return
        around = set()
        above: LexborNode | None = target
        while above is not None:
            around.add(above.mem_id)
            above = above.parent
        current: LexborNode | None = node
        while current is not None and current.mem_id != target.mem_id:
            if current.mem_id in around:
                current = current.first_child
                continue
            following, parent = current.next, current.parent
            current.decompose()
            while following is None and parent is not None and parent.mem_id not in around:
                emptied = parent
                following, parent = emptied.next, emptied.parent
                if _is_empty(emptied):
                    emptied.decompose()
            current = following

    def _prune(self, node: LexborNode) -> None:
        """Removes trailing blanks, breaks and rules in `node`, and upwards each element that this leaves empty."""
        top = self._body.mem_id if self._body is not None else 0
        current: LexborNode | None = node
        while current is not None:
            last = current.last_child
            while last is not None and _is_empty(last):
                last.decompose()
                last = current.last_child
            if last is not None or current.mem_id == top:
                return
            parent = current.parent
            current.decompose()
            current = parent


def _is_empty(node: LexborNode) -> bool:
    tag = node.tag or ""
    if tag == "-text":
        return not (node.text_content or "").replace("\xa0", " ").strip()
    if tag in {"br", "hr", "-comment"}:
        return True
    return not (node.text(deep=True) or "").replace("\xa0", " ").strip() and node.css_first("img") is None


def end_of_pieces(source: str, most: int) -> int:
    """Where the first `most` elements and lines of a source end."""
    following = next(islice(_PIECE.finditer(source), most, None), None)
    return len(source) if following is None else following.start()


def has_many_attributes(source: str) -> bool:
    """Whether an element has 200 attributes or more, or might get them from other tags of its name.

    HTML parsers compare each with all before it: a megabyte of them takes minutes. Where a tag stands within a value of
    another, or within a comment, both readings count; they soon go on at the same place, from which on attributes are
    counted once.
    """
    behind: dict[int, int] = {}  # from where an attribute may begin to how many follow there
    for opened in _OPENS.finditer(source):
        if source[opened.end() : opened.end() + 1] == ">":
            continue  # most have none
        places = [opened.end()]
        while places[-1] not in behind and (attribute := _ATTRIBUTE.match(source, places[-1])) is not None:
            places.append(attribute.end())
        known = behind.setdefault(places.pop(), 0)
        behind.update((place, known + number) for number, place in enumerate(reversed(places), 1))
        if known + len(places) >= _MANY_ATTRIBUTES:
            return True
    return len(_ROOT.findall(source)) > _MOST_ROOTS


def nesting(source: str) -> int:
    """How deep elements stand within elements, at a guess: those that HTML closes by itself are not counted.

    QUIRK: `<div/>` opens an element in HTML, whatever its slash says in XML.
    """
    depth = deepest = 0
    for found in _TAG.finditer(source):
        if found[2].lower() in _NEVER_NESTS:
            continue
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def text_as_html(text: str) -> str:
    """Plain text as html that shows it as it is."""
    return f'<div style="white-space: pre-wrap">{entities.escape(text, quote=False)}</div>' if text.strip() else ""
