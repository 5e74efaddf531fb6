"""The trimmed reading of a body: its lines that are said here, in html and in text, the same in both.

Html and text of one mail tell the same, but not equally well: a client may mark a quote in its html alone, or have
lost its quote marks there. So where one of them ends earlier, at a place that the other has too, both end there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.mime.safe_text import safe_text
from services.classifier.reading.text.header_block import bare
from services.classifier.reading.text.html_document import HtmlDocument, text_as_html
from services.classifier.reading.text.lines import Line, joined, text_lines
from services.classifier.reading.text.reply import said_lines
from shared.messages import Body

ShowHtml = Callable[[HtmlDocument, str], Body]
"""From a document and its text to a body that is safe to show."""
_MOST_LINES: Final = 10_000
"""Lines of a body that is trimmed: what has more is no answer, and reading it a second time costs as much again."""


@dataclass(frozen=True, slots=True)
class Trimming:
    """How the bodies of one mail are trimmed.

    `has_html` is False where the mail has text alone; `has_text` where it has html alone. `is_forward`: its subject
    says that it forwards another mail, which is then what it says.
    """

    has_html: bool
    has_text: bool
    is_forward: bool
    show: ShowHtml

    def of(self, document: HtmlDocument, lines: Sequence[Line], text: str) -> Body | None:
        """The body without quotes and signatures; None where there is nothing to take away."""
        if self.is_forward or len(lines) > _MOST_LINES:
            return None
        plain = text_lines(text) if self.has_text else []
        kept_plain = said_lines(plain)
        if not self.has_html:
            if all(kept_plain):
                return None
            said = _said(plain, kept_plain)
            return self.show(HtmlDocument(text_as_html(said)), said)
        kept = said_lines(lines)
        if all(kept_plain) and all(kept):
            return None
        copy = document.copy()
        copied = copy.lines()
        if copied != lines:
            kept = said_lines(copied)
        if self.has_text:
            kept, kept_plain = _ending_alike(copied, kept, plain, kept_plain)
        copy.keep(copied, kept)
        said = joined([line for line, keep in zip(copied, kept, strict=True) if keep])
        return self.show(copy, _said(plain, kept_plain) if self.has_text else safe_text(said))


def _said(lines: Sequence[Line], kept: Sequence[bool]) -> str:
    """The lines kept, as they are; where some were taken out, one blank line stays."""
    pieces: list[str] = []
    gap = False
    for line, keep in zip(lines, kept, strict=True):
        if not keep:
            gap = True
        elif not (gap and line.is_blank and pieces and not pieces[-1].strip()):
            pieces.append(line.text if bare(line.text) or line.text.lstrip().startswith(">") else "")
            gap = gap and line.is_blank
    return "\n".join(pieces).strip("\n").rstrip()


def _ending_alike(
    lines: Sequence[Line], kept: tuple[bool, ...], plain: Sequence[Line], kept_plain: tuple[bool, ...]
) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Both choices, the one that says more cut off where the other ends, if it says the same up to there."""
    rich = _characters(lines, kept)
    poor = _characters(plain, kept_plain)
    if len(poor) > len(rich) > 0 and poor.startswith(rich):
        return kept, _up_to(plain, kept_plain, len(rich))
    if len(rich) > len(poor) > 0 and rich.startswith(poor):
        return _up_to(lines, kept, len(poor)), kept_plain
    return kept, kept_plain


def _characters(lines: Sequence[Line], kept: Sequence[bool]) -> str:
    return "".join(_letters(line) for line, keep in zip(lines, kept, strict=True) if keep)


def _letters(line: Line) -> str:
    """What html and text of a line have in common: not white space, emphasis, bullets."""
    return "".join(filter(str.isalnum, line.text))


def _up_to(lines: Sequence[Line], kept: Sequence[bool], length: int) -> tuple[bool, ...]:
    """The choice without what comes after `length` letters; as it was where no line ends there."""
    seen = 0
    for index, line in enumerate(lines):
        if seen == length and _letters(line):
            return (*kept[:index], *(False for _ in kept[index:]))
        if seen > length:
            break
        seen += len(_letters(line)) if kept[index] else 0
    return tuple(kept)
