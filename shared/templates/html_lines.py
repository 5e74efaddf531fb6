"""Lines of a mail's html: those that say nothing are left out, those of plain text are kept in every mail program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

NOTHING: Final = "\x01"
"""Stands where a value is missing whose line is to go: a character that no text of a mail has (`printable`)."""

_BREAK: Final = "\x02"
_KEPT_TEXT: Final = frozenset(["pre", "pre-line", "pre-wrap", "break-spaces"])
_WHITE_SPACE: Final = re.compile(r"(?:^|;)\s*white-space\s*:\s*(?P<value>[a-z-]+)[^;]*", re.IGNORECASE)
_SEVERAL_SPACES: Final = re.compile(r" (?= )|^ |\t", re.MULTILINE)
_BLOCKS: Final = frozenset(
    [
        *("blockquote", "body", "caption", "center", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("hr", "li", "ol", "p", "pre", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    ]
)


def without_empty_lines(html: str) -> str:
    """`html` without the lines that have NOTHING in them, in text or in an attribute.

    A line reaches from one `<br>` or block element to the next. A block that has nothing left goes too, and of a table
    the row of a cell that has nothing left.
    """
    if NOTHING not in html:
        return html
    tree = LexborHTMLParser(html)
    while (body := tree.body) is not None and (empty := next(_empty(body), None)) is not None:
        _take_line(empty)
    return ((body and body.inner_html) or "").replace(NOTHING, "")


def may_keep_text(html: str) -> bool:
    """Whether a style in `html` may keep the line breaks of a text."""
    return "white-space" in html.lower()


def with_line_breaks(html: str) -> str:
    """`html` with `<br>` where `white-space: pre-wrap` and its like kept a line break: Outlook knows no such style.

    Runs of spaces stay as wide as they were. `<pre>` is left as it is: every mail program shows its lines.
    """
    if not may_keep_text(html):
        return html
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return html
    for text in [node for node in tree.body.traverse(include_text=True) if node.is_text_node and _keeps_text(node)]:
        text.replace_with(_with_breaks(text.text_content or ""))
    for styled in tree.css("[style]"):
        style = styled.attributes.get("style") or ""
        if _white_space(style) in _KEPT_TEXT:
            rest = _WHITE_SPACE.sub("", style).strip("; ")
            if rest:
                styled.attrs["style"] = rest
            else:
                del styled.attrs["style"]
    return (tree.body.inner_html or "").replace(_BREAK, "<br>\n")


def _empty(body: LexborNode) -> Iterator[LexborNode]:
    for node in body.traverse(include_text=True):
        if node.is_text_node:
            if NOTHING in (node.text_content or ""):
                yield node
        elif any(NOTHING in (value or "") for value in node.attributes.values()):
            yield node


def _take_line(node: LexborNode) -> None:
    """Remove the line that `node` stands in, and what that leaves empty."""
    while node.tag not in _BLOCKS and (parent := node.parent) is not None:
        if parent.tag in _BLOCKS or parent.css_first("br") is not None:
            break
        node = parent
    container = node.parent
    line = [] if node.tag in _BLOCKS else [*_until_break(node, forwards=False), *_until_break(node, forwards=True)]
    for each in [*line, node]:
        each.decompose()
    while container is not None and container.tag != "body" and not _says_something(container):
        emptied = container.parent if container.tag in {"td", "th"} and container.parent is not None else container
        container = emptied.parent
        emptied.decompose()


def _until_break(node: LexborNode, *, forwards: bool) -> list[LexborNode]:
    """What stands in `node`'s line on one side; forwards with the `<br>` that ends it."""
    line: list[LexborNode] = []
    beside = node.next if forwards else node.prev
    while beside is not None and beside.tag not in _BLOCKS:
        if beside.tag == "br":
            return [*line, beside] if forwards else line
        line.append(beside)
        beside = beside.next if forwards else beside.prev
    return line


def _says_something(block: LexborNode) -> bool:
    return bool(block.text(deep=True).strip()) or block.css_first("hr") is not None


def _keeps_text(text: LexborNode) -> bool:
    """Whether line breaks and spaces of `text` are shown, by the nearest element that says so; not in `<pre>`."""
    element = text.parent
    while element is not None:
        if element.tag == "pre":
            return False
        if chosen := _white_space(element.attributes.get("style") or ""):
            return chosen in _KEPT_TEXT
        element = element.parent
    return False


def _white_space(style: str) -> str:
    """The value of `white-space` that holds in `style`, the last one; '' where there is none."""
    values = [match["value"].lower() for match in _WHITE_SPACE.finditer(style)]
    return values[-1] if values else ""


def _with_breaks(text: str) -> str:
    wide = _SEVERAL_SPACES.sub(lambda match: "\xa0" * (4 if match[0] == "\t" else 1), text.replace("\r", ""))
    return wide.replace("\n", _BREAK)
