"""How the command line answers: tables for people, JSON for programs (`--json`), sentences for what was done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rich.table import Table

_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


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


def visible(text: str) -> str:
    """`text` for a terminal: of what mails, servers and files hold, no control character reaches it as such.

    Line ends and tabs stay; the others, and those that turn the direction of writing, are written as JSON does.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _readable(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        case list() | tuple():
            return "\n".join(_readable(one) for one in value)
    return visible(str(value))


def show_json(value: Any) -> None:
    """One JSON document on standard output; times in UTC (RFC 3339)."""
    typer.echo(visible(json.dumps(value, default=_plain, ensure_ascii=False, indent=2)))


def show_rows(
    title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool, hidden: frozenset[str] = frozenset()
) -> None:
    """All rows: as JSON with every field, or as a table without the `hidden` ones."""
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        typer.echo(f"There are no {title} yet.")
        return
    from rich.markup import escape  # noqa: PLC0415 - see _print
    from rich.table import Table  # noqa: PLC0415 - see _print

    table = Table(title=title, title_justify="left")
    shown = [name for name in rows[0] if name not in hidden]
    for name in shown:
        copied = any(isinstance(row[name], UUID) for row in rows)  # into the next command: it stays on one line
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=copied)
    for row in rows:
        table.add_row(*(escape(_readable(row[name])) for name in shown))
    _print(table)


def show_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    """One row, a field a line."""
    if as_json:
        show_json(dict(row))
        return
    from rich.markup import escape  # noqa: PLC0415 - see _print
    from rich.table import Table  # noqa: PLC0415 - see _print

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in row.items():
        table.add_row(name.replace("_", " "), escape(_readable(value)))
    _print(table)


def _print(table: Table) -> None:
    """Print it as wide as the terminal. Rich is loaded by who shows a table: most commands say a sentence."""
    from rich.console import Console  # noqa: PLC0415 - see above

    Console().print(table)


def done(sentence: str) -> None:
    """Say what was done."""
    typer.echo(visible(sentence))
