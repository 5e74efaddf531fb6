"""How text stands on a terminal: lines no wider than it, broken between words alone. Pure.

Widths are columns of a terminal: a letter of Chinese takes two, an accent on its own none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, chop_cells

BETWEEN: Final = "  "
"""What stands between the columns of a table and the parts of a headline."""
_WIDEST_LABEL: Final = 24


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of `text`, each at most `width` columns with its `indent`; its own line ends stay.

    A word is cut only where it is wider than a whole line, such as a long address of a page.
    """
    room = max(width - len(indent), 1)
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and cell_len(line) + 1 + cell_len(word) <= room:
                line = f"{line} {word}"
                continue
            if line:
                lines.append(line)
            *full, line = chop_cells(word, room)
            lines += full
        lines.append(line)
    return [f"{indent}{line}".rstrip() for line in lines]


def flowed(parts: Sequence[str], width: int, between: str, indent: str) -> list[str]:
    """Parts side by side with `between`; one that does not fit begins a line, and is wrapped if that is too short."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + cell_len(between) + cell_len(part) <= width and "\n" not in part:
            lines[-1] = f"{lines[-1]}{between}{part}"
        else:
            lines += wrapped(part, width, indent if lines else "")
    return lines


def card(headline: Sequence[str], facts: Sequence[str], sentences: Sequence[str], width: int) -> list[str]:
    """One thing of a list: its headline, below it facts side by side, and sentences of their own."""
    lines = flowed([part for part in headline if part], width, BETWEEN, "  ")
    lines += [f"  {line}" for line in flowed([fact for fact in facts if fact], width - 2, " · ", "")]
    for sentence in sentences:
        lines += wrapped(sentence, width, "  ")
    return lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str] | None:
    """Rows below a head, each column as wide as its widest cell; None where that is wider than `width`."""
    if any("\n" in cell for row in rows for cell in row):
        return None
    widths = [max(cell_len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    if sum(widths) + len(BETWEEN) * (len(widths) - 1) > width:
        return None
    return [
        BETWEEN.join(cell + " " * (wide - cell_len(cell)) for cell, wide in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def labelled(facts: Sequence[tuple[str, str]], width: int) -> list[str]:
    """A label and its value a line, the values below each other; a long label stands above its value."""
    if not facts:
        return []
    most = min(_WIDEST_LABEL, width // 3)
    column = max((cell_len(label) for label, _ in facts if cell_len(label) <= most), default=2) + 2
    lines: list[str] = []
    for label, value in facts:
        first, *rest = wrapped(value, width, " " * column)
        if cell_len(label) <= most:
            lines += [f"{label}{first[cell_len(label) :]}" if value else label, *rest]
        else:
            lines += [*wrapped(label, width), first, *rest]
    return lines
