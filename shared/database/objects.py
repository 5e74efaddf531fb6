"""The database's objects as its newest revision makes them: the frozen list, and the living catalogue read alike.

    python -m shared.database.frozen postgresql://…        writes the list anew, of a database just migrated

Names and definitions are whole (schema-qualified), so that they are statements too, and are those that PostgreSQL 15 to
17 give alike; what these word differently is compared without its wording (`differences`). Any role may read the
catalogue: no right on an object is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from shared.database.pool import Connection

LIST: Final = Path(__file__).with_name("objects.txt")


class Kind(StrEnum):
    """What an object is, in the order in which one may need another."""

    TABLE = "table"
    SEQUENCE = "sequence"
    COLUMN = "column"
    COMPUTED = "computed"
    """The expression of a column that the database computes."""
    IDENTITY = "identity"
    DEFAULT = "default"
    NOT_NULL = "not null"
    FUNCTION = "function"
    CONSTRAINT = "constraint"
    INDEX = "index"
    """Of no constraint; those of constraints stand and fall with them."""
    VIEW = "view"
    TRIGGER = "trigger"


class State(StrEnum):
    """What keeps an object that is there from doing its work."""

    WORKS = ""
    INVALID = "invalid"
    """An index that was not built to its end."""
    OFF = "off"
    """A trigger that does not fire."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object; `parent` is the table of what belongs to one, else empty."""

    kind: Kind
    name: str
    parent: str
    definition: str
    state: State = State.WORKS

    @property
    def own_name(self) -> str:
        """Its name within its table or schema, as a statement has it."""
        return self.name.removeprefix(f"{self.parent}." if self.parent else "").rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Living:
    """What the database has."""

    objects: tuple[Object, ...]
    foreign_keys_off: tuple[str, ...]
    """Tables whose foreign keys nobody keeps: their triggers are switched off."""
    silenced: tuple[str, ...]
    """What has triggers keep silent by itself (`session_replication_role`), as ALTER names it: `ROLE importer_web`."""


_WHOLE_NAMES: Final = "SELECT set_config('search_path', '', true)"

_COMMON: Final = """
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('helpdesk', 'ui_v1')),
relations AS (
    SELECT rel.*, rel.oid::regclass::text AS name FROM pg_class AS rel JOIN ours ON ours.oid = relnamespace),
columns AS (
    SELECT rel.name AS parent, rel.name || '.' || quote_ident(attname) AS name, col.*,
        pg_get_expr(adbin, adrelid) AS expression
    FROM relations AS rel JOIN pg_attribute AS col ON attrelid = rel.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped)
"""

_OF_KIND: Final[Mapping[Kind, str]] = {
    Kind.TABLE: """
SELECT 'table' AS kind, name, '' AS parent, concat_ws(', ',
    CASE relpersistence WHEN 'u' THEN 'unlogged' END, CASE WHEN relrowsecurity THEN 'row level security' END
    ) AS definition, '' AS state
FROM relations WHERE relkind IN ('r', 'p')
""",
    Kind.SEQUENCE: """
SELECT 'sequence' AS kind, name, '' AS parent, format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s %s',
    format_type(seqtypid, NULL), seqincrement, seqmin, seqmax, CASE WHEN seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END
    ) AS definition, '' AS state
FROM relations JOIN pg_sequence ON seqrelid = relations.oid
WHERE NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = seqrelid
    AND deptype = 'i')
""",
    Kind.COLUMN: """
SELECT 'column' AS kind, name, parent, format_type(atttypid, atttypmod)
    || CASE WHEN attcollation <> typcollation THEN ' COLLATE ' || attcollation::regcollation::text ELSE '' END
    AS definition, '' AS state
FROM columns JOIN pg_type ON pg_type.oid = atttypid
""",
    Kind.COMPUTED: """
SELECT 'computed' AS kind, name, parent, expression AS definition, '' AS state FROM columns WHERE attgenerated <> ''
""",
    Kind.IDENTITY: """
SELECT 'identity' AS kind, name, parent, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END AS definition,
    '' AS state
FROM columns WHERE attidentity <> ''
""",
    Kind.DEFAULT: """
SELECT 'default' AS kind, name, parent, expression AS definition, '' AS state
FROM columns WHERE expression IS NOT NULL AND attgenerated = ''
""",
    Kind.NOT_NULL: """
SELECT 'not null' AS kind, name, parent, '' AS definition, '' AS state FROM columns WHERE attnotnull
""",
    Kind.FUNCTION: """
SELECT 'function' AS kind, format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid))
    AS name, '' AS parent, rtrim(pg_get_functiondef(pg_proc.oid), chr(10)) AS definition, '' AS state
FROM ours JOIN pg_proc ON pronamespace = ours.oid
WHERE prokind IN ('f', 'p') AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_catalog.pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
""",
    Kind.CONSTRAINT: """
SELECT 'constraint' AS kind, rel.name || '.' || quote_ident(conname) AS name, rel.name AS parent,
    pg_get_constraintdef(con.oid) AS definition, '' AS state
FROM relations AS rel JOIN pg_constraint AS con ON conrelid = rel.oid WHERE contype IN ('p', 'u', 'f', 'c', 'x')
""",
    Kind.INDEX: """
SELECT 'index' AS kind, rel.name, indrelid::regclass::text AS parent, pg_get_indexdef(rel.oid) AS definition,
    CASE WHEN indisvalid AND indisready THEN '' ELSE 'invalid' END AS state
FROM relations AS rel JOIN pg_index ON indexrelid = rel.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = rel.oid AND conrelid = indrelid)
""",
    Kind.VIEW: """
SELECT 'view' AS kind, name, '' AS parent, format('CREATE OR REPLACE VIEW %s%s AS %s', name,
    ' WITH (' || array_to_string(reloptions, ', ') || ')', ltrim(rtrim(pg_get_viewdef(relations.oid), ';')))
    AS definition, '' AS state
FROM relations WHERE relkind = 'v'
""",
    Kind.TRIGGER: """
SELECT 'trigger' AS kind, rel.name || '.' || quote_ident(tgname) AS name, rel.name AS parent,
    pg_get_triggerdef(pg_trigger.oid) AS definition, CASE WHEN tgenabled IN ('O', 'A') THEN '' ELSE 'off' END AS state
FROM relations AS rel JOIN pg_trigger ON tgrelid = rel.oid WHERE NOT tgisinternal
""",
}

_FOREIGN_KEYS_OFF: Final = """
SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = to_regnamespace('helpdesk') AND tgisinternal AND tgenabled NOT IN ('O', 'A') ORDER BY 1
"""

_SILENCED: Final = """
-- $1 our roles
WITH set_for AS (
    SELECT concat_ws(' ', 'ROLE ' || CASE WHEN setrole = 0 AND setdatabase = 0 THEN 'ALL'
            ELSE (SELECT quote_ident(rolname) FROM pg_roles WHERE oid = setrole) END,
        CASE WHEN setrole <> 0 AND setdatabase <> 0 THEN 'IN' END,
        'DATABASE ' || (SELECT quote_ident(datname) FROM pg_database WHERE oid = setdatabase)) AS what, setrole
    FROM pg_db_role_setting
    WHERE 'session_replication_role=replica' = ANY(setconfig)
      AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
SELECT what FROM set_for
WHERE setrole = 0 OR EXISTS (SELECT FROM pg_roles WHERE oid = setrole AND rolname = ANY($1::text[]))
UNION ALL
SELECT 'SYSTEM' WHERE current_setting('session_replication_role') = 'replica' AND NOT EXISTS (SELECT FROM set_for)
ORDER BY 1
"""


async def living(connection: Connection, roles: Iterable[str], kinds: Iterable[Kind] = Kind) -> Living:
    """What the database at the other end has of these kinds; `roles` are those in whose sessions triggers must fire."""
    async with connection.transaction():
        before = await connection.fetchval("SELECT current_setting('search_path')")
        await connection.execute(_WHOLE_NAMES)
        objects = [
            Object(Kind(row["kind"]), row["name"], row["parent"], row["definition"], State(row["state"]))
            for row in await connection.fetch(_COMMON + "UNION ALL".join(_OF_KIND[kind] for kind in kinds))
        ]
        off = [row["name"] for row in await connection.fetch(_FOREIGN_KEYS_OFF)]
        silenced = [row["what"] for row in await connection.fetch(_SILENCED, list(roles))]
        # where our transaction is but a part of the caller's
        await connection.execute("SELECT set_config('search_path', $1, true)", before)
    return Living(tuple(objects), tuple(off), tuple(silenced))


@cache
def expected_objects() -> Mapping[tuple[Kind, str], Object]:
    """The objects of the revision at which the list was frozen, by kind and name."""
    lines = LIST.read_text(encoding="utf-8").splitlines()[1:]
    objects = (
        Object(Kind(kind), name, parent, definition) for kind, name, parent, definition in map(json.loads, lines)
    )
    return {(each.kind, each.name): each for each in objects}


@cache
def frozen_revision() -> str:
    """The schema's revision at which the lists of objects and grants were frozen."""
    with LIST.open(encoding="utf-8") as file:
        return file.readline().strip()


def list_of(revision: str, objects: Sequence[Object]) -> str:
    """The list as the file holds it: the revision, then a line for each object."""
    order = list(Kind)
    lines = (
        json.dumps([each.kind.value, each.name, each.parent, each.definition], ensure_ascii=False)
        for each in sorted(objects, key=lambda each: (order.index(each.kind), each.name))
    )
    return f"{revision}\n" + "".join(f"{line}\n" for line in lines)
