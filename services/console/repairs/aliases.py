"""Numbers of an earlier system (aliases) by which tickets are known too: read, checked, stored (SPEC D1)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.console.texts import N_
from shared.database.pool import Connection
from shared.errors import ImporterError
from shared.sentences import Sentence

LARGEST_FILE: Final = 64 * 1024 * 1024
"""Bytes of the largest file that is read: some three million numbers."""

_HEADINGS: Final = frozenset({"alias", "number", "old number", "old_number", "nummer", "oud nummer"})
_TWO_COLUMNS: Final = N_("two columns are expected: the old number, and its ticket's number")
_NO_TICKET: Final = N_("there is no ticket %(ticket)s")
_TAKEN: Final = N_("%(alias)s is another ticket's number already")
_NOT_FOUND: Final = N_("%(alias)s would not be found: the pattern of ticket numbers is %(pattern)s")

_LOOK_UP: Final = """
    SELECT asked.line, asked.alias, named.ticket_id AS ticket, known.ticket_id AS taken,
        is_found_as_number(asked.alias) AS is_found
    FROM unnest($1::integer[], $2::text[], $3::text[]) AS asked (line, alias, ticket)
        LEFT JOIN ticket_numbers AS named ON named.number = asked.ticket
        LEFT JOIN ticket_numbers AS known ON known.number = asked.alias
    ORDER BY asked.line"""
_ADD: Final = "INSERT INTO ticket_numbers (number, ticket_id) SELECT * FROM unnest($1::text[], $2::bigint[])"
_PATTERN: Final = "SELECT pattern FROM ticket_number_pattern"
_LIST: Final = """
    SELECT alias.number AS alias, ticket.number AS ticket, ticket.title, helpdesk.name AS helpdesk
    FROM ticket_numbers AS alias JOIN tickets AS ticket ON ticket.id = alias.ticket_id
        JOIN helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
    WHERE alias.is_alias AND ($1::text IS NULL OR alias.ticket_id = (
        SELECT ticket_id FROM ticket_numbers WHERE number = $1))
    ORDER BY ticket.id, alias.number LIMIT $2"""


class NotAliases(ImporterError):
    """The bytes are no CSV file of this kind; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Alias:
    """An old number, and the ticket that is known by it."""

    alias: str
    ticket: str
    title: str
    helpdesk: str


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in a line of the file: the old number, and a number by which its ticket is known."""

    number: int
    alias: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that cannot be taken, and why."""

    line: int
    why: Sentence


@dataclass(frozen=True, slots=True)
class Checked:
    """The lines of a file, held against the database: `new` (alias and ticket id), `known` already, and `wrong`."""

    new: tuple[tuple[str, int], ...]
    known: int
    wrong: tuple[Wrong, ...]


def read_lines(content: bytes) -> tuple[list[Line], list[Wrong]]:
    """The lines of a CSV file (UTF-8; a comma, semicolon or tab between; headings may stand on top).

    Raises NotAliases.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAliases(Sentence(N_("The file is not UTF-8 text: save it as CSV UTF-8."))) from None
    first = next(iter(text.splitlines()), "")
    separator = max(",;\t", key=first.count)
    lines: list[Line] = []
    wrong: list[Wrong] = []
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or (rows.line_num == 1 and cells[0].casefold() in _HEADINGS):
                continue
            if len(cells) != 2 or not all(cells):  # noqa: PLR2004 - the two columns of the file
                wrong.append(Wrong(rows.line_num, Sentence(_TWO_COLUMNS)))
            else:
                lines.append(Line(rows.line_num, *cells))
    except csv.Error as error:
        raise NotAliases(
            Sentence(N_("Line %(line)s is no CSV: %(why)s."), line=rows.line_num, why=str(error))
        ) from None
    return lines, wrong


async def check(connection: Connection, lines: Sequence[Line]) -> Checked:
    """Hold the lines against the tickets, the numbers that are known, and the installation's pattern."""
    pattern = await connection.fetchval(_PATTERN)
    rows = await connection.fetch(
        _LOOK_UP, [each.number for each in lines], [each.alias for each in lines], [each.ticket for each in lines]
    )
    new: dict[str, int] = {}
    known, wrong = 0, []
    for line, row in zip(lines, rows, strict=True):
        alias, ticket, taken = line.alias, row["ticket"], new.get(line.alias, row["taken"])
        if ticket is None:
            wrong.append(Wrong(line.number, Sentence(_NO_TICKET, ticket=line.ticket)))
        elif taken is not None and taken != ticket:
            wrong.append(Wrong(line.number, Sentence(_TAKEN, alias=alias)))
        elif taken is not None:
            known += 1
        elif not row["is_found"]:
            wrong.append(Wrong(line.number, Sentence(_NOT_FOUND, alias=alias, pattern=pattern)))
        else:
            new[alias] = ticket
    return Checked(tuple(new.items()), known, tuple(wrong))


async def add(connection: Connection, new: Sequence[tuple[str, int]]) -> None:
    """Store the aliases; the sequence of new numbers moves past them."""
    await connection.execute(_ADD, [alias for alias, _ in new], [ticket for _, ticket in new])


async def aliases(connection: Connection, ticket: str | None, limit: int) -> list[Alias]:
    """Aliases with their tickets: of one ticket (by any of its numbers), or of all."""
    return [Alias(**row) for row in await connection.fetch(_LIST, ticket, limit)]
