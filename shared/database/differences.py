"""What of the database's objects is not as the newest revision made them: each difference a sentence and a statement.

What a database's administrator may rightly add is no difference: tables, columns that may be left empty, views,
functions, triggers, indexes that are not unique. What of his may refuse or change what the importer writes is told, for
him to judge; so is an index that an interrupted CREATE INDEX CONCURRENTLY left, which is written and never read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from shared.database.grants import expected_grants
from shared.database.objects import Kind, Living, Object, State, expected_objects, living
from shared.database.pool import Connection
from shared.database.roles import ROLES
from shared.sentences import Sentence

_WORDS: Final = {
    Kind.TABLE: Sentence("table"),
    Kind.SEQUENCE: Sentence("sequence"),
    Kind.COLUMN: Sentence("column"),
    Kind.COMPUTED: Sentence("computed column"),
    Kind.IDENTITY: Sentence("identity column"),
    Kind.DEFAULT: Sentence("default"),
    Kind.NOT_NULL: Sentence("NOT NULL"),
    Kind.FUNCTION: Sentence("function"),
    Kind.CONSTRAINT: Sentence("constraint"),
    Kind.INDEX: Sentence("index"),
    Kind.VIEW: Sentence("view"),
    Kind.TRIGGER: Sentence("trigger"),
}
_OF_A_COLUMN: Final = frozenset({Kind.COMPUTED, Kind.IDENTITY, Kind.DEFAULT, Kind.NOT_NULL})
_SERVICES: Final = frozenset({"importer_fetcher", "importer_classifier", "importer_ticket_writer", "importer_notifier"})
"""Roles that write without a person who would see it refused."""
_SAID_WHOLE: Final = 240
"""A longer statement is not for a sentence."""
_NOT_VALID: Final = " NOT VALID"
"""Some constraints of ours bind only what is written from their migration on."""

_MAY_ASK_SEQUENCES: Final = "SELECT has_function_privilege(to_regprocedure('helpdesk.sequences_behind()'), 'EXECUTE')"
_SEQUENCES_BEHIND: Final = "SELECT sequence, of_table, taken FROM helpdesk.sequences_behind()"

Objects: TypeAlias = Mapping[tuple[Kind, str], Object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what is wrong and what to do, and the statement that does it, where one can."""

    sentence: str
    statement: str
    """For importer_owner; it brings back what is ours, or is empty."""
    is_grave: bool
    """Whether mail may be refused, doubled, or told to nobody; else things are slow, or for a person to judge."""
    by_superuser: bool = False
    """Whether a superuser alone may run the statement."""


GUARDS: Final = frozenset({Kind.TABLE, Kind.CONSTRAINT, Kind.INDEX, Kind.TRIGGER})
"""What keeps mail from being doubled or forgotten: what has it that they do not, nothing else would notice."""


async def differences_of(connection: Connection, kinds: Iterable[Kind] = Kind) -> list[Difference]:
    """Those of the database at the other end, which is at the revision of the frozen list."""
    kinds = frozenset(kinds)
    expected = {key: each for key, each in expected_objects().items() if each.kind in kinds}
    behind = []
    if await connection.fetchval(_MAY_ASK_SEQUENCES):  # else that is among the differences, or the rights that are gone
        behind = [_behind(**row) for row in await connection.fetch(_SEQUENCES_BEHIND)]
    return [*differences(expected, await living(connection, ROLES, kinds)), *behind]


def differences(expected: Objects, living: Living) -> list[Difference]:
    """Each of them, in the order in which their statements can be run."""
    there = {(each.kind, each.name): each for each in living.objects}
    missing = [each for key, each in expected.items() if key not in there and not _falls_with_another(each, there)]
    beyond = [each for key, each in there.items() if key not in expected]
    renamed = dict(_renamed(missing, beyond))
    found = [
        (each.kind, _called(each, renamed[each]) if each in renamed else _gone(each, expected)) for each in missing
    ]
    for key, ours in expected.items():
        if key in there:
            found += [(ours.kind, difference) for difference in _of_one(ours, there[key], expected)]
    order = list(Kind)
    found.sort(key=lambda one: order.index(one[0]))
    taken = set(renamed.values())
    return [
        *(difference for _, difference in found),
        *_switched_off(expected, living),
        *map(_silenced, living.silenced),
        *(told for each in beyond if each not in taken for told in _beyond(each, there, expected)),
    ]


def _falls_with_another(ours: Object, there: Objects) -> bool:
    """Whether what it belongs to is gone, which is told instead."""
    if ours.parent and (Kind.TABLE, ours.parent) not in there:
        return True
    return ours.kind in _OF_A_COLUMN and (Kind.COLUMN, ours.name) not in there


def _renamed(missing: Iterable[Object], beyond: Iterable[Object]) -> Iterator[tuple[Object, Object]]:
    """What is ours but for its name, and what it is called."""
    candidates = {(each.kind, each.parent, _nameless(each)): each for each in beyond if each.parent}
    for ours in missing:
        other = candidates.get((ours.kind, ours.parent, _nameless(ours)))
        if ours.kind in {Kind.INDEX, Kind.CONSTRAINT, Kind.TRIGGER} and other is not None:
            yield ours, other


def _nameless(each: Object) -> str:
    return each.definition.replace(f" {each.own_name} ", " ? ", 1)


def _compared(each: Object) -> str:
    """Its definition without what is told apart, and what versions of PostgreSQL word each in their own way."""
    match each.kind:
        case Kind.CONSTRAINT:
            return each.definition.removesuffix(_NOT_VALID)
        case Kind.VIEW:  # white space, and tables before their columns
            return re.sub(r"\b[a-z_]\w*\.", "", " ".join(each.definition.split()))
        case _:
            return each.definition


def _of_one(ours: Object, theirs: Object, expected: Objects) -> Iterator[Difference]:
    """What differs of an object that is there; that it is off is told for all of its table."""
    if _compared(theirs) != _compared(ours):
        statement = _made_anew(ours, theirs, expected)
        yield Difference(
            Sentence(
                "%(name)s (%(kind)s) is not what it was made to be: %(cure)s",
                name=ours.name,
                kind=_WORDS[ours.kind],
                cure=_cure(statement),
            ),
            statement,
            _is_needed(ours),
        )
    elif theirs.state is State.INVALID:
        statement = f"REINDEX INDEX CONCURRENTLY {ours.name}"
        yield Difference(
            Sentence(
                "%(name)s (%(kind)s) was not built to its end, and nothing is found by it: %(cure)s",
                name=ours.name,
                kind=_WORDS[ours.kind],
                cure=_cure(statement),
            ),
            statement,
            _is_needed(ours),
        )
    elif theirs.definition.endswith(_NOT_VALID) and not ours.definition.endswith(_NOT_VALID):
        statement = f"ALTER TABLE {ours.parent} VALIDATE CONSTRAINT {ours.own_name}"
        yield Difference(
            Sentence(
                "%(name)s (%(kind)s) was never held against the rows that were there before it: %(cure)s",
                name=ours.name,
                kind=_WORDS[ours.kind],
                cure=_cure(statement),
            ),
            statement,
            is_grave=False,
        )


def _gone(ours: Object, expected: Objects) -> Difference:
    statement = _made(ours, expected)
    values = {"name": ours.name, "kind": _WORDS[ours.kind], "cure": _cure(statement)}
    said = (
        Sentence("%(name)s (%(kind)s) is gone, with what it held: %(cure)s", **values)
        if ours.kind is Kind.COLUMN
        else Sentence("%(name)s (%(kind)s) is gone: %(cure)s", **values)
    )
    return Difference(said, statement, _is_needed(ours))


def _called(ours: Object, theirs: Object) -> Difference:
    match ours.kind:
        case Kind.INDEX:
            statement = f"ALTER INDEX {theirs.name} RENAME TO {ours.own_name}"
        case Kind.TRIGGER:
            statement = f"ALTER TRIGGER {theirs.own_name} ON {ours.parent} RENAME TO {ours.own_name}"
        case _:
            statement = f"ALTER TABLE {ours.parent} RENAME CONSTRAINT {theirs.own_name} TO {ours.own_name}"
    return Difference(
        Sentence(
            "%(name)s (%(kind)s) is called %(other)s: %(cure)s",
            name=ours.name,
            kind=_WORDS[ours.kind],
            other=theirs.own_name,
            cure=_cure(statement),
        ),
        statement,
        is_grave=ours.kind is not Kind.INDEX,  # statements name constraints, and triggers fire in the order of names
    )


def _switched_off(expected: Objects, living: Living) -> Iterator[Difference]:
    """Triggers of ours that do not fire, table by table."""
    off: defaultdict[str, list[str]] = defaultdict(list)
    for each in living.objects:
        if each.state is State.OFF and (each.kind, each.name) in expected:
            off[each.parent].append(each.own_name)
    for table in sorted({*off, *living.foreign_keys_off}):
        names = sorted(off[table])
        if table in living.foreign_keys_off:
            statement = f"ALTER TABLE {table} ENABLE TRIGGER ALL"
            said = Sentence(
                "%(table)s has its triggers switched off, those of its foreign keys too; as a superuser: %(cure)s",
                table=table,
                cure=_cure(statement),
            )
        else:
            statement = f"ALTER TABLE {table} " + ", ".join(f"ENABLE TRIGGER {name}" for name in names)
            said = Sentence(
                "%(table)s has triggers switched off (%(names)s): %(cure)s",
                table=table,
                names=", ".join(names),
                cure=_cure(statement),
            )
        yield Difference(said, statement, is_grave=True, by_superuser=table in living.foreign_keys_off)


def _silenced(what: str) -> Difference:
    statement = f"ALTER {what} RESET session_replication_role"
    if what == "SYSTEM":
        statement += "; SELECT pg_reload_conf()"
    said = Sentence(
        "session_replication_role is replica for %(what)s, so that no trigger fires and no foreign key holds. As a "
        "superuser, and start the services again: %(cure)s",
        what=what,
        cure=_cure(statement),
    )
    return Difference(said, statement, is_grave=True, by_superuser=True)


def _behind(sequence: str, of_table: str, taken: int) -> Difference:
    """Where people alone write rows, these may have numbers of their own, and who is refused sees it himself."""
    statement = f"SELECT setval('{sequence}', {taken})"
    said = Sentence(
        "%(name)s (%(kind)s) gives numbers that are taken, so that rows without one of their own are refused: %(cure)s",
        name=sequence,
        kind=_WORDS[Kind.SEQUENCE],
        cure=_cure(statement),
    )
    writers = _who_inserts()[of_table]
    return Difference(said, statement, is_grave=not writers or bool(writers & _SERVICES))


@cache
def _who_inserts() -> Mapping[str, set[str]]:
    """By table, the roles that may insert rows; none where functions of the schema alone do."""
    writers: defaultdict[str, set[str]] = defaultdict(set)
    for grant in expected_grants():
        role, right, kind, name = grant.split(" ", 3)
        if right == "INSERT":
            writers[name if kind == "table" else name.rpartition(".")[0]].add(role)
    return writers


def _beyond(theirs: Object, there: Objects, expected: Objects) -> Iterator[Difference]:
    """What is not ours, where it may refuse or change what we write."""
    if (Kind.TABLE, theirs.parent) not in expected:
        return
    if theirs.kind is Kind.INDEX and theirs.state is State.INVALID:
        said = Sentence(
            "%(name)s (%(kind)s) was not built to its end, and is written for nothing: %(cure)s",
            name=theirs.name,
            kind=_WORDS[theirs.kind],
            cure=_cure(f"DROP INDEX CONCURRENTLY {theirs.name}"),
        )
    elif statement := _taken_away(theirs, there, expected):
        said = Sentence(
            "%(name)s (%(kind)s) is none of ours and may refuse or change what the importer writes; unless it is "
            "meant: %(cure)s",
            name=theirs.name,
            kind=_WORDS[theirs.kind],
            cure=_cure(statement),
        )
    else:
        return
    yield Difference(said, "", is_grave=False)


def _taken_away(theirs: Object, there: Objects, expected: Objects) -> str:
    """The statement that takes away what may be in our way; empty where it is not."""
    column = f"ALTER TABLE {theirs.parent} ALTER COLUMN {theirs.own_name}"
    match theirs.kind:
        case Kind.INDEX if theirs.definition.startswith("CREATE UNIQUE "):
            return f"DROP INDEX CONCURRENTLY {theirs.name}"
        case Kind.CONSTRAINT:
            return f"ALTER TABLE {theirs.parent} DROP CONSTRAINT {theirs.own_name}"
        case Kind.DEFAULT if (Kind.COLUMN, theirs.name) in expected:
            return f"{column} DROP DEFAULT"
        case Kind.NOT_NULL if not any(
            (kind, theirs.name) in there for kind in (Kind.DEFAULT, Kind.IDENTITY, Kind.COMPUTED)
        ):
            return f"{column} DROP NOT NULL"
        case _:
            return ""


def _is_needed(ours: Object) -> bool:
    """Whether more than speed is at stake."""
    return ours.kind is not Kind.INDEX or ours.definition.startswith("CREATE UNIQUE ")


def _made(ours: Object, expected: Objects) -> str:
    """The statement that makes it; empty for a table, whose rows no statement brings back."""
    table = f"ALTER TABLE {ours.parent}"
    column = f"{table} ALTER COLUMN {ours.own_name}"
    statement = ours.definition  # of a view, a function, a trigger
    match ours.kind:
        case Kind.TABLE:
            statement = ""
        case Kind.SEQUENCE:
            statement = f"CREATE SEQUENCE {ours.name} {ours.definition}"
        case Kind.COLUMN:
            statement = f"{table} ADD COLUMN {_column(ours, expected)}"
        case Kind.COMPUTED:
            whole = _column(expected[Kind.COLUMN, ours.name], expected)
            statement = f"{table} DROP COLUMN {ours.own_name}, ADD COLUMN {whole}"
        case Kind.IDENTITY:
            statement = f"{column} ADD GENERATED {ours.definition} AS IDENTITY"
        case Kind.DEFAULT:
            statement = f"{column} SET DEFAULT {ours.definition}"
        case Kind.NOT_NULL:
            statement = f"{column} SET NOT NULL"
        case Kind.CONSTRAINT:
            statement = f"{table} ADD CONSTRAINT {ours.own_name} {ours.definition}"
        case Kind.INDEX:
            statement = ours.definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    return statement


def _column(ours: Object, expected: Objects) -> str:
    """A column as a table has it."""
    said = f"{ours.own_name} {ours.definition}"
    if computed := expected.get((Kind.COMPUTED, ours.name)):
        said += f" GENERATED ALWAYS AS ({computed.definition}) STORED"
    if identity := expected.get((Kind.IDENTITY, ours.name)):
        said += f" GENERATED {identity.definition} AS IDENTITY"
    if fallback := expected.get((Kind.DEFAULT, ours.name)):
        said += f" DEFAULT {fallback.definition}"
    return f"{said} NOT NULL" if (Kind.NOT_NULL, ours.name) in expected else said


def _made_anew(ours: Object, theirs: Object, expected: Objects) -> str:
    """The statement that makes of what is there what it was."""
    table, name = f"ALTER TABLE {ours.parent}", ours.own_name
    match ours.kind:
        case Kind.TABLE:
            wrong = {"unlogged": "SET LOGGED", "row level security": "DISABLE ROW LEVEL SECURITY"}
            statement = f"ALTER TABLE {ours.name} " + ", ".join(wrong[each] for each in theirs.definition.split(", "))
        case Kind.SEQUENCE:
            statement = f"ALTER SEQUENCE {ours.name} {ours.definition}"
        case Kind.COLUMN:
            statement = f"{table} ALTER COLUMN {name} TYPE {ours.definition}"
        case Kind.IDENTITY:
            statement = f"{table} ALTER COLUMN {name} SET GENERATED {ours.definition}"
        case Kind.CONSTRAINT:
            statement = f"{table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {ours.definition}"
        case Kind.INDEX:
            statement = f"DROP INDEX {ours.name}; {ours.definition}"
        case Kind.TRIGGER:
            statement = f"DROP TRIGGER {name} ON {ours.parent}; {ours.definition}"
        case _:
            statement = _made(ours, expected)
    return statement


def _cure(statement: str) -> str:
    """What to do, as the end of a sentence."""
    if not statement:
        return Sentence("restore it from a backup, with what it held.")
    if len(statement) > _SAID_WHOLE or "\n" in statement:
        return Sentence("helpdesk-importer doctor --sql prints the statement.")
    return f"{statement};"
