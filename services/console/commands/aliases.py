"""`aliases`: numbers of an earlier system by which tickets are known too (SPEC D1)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.commands.signatures import group
from services.console.fields import BadValue
from services.console.output import Json, done, in_words, number, show_json, show_rows
from services.console.repairs import aliases
from services.console.repairs.aliases import LARGEST_FILE, Line, Wrong
from services.console.session import with_database
from services.console.texts import _, ngettext
from shared.database.pool import Connection

_SHOWN: Final = 20
"""Wrong lines that are named, of however many."""


def import_aliases(
    file: Annotated[str, typer.Argument(help="a CSV file: the old number, and a number of its ticket; - reads stdin")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only check the file, and store nothing")] = False,
    as_json: Json = False,
) -> None:
    """Take in the old numbers of tickets from a CSV file (UTF-8): all of them, or none where a line is wrong.

    A line is the old number and a number by which its ticket is known, with a comma, semicolon or tab between. What is
    known already is passed over, so that a file can be taken in again.
    """
    lines, wrong = aliases.read_lines(_content(file))

    async def work(connection: Connection) -> None:
        checked = await aliases.check(connection, lines)
        refused = sorted([*wrong, *checked.wrong], key=lambda each: each.line)
        if not refused and not dry_run:
            await aliases.add(connection, checked.new)
        if as_json:
            show_json(
                {
                    "new": len(checked.new),
                    "known": checked.known,
                    "wrong": [asdict(each) for each in refused],
                    "stored": not refused and not dry_run,
                }
            )
        if refused:
            raise BadValue(_refusal(refused))
        if not as_json:
            if dry_run:
                sentence = _("%(new)s old numbers would be added, %(known)s known already.")
            else:
                sentence = _("%(new)s old numbers added, %(known)s known already.")
            done(sentence % {"new": len(checked.new), "known": checked.known})

    with_database(work)


def add(
    alias: Annotated[str, typer.Argument(help="the old number")],
    ticket: Annotated[str, typer.Argument(help="a number by which the ticket is known")],
) -> None:
    """Add one old number of a ticket."""

    async def work(connection: Connection) -> None:
        checked = await aliases.check(connection, [Line(1, alias.strip(), ticket.strip())])
        if checked.wrong:
            raise BadValue(_("Not added: %(why)s.") % {"why": in_words(checked.wrong[0].why)})
        await aliases.add(connection, checked.new)
        done(_("Ticket %(ticket)s is known by %(alias)s too.") % {"ticket": ticket, "alias": alias})

    with_database(work)


def list_aliases(
    ticket: Annotated[str | None, typer.Option(help="only those of this ticket")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="at most so many")] = 200,
    *,
    as_json: Json = False,
) -> None:
    """List old numbers with their tickets."""

    async def work(connection: Connection) -> None:
        listed = await aliases.aliases(connection, ticket, limit)
        show_rows(_("aliases"), [asdict(one) for one in listed], as_json=as_json)

    with_database(work)


def _content(file: str) -> bytes:
    if file == "-":
        content = sys.stdin.buffer.read(LARGEST_FILE + 1)
    else:
        try:
            with Path(file).open("rb") as opened:
                content = opened.read(LARGEST_FILE + 1)
        except OSError as error:
            told = {"file": file, "why": error.strerror}
            raise BadValue(_("The file %(file)s cannot be read (%(why)s).") % told) from None
    if len(content) > LARGEST_FILE:
        sentence = _("The file is larger than %(size)s MiB: take it in in parts.")
        raise BadValue(sentence % {"size": LARGEST_FILE // 1024**2})
    return content


def _refusal(wrong: list[Wrong]) -> str:
    named = [_("Line %(line)s: %(why)s.") % {"line": each.line, "why": in_words(each.why)} for each in wrong[:_SHOWN]]
    if (more := len(wrong) - _SHOWN) > 0:
        named.append(
            ngettext("… and %(count)s line more.", "… and %(count)s lines more.", more) % {"count": number(more)}
        )
    return "\n".join([*named, _("Nothing is stored.")])


COMMANDS: Final = {
    "aliases": group(
        "aliases",
        "Numbers of an earlier system by which tickets are known too.",
        {"import": import_aliases, "add": add, "list": list_aliases},
    )
}
