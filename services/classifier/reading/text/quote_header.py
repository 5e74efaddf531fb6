"""The header block that a mail client writes straight above what it quotes; it belongs to the quote (SPEC D16).

Three shapes: an attribution («Op … schreef …:», "On … wrote:"), a block of header lines («Van: … Verzonden: …») with
the rule or the words above it («-----Oorspronkelijk bericht-----»), and whatever the client itself marked as such in
its html. Each is looked for upwards from the first line of the quote, over blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.classifier.reading.text.attribution import attribution_begin
from services.classifier.reading.text.header_block import header_block_at, separator
from services.classifier.reading.text.lines import Line

_LINE_START: Final = re.compile(r"^[>|\s\u200b\ufeff]+")
_RULED: Final = re.compile(r"^[\s>|*]*+(?:[-_=]{4,}+|-{5,}+[^\n]{0,60}?(?<!-)-{5,}+)[\s*]*+$")
"""A rule, or a separator in a language that is not known here; «=== einde log ===» a person may write."""
_MOST_HEADER_LINES: Final = 24
_LONGEST_RULE: Final = 200
_MOST_STEPS: Final = 20
"""Headers, separators and rules that may stand above each other: each step upwards costs a look at a block."""


def quote_begins_at(lines: Sequence[Line], first_quoted: int) -> int:
    """The line at which the quote that reaches `first_quoted` begins, its header block included."""
    texts = [line.text for line in lines[:first_quoted]]
    begin = first_quoted
    is_attributed = False
    for _ in range(_MOST_STEPS):
        above = _above_blank(lines, begin)
        if above < 0:
            return begin
        start = _marked(lines, above)
        if start is None:
            start = _header_block(texts, above + 1)
        if start is None:
            start = attribution_begin(texts, above + 1, above_quote=not is_attributed)
            is_attributed = is_attributed or start is not None
        if start is None:
            if begin == first_quoted or not (_RULED.match(texts[above][:_LONGEST_RULE]) or separator(texts[above])):
                return begin
            start = above
        begin = start
    return begin


def _above_blank(lines: Sequence[Line], index: int) -> int:
    """The last line above `index` with something on it; -1 where there is none. An image is something."""
    above = index - 1
    while above >= 0 and not _LINE_START.sub("", lines[above].text) and not lines[above].has_image:
        above -= 1
    return above


def _marked(lines: Sequence[Line], last: int) -> int | None:
    start = last
    while start >= 0 and lines[start].in_quote_header:
        start -= 1
    return start + 1 if start < last else None


def _header_block(texts: Sequence[str], end: int) -> int | None:
    """The first line of the block of header lines that ends before line `end`; of several the longest."""
    least = max(0, end - _MOST_HEADER_LINES)
    return next(
        (begin for begin in range(least, end) if (block := header_block_at(texts, begin)) and block.end == end), None
    )
