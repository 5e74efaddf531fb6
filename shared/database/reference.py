"""Writes docs/schema.md from a migrated database: tables, columns, constraints, comments, views, who may do what.

python -m shared.database.reference postgresql://… > docs/schema.md
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import asyncpg

from shared.database.pool import Connection, open_pool

INTRODUCTION: Final = Path(__file__).with_name("reference_introduction.md")

_TABLES: Final = """
    SELECT rel.oid, nsp.nspname AS schema, rel.relname AS name, obj_description(rel.oid) AS meaning
    FROM pg_class AS rel JOIN pg_namespace AS nsp ON nsp.oid = rel.relnamespace
    WHERE nsp.nspname = $1 AND rel.relkind IN ('r', 'v')
    ORDER BY rel.relname"""

_COLUMNS: Final = """
    SELECT col.attname AS name, format_type(col.atttypid, col.atttypmod) AS type, col.attnotnull AS required,
        CASE WHEN col.attidentity <> '' THEN 'by the database' WHEN col.attgenerated <> '' THEN 'computed'
            ELSE pg_get_expr(fallback.adbin, fallback.adrelid) END AS fallback,
        col_description(col.attrelid, col.attnum) AS meaning
    FROM pg_attribute AS col LEFT JOIN pg_attrdef AS fallback
        ON fallback.adrelid = col.attrelid AND fallback.adnum = col.attnum
    WHERE col.attrelid = $1 AND col.attnum > 0 AND NOT col.attisdropped
    ORDER BY col.attnum"""

_CONSTRAINTS: Final = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = $1 AND contype IN ('p', 'u', 'f', 'c')
    ORDER BY array_position('{p,u,f,c}', contype::text), conname"""

_INDEXES: Final = """
    SELECT rel.relname AS name, indisunique AS is_unique,
        regexp_replace(pg_get_indexdef(rel.oid), '^.* USING ', '') AS definition
    FROM pg_index JOIN pg_class AS rel ON rel.oid = indexrelid
    WHERE indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = $1)
    ORDER BY rel.relname"""

_RIGHTS: Final = """
    SELECT role.rolname AS role, allowed.privilege_type AS may, NULL AS name, 0 AS position
    FROM pg_class AS rel CROSS JOIN LATERAL aclexplode(rel.relacl) AS allowed
        JOIN pg_roles AS role ON role.oid = allowed.grantee
    WHERE rel.oid = $1 AND allowed.grantee <> rel.relowner
    UNION ALL
    SELECT role.rolname, allowed.privilege_type, col.attname, col.attnum
    FROM pg_attribute AS col CROSS JOIN LATERAL aclexplode(col.attacl) AS allowed
        JOIN pg_roles AS role ON role.oid = allowed.grantee
    WHERE col.attrelid = $1 AND NOT col.attisdropped
    ORDER BY role, may, position"""

_FUNCTIONS: Final = """
    SELECT proname AS name, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result,
        obj_description(oid) AS meaning
    FROM pg_proc WHERE pronamespace = 'ui_v1'::regnamespace ORDER BY proname"""

Row: TypeAlias = asyncpg.Record


async def reference(connection: Connection) -> str:
    """The page, for the schema of the database at the other end."""
    parts = [INTRODUCTION.read_text(encoding="utf-8")]
    functions = await connection.fetch(_FUNCTIONS)
    parts.append("## Functions of the helpdesk UI\n\n" + "".join(map(_function, functions)))
    for schema, title in (("ui_v1", "Views of the helpdesk UI"), ("helpdesk", "Tables")):
        tables = await connection.fetch(_TABLES, schema)
        names = ", ".join(f"[{table['name']}](#{_anchor(table)})" for table in tables)
        parts.append(f"## {title}\n\n{names}\n")
        parts += [await _section(connection, table) for table in tables]
    return "\n".join(parts)


def _function(function: Row) -> str:
    result = "" if function["result"] == "void" else f" → {function['result']}"
    return (
        f"- `ui_v1.{function['name']}({function['arguments']}){result}`: {function['meaning'].replace('<', '&lt;')}.\n"
    )


async def _section(connection: Connection, table: Row) -> str:
    columns = await connection.fetch(_COLUMNS, table["oid"])
    constraints = await connection.fetch(_CONSTRAINTS, table["oid"])
    indexes = await connection.fetch(_INDEXES, table["oid"])
    rights = await connection.fetch(_RIGHTS, table["oid"])
    choices = _choices(constraints)
    is_view = table["schema"] != "helpdesk"
    lines = [f"### {table['schema']}.{table['name']}", "", table["meaning"] or "", ""]
    lines += ["| column | type | meaning |", "|---|---|---|"]
    lines += [
        f"| `{column['name']}` | {_type(column, is_view=is_view)} | {_meaning(column, choices)} |" for column in columns
    ]
    lines.append("")
    if constraints:
        lines += [f"- `{one['name']}`: {_code(one['definition'])}" for one in constraints]
    if indexes:
        lines += [
            f"- {'unique ' if one['is_unique'] else ''}index `{one['name']}`: {_code(one['definition'])}"
            for one in indexes
        ]
    if constraints or indexes:
        lines.append("")
    writes = [right for right in rights if right["may"] != "SELECT"]
    if not is_view or writes:
        lines += [*_may_do(rights), ""]
    return "\n".join(lines)


def _anchor(table: Row) -> str:
    return f"{table['schema']}{table['name']}"


def _type(column: Row, *, is_view: bool) -> str:
    required = "" if column["required"] or is_view else ", or null"
    fallback = column["fallback"]
    if fallback is None:
        return f"{column['type']}{required}"
    if fallback in {"by the database", "computed"}:
        return f"{column['type']}, {fallback}"
    return f"{column['type']}{required}, {_code(_plain(fallback))} if not given"


def _plain(expression: str) -> str:
    """A default without the casts that PostgreSQL shows."""
    return re.sub(r"::(text|bigint|jsonb|regclass|timestamp with time zone|text\[\]|tsvector)", "", expression)


def _choices(constraints: Iterable[Row]) -> dict[str, str]:
    """The values that a column may have, where a constraint lists them."""
    values_of: dict[str, str] = {}
    for constraint in constraints:
        listed = re.fullmatch(
            r"CHECK \(\((\w+) = (?:ANY \(ARRAY\[(.+)\]\)|('[^']*'::text))\)\)", constraint["definition"]
        )
        if listed:
            values = re.findall(r"'([^']*)'::text", listed[2] or listed[3])
            values_of[listed[1]] = ", ".join(f"`{value}`" for value in values)
    return values_of


def _meaning(column: Row, choices: dict[str, str]) -> str:
    meaning = (column["meaning"] or "").replace("|", "\\|").replace("<", "&lt;")
    return f"{meaning} One of {choices[column['name']]}." if column["name"] in choices else meaning


def _may_do(rights: Sequence[Row]) -> Iterable[str]:
    """Each role with what it may do with the table, and with which columns where not with all."""
    by_role: dict[str, dict[str, list[str]]] = {}
    for right in rights:
        columns = by_role.setdefault(right["role"], {}).setdefault(right["may"].lower(), [])
        if right["name"]:
            columns.append(right["name"])
    if by_role:
        yield "May do:"
        yield ""
    for role, allowed in sorted(by_role.items()):
        said = [f"{may} ({', '.join(columns)})" if columns else may for may, columns in sorted(allowed.items())]
        yield f"- `{role}`: {'; '.join(said)}"


def _code(text: str) -> str:
    return f"`{text}`"


async def _main(url: str) -> None:
    pool = await open_pool(url, application_name="schema reference", max_size=1)
    async with pool.acquire() as connection:
        sys.stdout.write(await reference(connection))
    await pool.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
