"""How the command line answers: tables and cards for people, JSON for programs (`--json`), sentences of what was done.

No line is wider than the terminal, and none breaks a word. Times are local; those of JSON are UTC.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from services.console import layout
from services.console.labels import label
from services.console.texts import _, said_in, texts
from shared.sentences import Sentence, said_by

_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_KNOWN_BY: Final = frozenset({"id", "name", "queue", "mail_id", "alias", "pattern", "kind", "at", "deed", "thing"})
"""Fields by which a thing of a list is known: they lead its card."""

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


@dataclass(frozen=True, slots=True)
class Card:
    """One thing of a list: what it is known by, facts beside each other, sentences (reasons) on lines of their own."""

    headline: Sequence[str]
    facts: Sequence[str] = ()
    sentences: Sequence[str] = ()


def moment(value: datetime | None) -> str:
    """A time in a list: to the minute, on the clock of this machine."""
    return "" if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M")


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return float(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def number(count: int) -> str:
    """How many, as it is written in the process's language: 2,000 or 2.000."""
    return f"{count:,}".replace(",", "." if texts().language == "nl" else ",")


def in_words(text: str) -> str:
    """What was made in English, in the process's language where it has one."""
    return said_in(texts(), text) if isinstance(text, Sentence) else text


def told_by(error: Exception) -> str:
    """What an error says, in the process's language where it was raised with a sentence."""
    return in_words(said_by(error))


def visible(text: str) -> str:
    """`text` for a terminal: of what mails, servers and files hold, no control character reaches it as such.

    Line ends and tabs stay; the others, and those that turn the direction of writing, are written as JSON does.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def readable(value: Any) -> str:
    """A value for people: times on the clock of this machine, nothing for what is not there."""
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        case list() | tuple():
            return "\n".join(readable(one) for one in value)
    return visible(in_words(value) if isinstance(value, str) else str(value))


def show_json(value: Any) -> None:
    """One JSON document on standard output; times in UTC (RFC 3339)."""
    typer.echo(visible(json.dumps(value, default=_plain, ensure_ascii=False, indent=2)))


def show_rows(
    title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool, hidden: frozenset[str] = frozenset()
) -> None:
    """All rows: as JSON with every field, or without the `hidden` ones as a table; where it is too wide, as cards.

    `title` says what they are, in the process's language.
    """
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        _say_empty(title)
        return
    names = [name for name in rows[0] if name not in hidden]
    cells = [[readable(row[name]) for name in names] for row in rows]
    width = terminal_width()
    told = [column for column in range(len(names)) if any(row[column] for row in cells)]
    names, cells = [names[column] for column in told], [[row[column] for column in told] for row in cells]
    _print([_capital(title)])
    if (lines := layout.table([label(name) for name in names], cells, width)) is not None:
        _print(lines)
        return
    for row in cells:
        filled = [(name, cell.replace("\n", ", ")) for name, cell in zip(names, row, strict=True) if cell]
        headline = [cell for name, cell in filled if name in _KNOWN_BY]
        facts = [f"{label(name)}: {cell}" for name, cell in filled if name not in _KNOWN_BY]
        _print(layout.card(headline or facts[:1], facts if headline else facts[1:], (), width))


def show_cards(title: str, cards: Sequence[Card]) -> None:
    """A list for people: each thing with its headline, its facts and sentences."""
    if not cards:
        _say_empty(title)
    for card in cards:
        _print(layout.card(card.headline, card.facts, card.sentences, terminal_width()))


def show_one(row: Mapping[str, Any], *, as_json: bool, without_empty: bool = False) -> None:
    """One row, a field a line; `without_empty`: only those that hold something."""
    if as_json:
        show_json(dict(row))
        return
    facts = [(label(name), readable(value)) for name, value in row.items()]
    _print(layout.labelled([fact for fact in facts if fact[1] or not without_empty], terminal_width()))


def _say_empty(title: str) -> None:
    typer.echo(_("There are no %(things)s yet.") % {"things": title})


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def terminal_width() -> int:
    """Columns of the terminal, or of COLUMNS; 80 where there is none."""
    return shutil.get_terminal_size().columns


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def done(sentence: str) -> None:
    """Say what was done."""
    typer.echo(visible(sentence))
